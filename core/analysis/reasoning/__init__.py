"""Methods of reasoning side by side."""
