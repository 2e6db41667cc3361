"""Kernels over many queries, the head atlas, and the way from Bayes to kernel regression."""
