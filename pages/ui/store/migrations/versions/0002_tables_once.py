"""Tables of demonstrations once, by content; how firmly a study is kept.

Studies that were kept before stay whole as they are, and count as steps: nobody knows who has their links.
"""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0002", "0001"


def upgrade() -> None:
    op.add_column("studies", sa.Column("demonstrations", sa.Text))
    op.add_column("studies", sa.Column("pool", sa.Text))
    op.add_column("studies", sa.Column("firmness", sa.Integer, nullable=False, server_default="1"))
    op.create_table(
        "lists", sa.Column("id", sa.Text, primary_key=True), sa.Column("blocks", sa.LargeBinary, nullable=False)
    )
    op.create_table(
        "blocks", sa.Column("id", sa.Text, primary_key=True), sa.Column("rows", sa.LargeBinary, nullable=False)
    )
    op.create_index("studies_by_use", "studies", ["firmness", "used"])
    op.create_index("steps_by_use", "steps", ["used"])
