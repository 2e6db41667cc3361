"""What the views of attention ask beside the run."""
