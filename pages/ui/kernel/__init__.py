"""The Kernel page."""
