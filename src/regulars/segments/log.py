"""Why customers join and leave: the words of the membership log."""

#: Why a customer joined or left.
CAUSES = {
    "order": "an order, a refund or a cancellation",
    "profile": "a change of the customer's profile, tags or consent",
    "product": "a product that was bought got other tags, type or vendor",
    "created": "the segment was made",
    "edited": "the segment's query was edited",
    "day_change": "a new day began",
    "loaded": "the shop's data was loaded or fetched again",
    "upload": "an uploaded file, or a customer whom a list waited for",
    "part_changed": "a segment that this one is made of changed",
    "deleted": "the customer was deleted or redacted",
    "merged": "the customer was merged with another",
}
