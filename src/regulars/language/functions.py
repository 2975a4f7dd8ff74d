"""The rows of the functions: questions about orders, products, emails, visits, credit and distance.

Rows only. Parameters that Shopify does not know stand in the same rows, marked `in_shopify=False`.
"""

from __future__ import annotations

from regulars.language.shapes import (
    CHOICE,
    EQUALITY,
    FUNCTION,
    ORDERED,
    Attribute,
    Distance,
    Events,
    Kind,
    ParameterRow,
    Role,
    Saying,
    StoreCredit,
    Unavailable,
    Unit,
)
from regulars.language.tree import Operator

_PIECES = Unit("piece", "pieces", "個")
_TIMES = Unit("time", "times", "回")
_ORDERS = Unit("order", "orders", "件")
_NTH = Unit("", "", "回目")
_DAYS = Unit("day", "days", "日")
_WITHIN = frozenset({Operator.EQ, Operator.LE, Operator.LT})


def _row(
    name: str,
    kind: Kind,
    column: str,
    say: tuple[str, str],
    meaning: tuple[str, str],
    *,
    role: Role = Role.ROW,
    operators: frozenset[Operator] | None = None,
    unit: Unit | None = None,
    id_of: str = "",
    titled: tuple[str, str] = ("", ""),
    fold: bool = False,
    ours: bool = False,
) -> ParameterRow:
    """Build a parameter; the operators follow from the kind where they are not given."""
    if operators is None:
        operators = {Kind.ID: CHOICE, Kind.TEXT: EQUALITY}.get(kind, ORDERED)
    return ParameterRow(
        name,
        kind,
        role,
        column,
        operators,
        say_en=say[0],
        say_ja=say[1],
        unit=unit,
        id_of=id_of,
        titled_en=titled[0],
        titled_ja=titled[1],
        fold=fold,
        in_shopify=not ours,
        meaning_en=meaning[0],
        meaning_ja=meaning[1],
    )


def _previous(name: str, operator: Operator, means: ParameterRow) -> ParameterRow:
    """Build a name of the previous form that stands for an operator."""
    return ParameterRow(
        name,
        means.kind,
        means.role,
        means.column,
        frozenset({Operator.EQ}),
        previous_only=operator,
        means=means.name,
        meaning_en=f"Previous form only: `{means.name} {operator}`.",
        meaning_ja=f"旧形式のみ: `{means.name} {operator}`。",
    )


def _choices(
    column: str, name: str, say: tuple[str, str], meaning: tuple[str, str]
) -> ParameterRow:
    """Build a text parameter of ours; unlike Shopify's it also takes a list of texts."""
    return _row(name, Kind.TEXT, column, say, meaning, operators=CHOICE, ours=True)


_DATE = _row(
    "date",
    Kind.DAY,
    "processed_at",
    ("{value}", "{value}に"),
    ("The shop's day of the order.", "注文の日です（ストアのタイムゾーン）。"),
)
_NUMBER = _row(
    "number",
    Kind.INTEGER,
    "number",
    ("as order number {value}", "通算{value}の注文で"),
    (
        "Which of the customer's counted orders it is: 1 is the first.",
        "その顧客の何回目の注文かです。1が初回です。",
    ),
    unit=_NTH,
    ours=True,
)
_NUMBER_FROM_LAST = _row(
    "number_from_last",
    Kind.INTEGER,
    "number_from_last",
    ("as order number {value} counted from the last", "最新から数えて{value}の注文で"),
    (
        "Which of the customer's counted orders it is, from the other end: 1 is the last.",
        "最新から数えて何回目の注文かです。1が最新の注文です。",
    ),
    unit=_NTH,
    ours=True,
)

_PRODUCTS = Attribute(
    "products_purchased",
    Kind.FUNCTION,
    FUNCTION,
    Events("lines"),
    "Products purchased",
    "購入した商品",
    "Lines of the customer's counted orders.",
    "注文に含まれる商品についての条件です。",
    "products_purchased MATCHES (tag = 'Tea', date >= -90d)",
    past_known=True,
    parameters=(
        _row(
            "id",
            Kind.ID,
            "product_id",
            ("with product ID {value}", "商品IDが{value}の"),
            ("The number of the product.", "商品のIDです。"),
            id_of="product",
            titled=("named {value}", "{value}の"),
        ),
        _row(
            "tag",
            Kind.TEXT,
            "product_tag_keys",
            ("tagged {value}", "商品タグが{value}の"),
            ("A tag of the product, in any letter case.", "商品に付いたタグです。"),
            fold=True,
        ),
        _row(
            "category",
            Kind.TEXT,
            "category_id",
            ("in category {value}", "カテゴリーが{value}の"),
            (
                "The product's category, by its id in Shopify's taxonomy.",
                "商品のカテゴリーIDです。",
            ),
            id_of="category",
            titled=("in category {value}", "カテゴリーが{value}の"),
        ),
        _DATE,
        _row(
            "quantity",
            Kind.INTEGER,
            "quantity",
            ("{value} at a time", "一度に{value}の"),
            ("Pieces on one line of an order.", "1つの注文明細の数量です。"),
            unit=_PIECES,
        ),
        _row(
            "sum_quantity",
            Kind.INTEGER,
            "quantity",
            ("{value} in total", "合計{value}の"),
            ("Pieces added up over the kept lines.", "条件に合う明細の数量の合計です。"),
            role=Role.SUM,
            unit=_PIECES,
        ),
        _row(
            "count",
            Kind.INTEGER,
            "order_id",
            ("in {value}", "{value}の注文で"),
            ("Orders with a kept line.", "条件に合う明細のある注文の件数です。"),
            role=Role.COUNT,
            unit=_ORDERS,
        ),
        _row(
            "variant_id",
            Kind.ID,
            "variant_id",
            ("with variant ID {value}", "バリエーションIDが{value}の"),
            ("The number of the variant.", "バリエーションのIDです。"),
            ours=True,
        ),
        _choices(
            "product_type",
            "product_type",
            ("of the type {value}", "商品タイプが{value}の"),
            ("The product's type.", "商品タイプです。"),
        ),
        _choices(
            "vendor",
            "vendor",
            ("by the vendor {value}", "販売元が{value}の"),
            ("The product's vendor.", "商品の販売元です。"),
        ),
        _row(
            "collection_id",
            Kind.ID,
            "collection_ids",
            ("in collection {value}", "コレクションIDが{value}の"),
            (
                "A collection that holds the product now.",
                "現在その商品が入っているコレクションです。",
            ),
            id_of="collection",
            titled=("in collection {value}", "コレクション{value}の"),
            ours=True,
        ),
        _row(
            "amount",
            Kind.MONEY,
            "amount",
            ("for {value}", "明細金額が{value}の"),
            ("The line's total after discounts.", "明細の金額です（割引後）。"),
            ours=True,
        ),
        _row(
            "sum_amount",
            Kind.MONEY,
            "amount",
            ("for {value} in total", "合計金額{value}で"),
            ("Line totals added up over the kept lines.", "条件に合う明細の金額の合計です。"),
            role=Role.SUM,
            ours=True,
        ),
        _NUMBER,
        _NUMBER_FROM_LAST,
    ),
    say_en=Saying(
        "bought a product", "did not buy a product", "never bought a product", "bought a product"
    ),
    say_ja=Saying(
        "商品を購入した", "商品を購入していない", "商品を購入したことがない", "商品を購入した"
    ),
    also=("products_bought", "product_purchased", "purchased", "product_id"),
)

_ORDER_COUNT = _row(
    "count",
    Kind.INTEGER,
    "order_id",
    ("{value}", "{value}"),
    ("How many orders are kept.", "条件に合う注文の件数です。"),
    role=Role.COUNT,
    unit=_TIMES,
)
_PLACED = Attribute(
    "orders_placed",
    Kind.FUNCTION,
    FUNCTION,
    Events("orders"),
    "Orders placed",
    "注文",
    "The customer's counted orders.",
    "注文についての条件です（テスト注文とキャンセル済みの注文は数えません）。",
    "orders_placed MATCHES (date >= -90d, count >= 2)",
    past_known=True,
    parameters=(
        _DATE,
        _row(
            "app_id",
            Kind.ID,
            "app_id",
            ("through app {value}", "アプリID {value} 経由で"),
            (
                "The app that took the order; point of sale is 129785.",
                "注文を受けたアプリです。POSは129785です。",
            ),
        ),
        _row(
            "location_id",
            Kind.ID,
            "location_id",
            ("at location {value}", "ロケーションID {value} で"),
            ("The location where the order was placed.", "注文を受けたロケーションです。"),
        ),
        _row(
            "amount",
            Kind.MONEY,
            "net_amount",
            ("of {value}", "1件{value}の"),
            ("The order's total less its refunds.", "注文の金額から返金を引いた額です。"),
        ),
        _row(
            "sum_amount",
            Kind.MONEY,
            "net_amount",
            ("for {value} in total", "合計{value}の"),
            (
                "Order totals less refunds, added up over the kept orders.",
                "条件に合う注文の合計金額です。",
            ),
            role=Role.SUM,
        ),
        _ORDER_COUNT,
        _row(
            "tag",
            Kind.TEXT,
            "tag_keys",
            ("with the order tag {value}", "注文タグが{value}の"),
            ("A tag of the order, in any letter case.", "注文に付いたタグです。"),
            operators=CHOICE,
            fold=True,
            ours=True,
        ),
        _row(
            "discount_code",
            Kind.TEXT,
            "discount_code_keys",
            ("with the discount code {value}", "クーポンコード{value}を使って"),
            (
                "A discount code used in the order, in any letter case.",
                "注文に使われたクーポンコードです。",
            ),
            operators=CHOICE,
            fold=True,
            ours=True,
        ),
        _choices(
            "source_name",
            "source",
            ("from the source {value}", "販売経路が{value}の"),
            (
                "Where the order was made: 'web', 'pos' ...",
                "注文の販売経路です（'web'、'pos' など）。",
            ),
        ),
        _choices(
            "referrer",
            "referrer",
            ("referred by {value}", "参照元が{value}の"),
            ("The page that led to the shop.", "ストアに来る前のページです。"),
        ),
        _choices(
            "utm_source",
            "utm_source",
            ("with the UTM source {value}", "UTMソースが{value}の"),
            ("The UTM source of the visit.", "訪問のUTMソースです。"),
        ),
        _choices(
            "utm_medium",
            "utm_medium",
            ("with the UTM medium {value}", "UTMメディアが{value}の"),
            ("The UTM medium of the visit.", "訪問のUTMメディアです。"),
        ),
        _choices(
            "utm_campaign",
            "utm_campaign",
            ("with the UTM campaign {value}", "UTMキャンペーンが{value}の"),
            ("The UTM campaign of the visit.", "訪問のUTMキャンペーンです。"),
        ),
        _NUMBER,
        _NUMBER_FROM_LAST,
        _row(
            "refunded_amount",
            Kind.MONEY,
            "refunded_amount",
            ("with refunds of {value}", "返金額が{value}の"),
            ("What was refunded of the order.", "その注文の返金額です。"),
            ours=True,
        ),
        _row(
            "days_since_previous",
            Kind.INTEGER,
            "days_since_previous",
            ("{value} after the order before", "前回の注文から{value}で"),
            (
                "Days between the order and the counted order before it; the first order has none.",
                "1つ前の注文からの日数です。初回の注文にはありません。",
            ),
            unit=_DAYS,
            ours=True,
        ),
        _previous("since", Operator.GE, _DATE),
        _previous("until", Operator.LE, _DATE),
    ),
    say_en=Saying(
        "placed an order", "did not place an order", "never placed an order", "placed an order"
    ),
    say_ja=Saying("注文をした", "注文をしていない", "注文をしたことがない", "注文をした"),
    also=("order_placed", "orders", "order"),
)


_EMAIL_REASON = (
    "`shopify_email` cannot be used here: Shopify does not give apps the events of its emails."
    " Use this rule in Shopify's own segments."
)
_VISIT_REASON = (
    "`storefront` cannot be used here: Shopify does not give apps the visits of its storefront."
    " Use this rule in Shopify's own segments."
)


def _email(event: str, en: str, ja: str) -> Attribute:
    name = f"shopify_email.{event}"
    count = _ORDER_COUNT
    return Attribute(
        name,
        Kind.FUNCTION,
        FUNCTION,
        Unavailable(_EMAIL_REASON),
        f"Email: {event.replace('_', ' ')}",
        f"メール: {ja}",
        f"Customers who {en} through Shopify Email, within 26 months.",
        f"Shopify Emailの「{ja}」です（26か月以内）。",
        f"{name} MATCHES (date >= -30d)",
        parameters=(
            _row(
                "activity_id",
                Kind.ID,
                "activity_id",
                ("of activity {value}", "アクティビティIDが{value}の"),
                ("The number of the email activity.", "メールのアクティビティIDです。"),
            ),
            _DATE,
            count,
            _previous("count_at_least", Operator.GE, count),
        ),
        say_en=Saying(en, f"never {en}", f"never {en}", en),
        say_ja=Saying(f"{ja}がある", f"{ja}がない", f"{ja}がない", f"{ja}がある"),
    )


def _visit(what: str, en: str, ja: str) -> Attribute:
    name = f"storefront.{what}_viewed"
    return Attribute(
        name,
        Kind.FUNCTION,
        FUNCTION,
        Unavailable(_VISIT_REASON),
        f"Storefront: {what} viewed",
        f"ストア: {ja}",
        f"Customers who {en} in the storefront, within 26 months.",
        f"ストアでの「{ja}」です（26か月以内）。",
        f"{name} MATCHES (date >= -30d)",
        parameters=(
            _row(
                "id",
                Kind.ID,
                "id",
                ("with ID {value}", "IDが{value}の"),
                (f"The number of the {what}.", "商品またはコレクションのIDです。"),
            ),
            _DATE,
            _ORDER_COUNT,
            _row(
                "tag",
                Kind.TEXT,
                "tag",
                ("tagged {value}", "タグが{value}の"),
                (f"A tag of the {what}.", "商品またはコレクションのタグです。"),
                fold=True,
            ),
        ),
        say_en=Saying(en, f"never {en}", f"never {en}", en),
        say_ja=Saying(f"{ja}がある", f"{ja}がない", f"{ja}がない", f"{ja}がある"),
    )


_CREDIT = Attribute(
    "store_credit_accounts",
    Kind.FUNCTION,
    FUNCTION,
    StoreCredit(),
    "Store credit",
    "ストアクレジット",
    "The customer's store credit accounts.",
    "ストアクレジットの残高についての条件です。",
    "store_credit_accounts MATCHES (balance > 0)",
    parameters=(
        _row(
            "balance",
            Kind.DECIMAL,
            "balance",
            ("with a balance of {value}", "残高が{value}の"),
            ("The balance, in the account's own currency.", "残高です（口座の通貨）。"),
        ),
        _row(
            "currency",
            Kind.TEXT,
            "currency",
            ("in {value}", "通貨が{value}の"),
            ("The account's currency, as three letters: 'JPY'.", "口座の通貨です（'JPY'）。"),
        ),
        _row(
            "next_expiry_date",
            Kind.DAY,
            "next_expiry_at",
            ("next expiring {value}", "次の失効日が{value}の"),
            ("The day on which credit next expires.", "次にクレジットが失効する日です。"),
        ),
        _row(
            "last_credit_date",
            Kind.DAY,
            "last_credit_at",
            ("last credited {value}", "最終付与日が{value}の"),
            ("The day of the last credit.", "最後にクレジットが付与された日です。"),
        ),
    ),
    say_en=Saying(
        "has store credit", "has no store credit", "has no store credit", "has store credit"
    ),
    say_ja=Saying(
        "ストアクレジットがある",
        "ストアクレジットがない",
        "ストアクレジットがない",
        "ストアクレジットがある",
    ),
    also=("store_credit", "store_credits"),
)


def _distance_row(unit: str, words: tuple[str, str]) -> ParameterRow:
    return _row(
        f"distance_{unit}",
        Kind.DECIMAL,
        f"distance_{unit}",
        ("within {value} " + unit, "半径{value}" + unit + "以内に"),
        words,
        role=Role.OPTION,
        operators=_WITHIN,
    )


_DISTANCE = Attribute(
    "customer_within_distance",
    Kind.FUNCTION,
    FUNCTION - {Operator.IS_NULL, Operator.IS_NOT_NULL},
    Distance(),
    "Distance",
    "距離",
    "How far the customer's addresses are from a point; addresses without coordinates never match.",
    "ある地点から住所までの距離です。座標のない住所は当てはまりません。",
    "customer_within_distance MATCHES (coordinates = (35.6812, 139.7671), distance_km = 10)",
    parameters=(
        _row(
            "coordinates",
            Kind.POINT,
            "coordinates",
            ("of {value}", "地点{value}から"),
            ("Latitude and longitude in degrees.", "緯度と経度です（度）。"),
            role=Role.OPTION,
            operators=frozenset({Operator.EQ}),
        ),
        _distance_row(
            "km", ("The largest distance in kilometres.", "最大の距離です（キロメートル）。")
        ),
        _distance_row("mi", ("The largest distance in miles.", "最大の距離です（マイル）。")),
    ),
    say_en=Saying("has an address", "has no address"),
    say_ja=Saying("住所がある", "住所がない"),
    also=("distance", "within_distance"),
)

FUNCTIONS = (
    _PRODUCTS,
    _PLACED,
    _email("bounced", "had an email bounce", "メールの不達"),
    _email("clicked", "clicked a link in an email", "メール内リンクのクリック"),
    _email("delivered", "had an email delivered", "メールの配信"),
    _email("marked_as_spam", "marked an email as spam", "メールの迷惑メール報告"),
    _email("opened", "opened an email", "メールの開封"),
    _email("unsubscribed", "unsubscribed through an email", "メールからの購読解除"),
    _visit("product", "viewed a product", "商品の閲覧"),
    _visit("collection", "viewed a collection", "コレクションの閲覧"),
    _CREDIT,
    _DISTANCE,
)
