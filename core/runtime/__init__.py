"""What every part runs on: progress, cost, what was learned, registries, paths."""
