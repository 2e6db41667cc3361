"""Questions that are held out, a table like demonstrations and pool."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0004", "0003"


def upgrade() -> None:
    op.add_column("studies", sa.Column("questions", sa.Text))
