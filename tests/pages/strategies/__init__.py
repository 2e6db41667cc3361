"""A strategy that no page has heard of, on the pages."""
