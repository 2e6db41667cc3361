"""Exact Bayes over a mixture that is known: posterior, predictive, answer, kernel.

What is asked of a mixture (`predictive`, `exact_kernel`, `choose_probes`, `components`) is dispatched on its type
(`functools.singledispatch`): as written it is for `core.mixture.mixture.Mixture`, and another kind of mixture registers
functions of its own.
"""
