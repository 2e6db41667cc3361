"""The store's schema by versions, as alembic keeps them: one file a version in `versions/`."""
