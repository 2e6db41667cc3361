"""Strategies of every kind, and what other code asks of them."""
