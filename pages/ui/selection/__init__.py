"""The Selection page."""
