"""The Ordering page."""
