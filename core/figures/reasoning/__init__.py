"""Figures of methods of reasoning."""
