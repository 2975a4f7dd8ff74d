"""Names of people as they are read where they come from."""

from __future__ import annotations

import re
from typing import Final

# Chinese characters, kana and Hangul, with the marks that stand between them in names.
_SIGNS: Final = "[々〆ヶ\u3041-\u309f\u30a0-\u30ff\u3400-\u9fff\uac00-\ud7a3\uf900-\ufaff]"
#: Two words of such signs; sql/stage.sql reads the same.
_GIVEN_FIRST: Final = re.compile(f"({_SIGNS}+) ({_SIGNS}+)")


def family_first(name: str | None) -> str | None:
    """Put the family name first where a name is written in East Asian signs.

    Shopify and its files join given and family name in this order for everybody.
    """
    found = _GIVEN_FIRST.fullmatch(name) if name else None
    return f"{found[2]} {found[1]}" if found else name
