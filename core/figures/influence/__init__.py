"""Figures of influence, and of what predicts it."""
