"""Work that must not hold up a page."""
