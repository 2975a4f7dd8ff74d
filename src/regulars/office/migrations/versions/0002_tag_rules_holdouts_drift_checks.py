"""Tag rules, holdouts, drift checks."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    _drift_checks()
    _rules()
    _holdouts()
    _columns()


def _drift_checks() -> None:
    op.create_table(
        "tag_drift_checks",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("shop_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("checked_at", sa.DateTime(), nullable=False),
        sa.Column("customer_count", sa.Integer(), nullable=False),
        sa.Column("found", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["shop_id"],
            ["shops.id"],
            name=op.f("fk_tag_drift_checks_shop_id_shops"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tag_drift_checks")),
    )
    with op.batch_alter_table("tag_drift_checks", schema=None) as batch_op:
        batch_op.create_index("ix_tag_drift_checks_shop", ["shop_id", "checked_at"], unique=False)


def _rules() -> None:
    op.create_table(
        "tag_rules",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("shop_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "segment_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("tag", sa.String(length=40), nullable=False),
        sa.Column("tag_key", sa.String(length=80), nullable=False),
        sa.Column("is_on", sa.Boolean(), nullable=False),
        sa.Column("grace_days", sa.Integer(), nullable=False),
        sa.Column("brake_number", sa.Integer(), nullable=True),
        sa.Column("brake_share", sa.Double(), nullable=True),
        sa.Column("drift", sa.String(length=16), nullable=False),
        sa.Column("holdout_share", sa.Double(), nullable=False),
        sa.Column("tier_group", sa.String(length=80), nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("author", sa.String(length=255), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("switched_off_at", sa.DateTime(), nullable=True),
        sa.Column(
            "assignment_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "followed_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("held_at", sa.DateTime(), nullable=True),
        sa.Column("held_give_count", sa.Integer(), nullable=False),
        sa.Column("held_take_count", sa.Integer(), nullable=False),
        sa.Column("is_released", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["shop_id"], ["shops.id"], name=op.f("fk_tag_rules_shop_id_shops"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tag_rules")),
    )
    with op.batch_alter_table("tag_rules", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_tag_rules_segment_id"), ["segment_id"], unique=False)
        batch_op.create_index("ix_tag_rules_shop", ["shop_id", "is_on"], unique=False)


def _holdouts() -> None:
    op.create_table(
        "tag_holdouts",
        sa.Column(
            "assignment_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("customer_id", sa.String(length=64), nullable=False),
        sa.Column("shop_id", sa.Integer(), nullable=False),
        sa.Column("since", sa.DateTime(), nullable=False),
        sa.Column("until", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["assignment_id"],
            ["tag_assignments.id"],
            name=op.f("fk_tag_holdouts_assignment_id_tag_assignments"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("assignment_id", "customer_id", name=op.f("pk_tag_holdouts")),
    )
    with op.batch_alter_table("tag_holdouts", schema=None) as batch_op:
        batch_op.create_index("ix_tag_holdouts_shop", ["shop_id", "customer_id"], unique=False)


def _columns() -> None:
    with op.batch_alter_table("tag_assignments", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "rule_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
            )
        )
        batch_op.add_column(
            sa.Column("holdout_count", sa.Integer(), server_default="0", nullable=False)
        )
        batch_op.create_index(batch_op.f("ix_tag_assignments_rule_id"), ["rule_id"], unique=False)

    with op.batch_alter_table("tag_audience", schema=None) as batch_op:
        batch_op.add_column(sa.Column("leaves_at", sa.DateTime(), nullable=True))

    with op.batch_alter_table("tag_bulks", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("tag_key", sa.String(length=80), server_default="", nullable=False)
        )
