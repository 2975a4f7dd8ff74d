"""What is kept in memory of one file's tables, for the thread that writes to it.

All of it follows what that thread writes and says what its last commit left; where that is not
known it is forgotten and read again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final

from regulars.warehouse.marks import Marks
from regulars.warehouse.sheets import Product, Sheets

# So many products are kept known; beyond it they are read anew.
PRODUCTS_MAX: Final = 50_000
# So many are read as soon as one is asked for: the whole catalogue of most shops.
PRODUCTS_AT_ONCE: Final = 10_000


class Memory:
    """Those who ordered last, which orders and deliveries there are, and the products they name."""

    def __init__(self, sheets_bytes: int = 0) -> None:
        self.sheets = Sheets(sheets_bytes)
        self.orders = Marks("order")
        self.events = Marks("event")
        self.products: dict[str, Product] = {}

    @property
    def is_lacking(self) -> bool:
        """Whether something has to be read that the tables hold."""
        return self.sheets.is_lacking or not (self.orders.is_whole and self.events.is_whole)

    def settle(self, changed: Collection[int] | None, *, kept: bool) -> None:
        """End a transaction that changed facts of these customers, or of nobody knows whom."""
        self.sheets.settle(changed, kept=kept)
        if kept and changed is None:
            self.orders.forget()
        if not kept or changed is None:
            self.products.clear()

    def forget_products(self, product_ids: Iterable[str]) -> None:
        """Read these products anew: the open transaction changed them."""
        for product_id in product_ids:
            self.products.pop(product_id, None)
