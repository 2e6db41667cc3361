"""Every order of the demonstrations, and what position does."""
