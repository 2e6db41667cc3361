"""Figures of templates and tokens."""
