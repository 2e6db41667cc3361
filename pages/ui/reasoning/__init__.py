"""The Reasoning page."""
