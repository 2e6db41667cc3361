"""Figures of kernels, the head atlas and convergence."""
