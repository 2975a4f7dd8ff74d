"""What a customer tag may be called, and when two texts are the same tag.

Shopify trims a tag, cuts it at commas and compares without case; we refuse what it would silently
change, so that the tag on our screens is the tag in Shopify.
"""

from __future__ import annotations

import unicodedata

from regulars.errors import InputError, problem

#: Shopify prints this limit for order tags; we keep to it for customers.
TAG_CHARACTERS_MAX = 40
#: A customer of Shopify has at most this many tags.
TAGS_PER_CUSTOMER_MAX = 250


def clean_tag(text: str) -> str:
    """Return the tag as it is given to Shopify: composed (NFC) and trimmed.

    Raises InputError where the text is empty, has a comma or a control character, or is too long.

    >>> clean_tag("  VIP ")
    'VIP'
    """
    tag = unicodedata.normalize("NFC", text).strip()
    if not tag:
        raise InputError(
            problem("tag_empty", "Write the tag that the customers shall get.", field="tag")
        )
    if "," in tag:
        raise InputError(
            problem(
                "tag_with_comma",
                'The tag "{tag}" has a comma, and Shopify would make two tags of it. '
                "Assign one tag at a time.",
                field="tag",
                tag=tag,
            )
        )
    if any(unicodedata.category(sign) in {"Cc", "Cs"} for sign in tag):
        raise InputError(
            problem(
                "tag_with_control_character",
                "The tag has a line break or another sign that cannot be seen. Type it again.",
                field="tag",
            )
        )
    if len(tag) > TAG_CHARACTERS_MAX:
        raise InputError(
            problem(
                "tag_too_long",
                'The tag "{tag}" has {count} characters. A tag has at most {most}.',
                field="tag",
                tag=tag[:80],
                count=len(tag),
                most=TAG_CHARACTERS_MAX,
            )
        )
    return tag


def tag_key(tag: str) -> str:
    """Return the identity of a tag: two tags with the same key are one tag in Shopify.

    >>> tag_key("VIP") == tag_key("vip")
    True
    """
    return unicodedata.normalize("NFC", tag).strip().lower()
