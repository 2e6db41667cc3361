"""What to do, and what came out: demonstrations, prompts, label words, `Study`, `Outcome`."""
