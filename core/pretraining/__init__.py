"""The embedded model and the mixture of tasks it was pretrained on, whose prior is known."""
