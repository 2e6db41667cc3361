"""What surrounds the views of every page."""
