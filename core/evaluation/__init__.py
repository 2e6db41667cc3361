"""Many studies on the same questions."""
