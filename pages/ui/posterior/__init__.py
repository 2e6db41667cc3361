"""The Posterior page."""
