"""Studies that a browser was not given the address of yet: what was typed last, should the server die meanwhile."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0003", "0002"


def upgrade() -> None:
    op.create_table(
        "pending",
        sa.Column("visitor", sa.Text, primary_key=True),
        sa.Column("place", sa.Text, primary_key=True),
        sa.Column("next", sa.Text, nullable=False),
        sa.Column("server", sa.Text, nullable=False),
        sa.Column("used", sa.Double, nullable=False),
        sa.Column("given", sa.Double),
    )
