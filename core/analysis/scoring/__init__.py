"""Scorers, normalisations and calibrations on one query and on many questions."""
