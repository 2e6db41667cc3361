"""Where studies are kept: one SQL database, its schema by versions, and what of it goes when there is too much."""
