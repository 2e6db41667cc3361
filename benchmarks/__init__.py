"""Programs that measure; each writes its own results into `benchmarks/results/`."""
