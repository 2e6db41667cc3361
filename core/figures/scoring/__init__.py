"""Figures of scores, calibration and label imbalance."""
