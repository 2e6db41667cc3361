"""What every store had that was written before versions: studies whole, and steps of undo by visitor."""

from alembic import op

revision, down_revision = "0001", None


def upgrade() -> None:
    op.execute("CREATE TABLE IF NOT EXISTS studies (id TEXT PRIMARY KEY, body TEXT, used DOUBLE PRECISION)")
    op.execute(
        "CREATE TABLE IF NOT EXISTS steps (visitor TEXT, place TEXT, steps TEXT, used DOUBLE PRECISION, "
        "PRIMARY KEY (visitor, place))"
    )
