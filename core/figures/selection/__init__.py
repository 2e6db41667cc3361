"""Figures of the pool and of selections."""
