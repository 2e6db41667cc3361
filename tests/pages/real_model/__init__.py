"""The pages on a real pretrained model."""
