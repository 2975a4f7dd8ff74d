"""Icons, groups, featured segments, and what is left of purged ones."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

ROW_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Apply."""
    # Not in a batch: that would copy the table, and dropping the old one takes the versions along.
    op.add_column(
        "segments", sa.Column("icon", sa.String(length=16), server_default="", nullable=False)
    )
    op.add_column(
        "segments",
        sa.Column("is_featured", sa.Boolean(), server_default=sa.false(), nullable=False),
    )
    op.add_column("segments", sa.Column("purged_at", sa.DateTime(), nullable=True))
    op.create_table(
        "segment_groups",
        sa.Column("id", ROW_NUMBER, nullable=False),
        sa.Column("shop_id", ROW_NUMBER, nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("name_key", sa.String(length=300), nullable=False),
        sa.ForeignKeyConstraint(
            ["shop_id"],
            ["shops.id"],
            name=op.f("fk_segment_groups_shop_id_shops"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_segment_groups")),
        sa.UniqueConstraint("shop_id", "name_key", name=op.f("uq_segment_groups_shop_id_name_key")),
    )
    op.create_table(
        "segment_group_entries",
        sa.Column("group_id", ROW_NUMBER, nullable=False),
        sa.Column("segment_id", ROW_NUMBER, nullable=False),
        sa.ForeignKeyConstraint(
            ["group_id"],
            ["segment_groups.id"],
            name=op.f("fk_segment_group_entries_group_id_segment_groups"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["segment_id"],
            ["segments.id"],
            name=op.f("fk_segment_group_entries_segment_id_segments"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("group_id", "segment_id", name=op.f("pk_segment_group_entries")),
    )
    op.create_index(
        op.f("ix_segment_group_entries_segment_id"), "segment_group_entries", ["segment_id"]
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("segment_group_entries")
    op.drop_table("segment_groups")
    for column in ("purged_at", "is_featured", "icon"):
        op.drop_column("segments", column)
