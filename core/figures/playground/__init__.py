"""Figures of the answer."""
