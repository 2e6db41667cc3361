"""Figures of posteriors over tasks."""
