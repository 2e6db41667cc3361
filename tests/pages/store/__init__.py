"""Where studies are kept, without a page."""
