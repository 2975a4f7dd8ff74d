"""Whose grace time ended, by index."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    graced = sa.text("leaves_at IS NOT NULL")
    op.create_index(
        "ix_tag_audience_leaves",
        "tag_audience",
        ["shop_id", "leaves_at"],
        sqlite_where=graced,
        postgresql_where=graced,
    )
