"""First tables."""

from alembic import op

from regulars.office.models import load_all

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    load_all().metadata.create_all(op.get_bind())
