"""The Model card."""
