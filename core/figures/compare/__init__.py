"""Figures of what differs between two studies."""
