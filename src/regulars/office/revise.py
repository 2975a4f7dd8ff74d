"""For developers: write the migration that brings the tables to what the models say.

python -m regulars.office.revise "What changed"
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from alembic import command

from regulars.office.database import MIGRATIONS, Office, alembic_config


def revise(message: str) -> None:
    """Add the next numbered migration file."""
    number = len(list((MIGRATIONS / "versions").glob("[0-9]*.py"))) + 1
    with tempfile.TemporaryDirectory() as folder:
        office = Office(f"sqlite:///{Path(folder) / 'office.db'}")
        if number > 1:
            office.migrate()
        with office.engine.connect() as connection:
            config = alembic_config(connection)
            command.revision(config, message, autogenerate=True, rev_id=f"{number:04d}")
        office.close()


if __name__ == "__main__":
    revise(sys.argv[1])
