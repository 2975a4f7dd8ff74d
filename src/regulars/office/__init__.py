"""The office: everything that is not a shop's facts, in one SQLAlchemy database.

SQLite by default (WAL, synchronous=FULL, so that a commit survives a power cut), PostgreSQL by URL.
"""

from regulars.office.database import Office
from regulars.office.models.shops import Shop, ShopToken
from regulars.office.shops import (
    Token,
    create_shop,
    find_shop,
    list_shops,
    no_shop,
    read_token,
    save_token,
)

__all__ = [
    "Office",
    "Shop",
    "ShopToken",
    "Token",
    "create_shop",
    "find_shop",
    "list_shops",
    "no_shop",
    "read_token",
    "save_token",
]
