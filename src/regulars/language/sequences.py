"""The row of sequences: one product bought, and another in a later order.

Rows only. A column starts with `first.` or `then.` and goes on as a column of a line does; decision
0004 says why it is a function of its own.
"""

from __future__ import annotations

from regulars.language.shapes import (
    FUNCTION,
    ORDERED,
    Attribute,
    Events,
    Kind,
    ParameterRow,
    Role,
    Saying,
    Unit,
)
from regulars.language.tree import Operator

_ONE_OF = frozenset({Operator.EQ, Operator.IN})
#: What a product is known by: name, kind, column, and how it is said.
_KNOWN_BY = (
    ("id", Kind.ID, "product_id", "with ID {value}", "商品IDが{value}の"),
    ("variant_id", Kind.ID, "variant_id", "with variant ID {value}", "バリエーションIDが{value}の"),
    ("tag", Kind.TEXT, "product_tag_keys", "tagged {value}", "商品タグが{value}の"),
    ("vendor", Kind.TEXT, "vendor", "by the vendor {value}", "販売元が{value}の"),
    ("product_type", Kind.TEXT, "product_type", "of the type {value}", "商品タイプが{value}の"),
    (
        "collection_id",
        Kind.ID,
        "collection_ids",
        "in collection {value}",
        "コレクションIDが{value}の",
    ),
)


#: Ids whose titles a shop knows: what they are of, and how the title is said.
_TITLED = {
    "product_id": ("product", "named {value}", "{value}の"),
    "collection_ids": ("collection", "in collection {value}", "コレクション{value}の"),
}
_UNTITLED = ("", "", "")


def _side(side: str, en: str, ja: str, which_en: str, which_ja: str) -> tuple[ParameterRow, ...]:
    return tuple(
        ParameterRow(
            f"{side}_{name}",
            kind,
            Role.ROW,
            f"{side}.{column}",
            _ONE_OF,
            say_en=f"{en} a product {say_en}",
            say_ja=f"{ja}{say_ja}商品を",
            id_of=_TITLED.get(column, _UNTITLED)[0],
            titled_en=f"{en} a product {_TITLED.get(column, _UNTITLED)[1]}",
            titled_ja=f"{ja}{_TITLED.get(column, _UNTITLED)[2]}商品を",
            fold=column == "product_tag_keys",
            in_shopify=False,
            meaning_en=f"The product bought {which_en}, by its {name.replace('_', ' ')}.",
            meaning_ja=f"{which_ja}に購入した商品についての条件です。",
        )
        for name, kind, column, say_en, say_ja in _KNOWN_BY
    )


SEQUENCES = (
    Attribute(
        "products_purchased_in_order",
        Kind.FUNCTION,
        FUNCTION,
        Events("lines", in_order=True),
        "Products purchased in order",
        "商品の購入順",
        "Whether an order with the first product is followed by a later one with the second.",
        "ある商品を購入した後、別の注文で次の商品を購入したかどうかです。",
        "products_purchased_in_order MATCHES (first_tag = 'Tea', then_id = 12, within_days <= 30)",
        parameters=(
            *_side("first", "first", "最初に", "first", "最初"),
            *_side("then", "and then", "次に", "in the later order", "次"),
            ParameterRow(
                "within_days",
                Kind.INTEGER,
                Role.ROW,
                "days_between",
                ORDERED - {Operator.NE},
                say_en="with {value} between",
                say_ja="間隔が{value}で",
                unit=Unit("day", "days", "日"),
                in_shopify=False,
                meaning_en="The shop's days from the first order to the later one; 0 on one day.",
                meaning_ja="最初の注文から次の注文までの日数です。同じ日は0です。",
            ),
            ParameterRow(
                "date",
                Kind.DAY,
                Role.ROW,
                "then.processed_at",
                ORDERED,
                say_en="the later one {value}",
                say_ja="次の注文が{value}に",
                in_shopify=False,
                meaning_en="The shop's day of the later order.",
                meaning_ja="次の注文の日です（ストアのタイムゾーン）。",
            ),
        ),
        in_shopify=False,
        past_known=True,
        say_en=Saying(
            "bought in order:",
            "did not buy in order:",
            "never bought products in two orders",
            "bought products in two orders or more",
        ),
        say_ja=Saying(
            "順に購入した",
            "順に購入していない",
            "2回以上の注文で商品を購入していない",
            "2回以上の注文で商品を購入した",
        ),
        also=("sequence", "bought_then", "then", "followed_by"),
    ),
)
