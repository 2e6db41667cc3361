"""What pages ask beside the run: one folder a page."""
