"""Since when lists are known."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("csv_lists", schema=None) as batch_op:
        batch_op.add_column(sa.Column("known_from", sa.DateTime(), nullable=True))
