"""The Scoring page."""
