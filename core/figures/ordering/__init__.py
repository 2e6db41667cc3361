"""Figures of orders and positions."""
