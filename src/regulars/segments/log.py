"""Why customers join and leave: the words of the membership log."""

from __future__ import annotations

from typing import Final, Literal

Cause = Literal[
    "order",  # An order, a refund or a cancellation.
    "profile",  # A change of the customer's profile, tags or consent.
    "product",  # A product that was bought got other tags, type or vendor.
    "created",  # The segment was made.
    "restored",  # The segment came back from the trash.
    "edited",  # The segment's query was edited.
    "day_change",  # A new day began.
    "universe",  # The shop chose anew who counts as everybody.
    "loaded",  # The shop's data was loaded or fetched again.
    "upload",  # An uploaded file changed a list.
    "awaited",  # A customer whom a list waited for appeared.
    "part_changed",  # A segment that this one is made of was changed.
    "deleted",  # The customer was deleted or redacted.
    "merged",  # The customer was merged with another.
]

#: What was not done by customers: the shop is counted as it stands after these.
COUNTED_ANEW: Final = frozenset({"loaded", "universe"})
#: What happens to the shop as a whole: a combination moves for this reason as its parts do. Only
#: what was done to one of its parts is told as a change of that part.
MOVES_COMBINATIONS: Final = frozenset({"day_change", "product", *COUNTED_ANEW})
