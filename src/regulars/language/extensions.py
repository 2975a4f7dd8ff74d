"""The rows that Shopify's language does not have: sets by name, figures and ranks from orders.

One namespace and one style with Shopify's own; `in_shopify=False` keeps them from being written to
Shopify. How the names were chosen is decision 0003.
"""

from __future__ import annotations

from regulars.language.attributes import RFM_NAMES
from regulars.language.shapes import (
    EQUALITY,
    NULL_TESTS,
    ORDERED,
    Attribute,
    Figure,
    Kind,
    NamedSet,
    Rank,
    Saying,
    Unit,
)

_DAYS = Unit("day", "days", "日")
_NOTES = (
    "Thresholds are those of the day's first instant; orders of the day move them at midnight.",
    "Fifths of the shop's own customers; equal values have equal scores.",
)

_SETS = (
    Attribute(
        "segment",
        Kind.NAME,
        EQUALITY,
        NamedSet("segment"),
        "Member of a segment",
        "セグメントのメンバー",
        "Whether the customer belongs to another segment of this shop, by its name.",
        "別のセグメントに入っているかどうかです。名前で指定します。",
        "segment = 'VIP'",
        in_shopify=False,
        never_missing=True,
        say_en=Saying("is in the segment {value}", "is not in the segment {value}"),
        say_ja=Saying("セグメント{value}に入っている", "セグメント{value}に入っていない"),
        also=("segments", "in_segment", "segment_name"),
    ),
    Attribute(
        "csv_list",
        Kind.NAME,
        EQUALITY,
        NamedSet("csv_list"),
        "On a CSV list",
        "CSVリスト",
        "Whether the customer is on an uploaded list, by its name.",
        "アップロードしたリストに載っているかどうかです。名前で指定します。",
        "csv_list = 'Event guests'",
        in_shopify=False,
        never_missing=True,
        say_en=Saying("is on the list {value}", "is not on the list {value}"),
        say_ja=Saying("リスト{value}に載っている", "リスト{value}に載っていない"),
        also=("list", "csv", "csv_segment"),
    ),
)

_FIGURES = (
    Attribute(
        "average_order_value",
        Kind.MONEY,
        ORDERED | NULL_TESTS,
        Figure("average_order_value"),
        "Average order value",
        "平均注文額",
        "The customer's own mean of counted orders, less refunds.",
        "その顧客の注文1件あたりの平均金額です（返金を引いた額）。",
        "average_order_value >= 8000",
        in_shopify=False,
        past_known=True,
        say_en=Saying(
            "spends {value} per order on average",
            "does not spend {value} per order on average",
            missing="has no order to average",
            present="has an average order value",
        ),
        say_ja=Saying(
            "平均注文額が{value}", missing="平均注文額がない", present="平均注文額がある"
        ),
        also=("aov", "average_order", "avg_order_value"),
    ),
    Attribute(
        "refunded_amount",
        Kind.MONEY,
        ORDERED,
        Figure("refunded_amount"),
        "Refunded amount",
        "返金額",
        "What was refunded of the customer's counted orders, in the shop's currency.",
        "これまでの返金額の合計です（ストアの通貨）。",
        "refunded_amount > 0",
        in_shopify=False,
        past_known=True,
        never_missing=True,
        say_en=Saying("was refunded {value}"),
        say_ja=Saying("返金額が{value}"),
        also=("refunds", "amount_refunded"),
    ),
    Attribute(
        "days_since_last_order",
        Kind.INTEGER,
        ORDERED | NULL_TESTS,
        Figure("days_since_last_order", moves=True),
        "Days since the last order",
        "最終注文からの日数",
        "Whole days of the shop since the last counted order; 0 on the same day.",
        "最後の注文から過ぎた日数です。当日は0です。",
        "days_since_last_order BETWEEN 60 AND 90",
        in_shopify=False,
        past_known=True,
        unit=_DAYS,
        say_en=Saying(
            "last ordered {value} ago",
            "did not place the last order {value} ago",
            missing="has never ordered",
            present="has ordered at least once",
        ),
        say_ja=Saying(
            "最終注文からの日数が{value}",
            missing="注文したことがない",
            present="注文したことがある",
        ),
        also=("recency", "days_since_order"),
    ),
    Attribute(
        "days_since_first_order",
        Kind.INTEGER,
        ORDERED | NULL_TESTS,
        Figure("days_since_first_order", moves=True),
        "Days since the first order",
        "初回注文からの日数",
        "Whole days of the shop since the first counted order; 0 on the same day.",
        "最初の注文から過ぎた日数です。当日は0です。",
        "days_since_first_order >= 365",
        in_shopify=False,
        past_known=True,
        unit=_DAYS,
        say_en=Saying(
            "first ordered {value} ago",
            "did not place the first order {value} ago",
            missing="has never ordered",
            present="has ordered at least once",
        ),
        say_ja=Saying(
            "初回注文からの日数が{value}",
            missing="注文したことがない",
            present="注文したことがある",
        ),
    ),
    Attribute(
        "average_days_between_orders",
        Kind.DECIMAL,
        ORDERED | NULL_TESTS,
        Figure("average_days_between_orders"),
        "Average days between orders",
        "平均購入間隔",
        "The mean number of days between one counted order and the next; needs two orders.",
        "注文から次の注文までの平均日数です。2回以上の注文が必要です。",
        "average_days_between_orders <= 30",
        in_shopify=False,
        past_known=True,
        unit=_DAYS,
        say_en=Saying(
            "orders every {value} on average",
            "does not order every {value} on average",
            missing="has fewer than two orders",
            present="has two orders or more",
        ),
        say_ja=Saying(
            "平均購入間隔が{value}",
            missing="注文が2回未満",
            present="注文が2回以上",
        ),
        also=("purchase_interval", "days_between_orders"),
    ),
)


def _score(
    name: str,
    of: str,
    labels: tuple[str, str],
    meanings: tuple[str, str],
    *,
    says: tuple[str, str],
    also: tuple[str, ...],
) -> Attribute:
    return Attribute(
        name,
        Kind.INTEGER,
        ORDERED | NULL_TESTS,
        Rank(of),
        *labels,
        *meanings,
        f"{name} >= 4",
        in_shopify=False,
        past_known=True,
        notes=_NOTES,
        say_en=Saying(
            f"has {says[0]} of {{value}}",
            f"does not have {says[0]} of {{value}}",
            missing=f"has no {labels[0].lower().replace('rfm', 'RFM')}",
            present=f"has {says[0]}",
        ),
        say_ja=Saying(
            f"{says[1]}が{{value}}", missing=f"{says[1]}がない", present=f"{says[1]}がある"
        ),
        also=also,
    )


_RANKS = (
    Attribute(
        "computed_rfm_group",
        Kind.ENUM,
        EQUALITY,
        Rank("group"),
        "RFM group (computed here)",
        "RFMグループ（このアプリで計算）",
        "The group that the customer's recency, frequency and spend scores make, worked out here"
        " from the orders; known for past days too.",
        "最終購入・頻度・金額のスコアから、注文データをもとにこのアプリで計算するグループです。"
        "過去の日についても分かります。",
        "computed_rfm_group = 'CHAMPIONS'",
        tuple(RFM_NAMES),
        in_shopify=False,
        past_known=True,
        notes=_NOTES,
        never_missing=True,
        say_en=Saying(
            "is in the computed RFM group “{value}”", "is not in the computed RFM group “{value}”"
        ),
        say_ja=Saying("計算したRFMグループが「{value}」", "計算したRFMグループが「{value}」以外"),
        value_names=RFM_NAMES,
        also=("rfm_computed", "own_rfm_group"),
    ),
    _score(
        "rfm_recency_score",
        "recency",
        ("RFM recency score", "RFMの最終購入スコア"),
        (
            "1 to 5: 5 is the fifth of the customers who ordered last.",
            "1〜5です。5は、最近購入した上位5分の1の顧客です。",
        ),
        says=("an RFM recency score", "RFMの最終購入スコア"),
        also=("recency_score", "r_score"),
    ),
    _score(
        "rfm_frequency_score",
        "frequency",
        ("RFM frequency score", "RFMの頻度スコア"),
        (
            "1 to 5: 5 is the fifth of the customers with the most orders.",
            "1〜5です。5は、注文回数の多い上位5分の1の顧客です。",
        ),
        says=("an RFM frequency score", "RFMの頻度スコア"),
        also=("frequency_score", "f_score"),
    ),
    _score(
        "rfm_monetary_score",
        "monetary",
        ("RFM monetary score", "RFMの金額スコア"),
        (
            "1 to 5: 5 is the fifth of the customers who spent the most.",
            "1〜5です。5は、購入金額の多い上位5分の1の顧客です。",
        ),
        says=("an RFM monetary score", "RFMの金額スコア"),
        also=("monetary_score", "m_score", "spend_score"),
    ),
)

EXTENSIONS = (*_SETS, *_FIGURES, *_RANKS)
