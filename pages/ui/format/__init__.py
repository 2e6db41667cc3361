"""The Format page."""
