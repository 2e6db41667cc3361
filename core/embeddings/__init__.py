"""Texts as vectors: encoders, and the vectors that were computed before."""
