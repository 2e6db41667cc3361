"""One strategy of each kind, one file each: what a contributor writes, and nothing beside it."""
