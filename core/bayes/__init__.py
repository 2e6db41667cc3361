"""Exact Bayes over a mixture that is known: posterior, predictive, answer, kernel."""
