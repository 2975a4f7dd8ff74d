"""The rows of Shopify's attributes: one value of the customer, or a list of values, compared.

Rows only; what the parts of a row mean is in `shapes`. Functions are in `functions`, names that
Shopify does not know in `extensions`.
"""

from __future__ import annotations

from regulars.language.shapes import (
    CONTAINMENT,
    EQUALITY,
    NULL_TESTS,
    ORDERED,
    Annual,
    Attribute,
    Kind,
    Labels,
    Metafield,
    Saying,
    Unavailable,
    Unit,
    Value,
)
from regulars.language.tree import Operator

ORDERS = Unit("order", "orders", "回")

_STATUS_NAMES = {
    "SUBSCRIBED": ("subscribed", "購読中"),
    "NOT_SUBSCRIBED": ("not subscribed", "未購読"),
    "PENDING": ("waiting for confirmation", "確認待ち"),
    "INVALID": ("invalid", "無効"),
    "UNSUBSCRIBED": ("unsubscribed", "購読解除"),
    "REDACTED": ("erased", "消去済み"),
}
_ACCOUNT_NAMES = {
    "DECLINED": ("declined", "辞退"),
    "DISABLED": ("disabled", "無効"),
    "ENABLED": ("enabled", "有効"),
    "INVITED": ("invited", "招待済み"),
}
_TIER_NAMES = {"HIGH": ("high", "高"), "MEDIUM": ("medium", "中"), "LOW": ("low", "低")}
_SUBSCRIPTION_NAMES = {
    "SUBSCRIBED": ("active", "契約中"),
    "CANCELED": ("cancelled", "解約済み"),
    "EXPIRED": ("expired", "期限切れ"),
    "FAILED": ("failed", "失敗"),
    "NEVER_SUBSCRIBED": ("never subscribed", "契約なし"),
    "PAUSED": ("paused", "一時停止中"),
}
RFM_NAMES = {
    "ACTIVE": ("Active", "アクティブ"),
    "ALMOST_LOST": ("Almost lost", "離脱寸前"),
    "AT_RISK": ("At risk", "離脱の恐れ"),
    "CHAMPIONS": ("Champions", "最優良"),
    "DORMANT": ("Dormant", "休眠"),
    "LOYAL": ("Loyal", "ロイヤル"),
    "NEEDS_ATTENTION": ("Needs attention", "要注意"),
    "NEW": ("New", "新規"),
    "PREVIOUSLY_LOYAL": ("Previously loyal", "元ロイヤル"),
    "PROMISING": ("Promising", "有望"),
    "PROSPECTS": ("Prospects", "見込み"),
}

_DAYS = (
    Attribute(
        "abandoned_checkout_date",
        Kind.DAY,
        ORDERED | NULL_TESTS,
        Unavailable(
            "`abandoned_checkout_date` cannot be used here: Shopify gives apps no such field for a"
            " customer, and its list of abandoned checkouts counts differently. Use this rule in"
            " Shopify's own segments."
        ),
        "Last abandoned checkout",
        "最後のカゴ落ち日",
        "The day of the customer's last abandoned checkout.",
        "最後に購入手続きを中断した日です。",
        "abandoned_checkout_date >= -30d",
        say_en=Saying(
            "last abandoned a checkout {value}",
            "did not last abandon a checkout {value}",
            missing="never abandoned a checkout",
            present="has abandoned a checkout",
        ),
        say_ja=Saying(
            "最後のカゴ落ちが{value}",
            "最後のカゴ落ちが{value}ではない",
            missing="カゴ落ちがない",
            present="カゴ落ちがある",
        ),
        also=("checkout_date", "abandoned_date"),
    ),
    Attribute(
        "customer_added_date",
        Kind.DAY,
        ORDERED | NULL_TESTS,
        Value("added_at"),
        "Customer added",
        "顧客登録日",
        "The day on which the customer was added to the shop.",
        "顧客がストアに登録された日です。",
        "customer_added_date > -30d",
        past_known=True,
        say_en=Saying(
            "was added as a customer {value}",
            "was not added as a customer {value}",
            missing="has no day of being added",
            present="has a day of being added",
        ),
        say_ja=Saying(
            "顧客登録日が{value}",
            "顧客登録日が{value}ではない",
            missing="顧客登録日がない",
            present="顧客登録日がある",
        ),
        also=("created_at", "customer_since", "added_date", "signup_date"),
    ),
    Attribute(
        "first_order_date",
        Kind.DAY,
        ORDERED | NULL_TESTS,
        Value("first_order_at", rollup=True),
        "First order",
        "初回注文日",
        "The day of the customer's first counted order.",
        "最初の注文の日です（テスト注文とキャンセル済みの注文は数えません）。",
        "first_order_date >= 2026-01-01",
        past_known=True,
        say_en=Saying(
            "first ordered {value}",
            "did not place the first order {value}",
            missing="has never ordered",
            present="has ordered at least once",
        ),
        say_ja=Saying(
            "初回注文日が{value}",
            "初回注文日が{value}ではない",
            missing="注文したことがない",
            present="注文したことがある",
        ),
    ),
    Attribute(
        "last_order_date",
        Kind.DAY,
        ORDERED | NULL_TESTS,
        Value("last_order_at", rollup=True),
        "Last order",
        "最終注文日",
        "The day of the customer's last counted order.",
        "最後の注文の日です（テスト注文とキャンセル済みの注文は数えません）。",
        "last_order_date < -90d",
        past_known=True,
        say_en=Saying(
            "last ordered {value}",
            "did not place the last order {value}",
            missing="has never ordered",
            present="has ordered at least once",
        ),
        say_ja=Saying(
            "最終注文日が{value}",
            "最終注文日が{value}ではない",
            missing="注文したことがない",
            present="注文したことがある",
        ),
        also=("order_date", "last_purchase_date", "last_order"),
    ),
)

_NUMBERS = (
    Attribute(
        "amount_spent",
        Kind.MONEY,
        ORDERED,
        Value("spent_amount", rollup=True),
        "Amount spent",
        "購入金額",
        "The sum of the customer's counted orders, less refunds, in the shop's currency.",
        "注文金額の合計から返金を引いた額です（ストアの通貨）。",
        "amount_spent >= 30000",
        past_known=True,
        never_missing=True,
        say_en=Saying("spent {value}"),
        say_ja=Saying("購入金額が{value}"),
        also=("total_spent", "spent", "lifetime_value", "ltv", "total_amount", "revenue"),
    ),
    Attribute(
        "number_of_orders",
        Kind.INTEGER,
        ORDERED,
        Value("order_count", rollup=True),
        "Number of orders",
        "注文回数",
        "How many counted orders the customer has placed.",
        "注文の回数です（テスト注文とキャンセル済みの注文は数えません）。",
        "number_of_orders >= 3",
        past_known=True,
        never_missing=True,
        say_en=Saying("placed {value}"),
        say_ja=Saying("注文回数が{value}"),
        unit=ORDERS,
        also=("orders_count", "order_count", "orders", "total_orders", "orders_number"),
    ),
    Attribute(
        "created_by_app_id",
        Kind.ID,
        EQUALITY,
        Unavailable(
            "`created_by_app_id` cannot be used here: Shopify does not tell apps which app created"
            " a customer. Use this rule in Shopify's own segments."
        ),
        "Created by app",
        "作成したアプリ",
        "The app that created the customer.",
        "顧客を作成したアプリです。",
        "created_by_app_id = 129785",
        say_en=Saying("was created by app {value}"),
        say_ja=Saying("作成したアプリのIDが{value}"),
    ),
)


def _choice(
    name: str,
    labels: tuple[str, str],
    meanings: tuple[str, str],
    names: dict[str, tuple[str, str]],
    *,
    say_en: Saying,
    say_ja: Saying,
    column: str | None = None,
    also: tuple[str, ...] = (),
    special: dict[str, tuple[str, str]] | None = None,
) -> Attribute:
    return Attribute(
        name,
        Kind.ENUM,
        EQUALITY,
        Value(column or name),
        *labels,
        *meanings,
        f"{name} = '{next(iter(names))}'",
        tuple(names),
        say_en=say_en,
        say_ja=say_ja,
        value_names=names,
        also=also,
        special=special or {},
    )


_CHOICES = (
    _choice(
        "customer_account_status",
        ("Account status", "アカウントの状態"),
        ("The state of the customer's account in the shop.", "ストアのアカウントの状態です。"),
        _ACCOUNT_NAMES,
        say_en=Saying("has an account that is {value}", "has no account that is {value}"),
        say_ja=Saying("アカウントが「{value}」", "アカウントが「{value}」以外"),
        column="account_status",
        also=("account_status",),
    ),
    _choice(
        "email_subscription_status",
        ("Email subscription", "メール購読"),
        ("Whether the customer takes marketing emails.", "マーケティングメールの購読状況です。"),
        _STATUS_NAMES,
        say_en=Saying("has the email status “{value}”", "does not have the email status “{value}”"),
        say_ja=Saying("メール購読が「{value}」", "メール購読が「{value}」以外"),
        special={
            "= SUBSCRIBED": ("is subscribed to marketing emails", "メールを購読している"),
            "!= SUBSCRIBED": ("is not subscribed to marketing emails", "メールを購読していない"),
        },
        also=(
            "accepts_marketing",
            "email_marketing",
            "newsletter",
            "customer_email_subscription_status",
        ),
    ),
    _choice(
        "sms_subscription_status",
        ("SMS subscription", "SMS購読"),
        ("Whether the customer takes marketing texts.", "マーケティングSMSの購読状況です。"),
        {name: words for name, words in _STATUS_NAMES.items() if name != "INVALID"},
        say_en=Saying("has the SMS status “{value}”", "does not have the SMS status “{value}”"),
        say_ja=Saying("SMS購読が「{value}」", "SMS購読が「{value}」以外"),
        special={
            "= SUBSCRIBED": ("is subscribed to marketing texts", "SMSを購読している"),
            "!= SUBSCRIBED": ("is not subscribed to marketing texts", "SMSを購読していない"),
        },
        also=("accepts_sms", "sms_marketing"),
    ),
    _choice(
        "predicted_spend_tier",
        ("Predicted spend tier", "予測購入額ランク"),
        (
            "Shopify's own prediction of future spend; empty in shops with few sales.",
            "Shopifyが予測する今後の購入額のランクです。販売の少ないストアでは空です。",
        ),
        _TIER_NAMES,
        say_en=Saying(
            "has a {value} predicted spend", "has a predicted spend that is missing or not {value}"
        ),
        say_ja=Saying("予測購入額ランクが「{value}」", "予測購入額ランクが「{value}」以外"),
        also=("predictive_spend_tier",),
    ),
    _choice(
        "product_subscription_status",
        ("Product subscription", "定期購入"),
        ("The state of the customer's product subscriptions.", "商品の定期購入の状況です。"),
        _SUBSCRIPTION_NAMES,
        say_en=Saying(
            "has a product subscription status of “{value}”",
            "has a product subscription status other than “{value}”",
        ),
        say_ja=Saying("定期購入が「{value}」", "定期購入が「{value}」以外"),
    ),
    _choice(
        "rfm_group",
        ("RFM group (Shopify's)", "RFMグループ（Shopify）"),
        (
            "The group that Shopify computes from recency, frequency and spend.",
            "最終購入・頻度・金額からShopifyが計算するグループです。",
        ),
        RFM_NAMES,
        say_en=Saying("is in the RFM group “{value}”", "is not in the RFM group “{value}”"),
        say_ja=Saying("RFMグループが「{value}」", "RFMグループが「{value}」以外"),
        also=("rfm", "rfm_segment"),
    ),
)

_TEXTS = (
    Attribute(
        "customer_email_domain",
        Kind.TEXT,
        EQUALITY,
        Value("email_domain"),
        "Email domain",
        "メールのドメイン",
        "What follows the @ in the customer's email address.",
        "メールアドレスの@より後ろの部分です。",
        "customer_email_domain = 'gmail.com'",
        say_en=Saying("has an email address at {value}", "has no email address at {value}"),
        say_ja=Saying("メールのドメインが{value}", "メールのドメインが{value}以外"),
        also=("email", "email_domain", "customer_email"),
    ),
    Attribute(
        "customer_language",
        Kind.TEXT,
        EQUALITY,
        Value("language"),
        "Language",
        "言語",
        "The customer's language, such as 'ja', 'en' or 'en-US'.",
        "顧客の言語です（'ja'、'en'、'en-US' など）。",
        "customer_language = 'ja'",
        say_en=Saying("has the language {value}", "does not have the language {value}"),
        say_ja=Saying("言語が{value}", "言語が{value}以外"),
        also=("language", "locale"),
    ),
)

_LISTS = (
    Attribute(
        "customer_tags",
        Kind.TEXT_LIST,
        CONTAINMENT | NULL_TESTS,
        Labels("customer_tags", "tag_key"),
        "Customer tags",
        "顧客タグ",
        "The customer's tags in Shopify, in any letter case.",
        "Shopifyの顧客タグです（大文字と小文字は区別しません）。",
        "customer_tags CONTAINS 'vip'",
        say_en=Saying(
            "has the tag {value}", "does not have the tag {value}", "has no tags", "has a tag"
        ),
        say_ja=Saying(
            "タグ{value}が付いている",
            "タグ{value}が付いていない",
            "タグが1つも付いていない",
            "タグが付いている",
        ),
        also=("tags", "tag", "customer_tag"),
    ),
    Attribute(
        "customer_countries",
        Kind.TEXT_LIST,
        CONTAINMENT | NULL_TESTS,
        Labels("addresses", "country_code"),
        "Countries",
        "国",
        "Countries of the customer's addresses, as two letters: 'JP'.",
        "住所の国です。2文字のコードで書きます（'JP'）。",
        "customer_countries CONTAINS 'JP'",
        say_en=Saying(
            "has an address in {value}",
            "has no address in {value}",
            "has no address with a country",
            "has an address with a country",
        ),
        say_ja=Saying(
            "{value}の住所がある",
            "{value}の住所がない",
            "国の分かる住所がない",
            "国の分かる住所がある",
        ),
        value_word=("the country ", "国"),
        also=("country", "countries", "customer_country"),
    ),
    Attribute(
        "customer_regions",
        Kind.TEXT_LIST,
        CONTAINMENT | NULL_TESTS,
        Labels("addresses", "region_code"),
        "Regions",
        "都道府県・州",
        "Regions of the customer's addresses, as country and region: 'JP-13', 'US-CA'.",
        "住所の都道府県や州です。国と地域のコードで書きます（'JP-13'、'US-CA'）。",
        "customer_regions CONTAINS 'JP-13'",
        say_en=Saying(
            "has an address in {value}",
            "has no address in {value}",
            "has no address with a region",
            "has an address with a region",
        ),
        say_ja=Saying(
            "{value}の住所がある",
            "{value}の住所がない",
            "地域の分かる住所がない",
            "地域の分かる住所がある",
        ),
        value_word=("the region ", "地域"),
        also=("region", "province", "state", "prefecture", "customer_region"),
    ),
    Attribute(
        "customer_cities",
        Kind.TEXT_LIST,
        CONTAINMENT | NULL_TESTS,
        Labels("addresses", "city_key"),
        "Cities",
        "市区町村",
        "Cities of the customer's addresses, as country, region and name without spaces:"
        " 'US-NY-NewYorkCity'.",
        "住所の市区町村です。国・地域・空白を除いた名前で書きます（'US-NY-NewYorkCity'）。",
        "customer_cities CONTAINS 'US-CA-LosAngeles'",
        say_en=Saying(
            "has an address in {value}",
            "has no address in {value}",
            "has no address with a city",
            "has an address with a city",
        ),
        say_ja=Saying(
            "{value}の住所がある",
            "{value}の住所がない",
            "市区町村の分かる住所がない",
            "市区町村の分かる住所がある",
        ),
        value_word=("the city ", "市区町村"),
        also=("city", "cities", "customer_city"),
    ),
    Attribute(
        "companies",
        Kind.ID_LIST,
        frozenset({Operator.CONTAINS}) | NULL_TESTS,
        Labels("customer_companies", "company_id", fold=False),
        "Companies",
        "会社",
        "The companies (B2B) whose contact the customer is.",
        "顧客が担当者になっている会社（B2B）です。",
        "companies CONTAINS 123456",
        say_en=Saying(
            "is a contact of company {value}",
            missing="is no contact of a company",
            present="is a contact of a company",
        ),
        say_ja=Saying(
            "会社{value}の担当者である",
            missing="会社の担当者ではない",
            present="会社の担当者である",
        ),
        also=("company", "company_id"),
    ),
)

_METAFIELDS = (
    Attribute(
        "metafields",
        Kind.METAFIELD,
        ORDERED | CONTAINMENT | NULL_TESTS,
        Metafield(),
        "Metafield",
        "メタフィールド",
        "A metafield of the customer, named by namespace and key.",
        "顧客のメタフィールドです。ネームスペースとキーで指定します。",
        "metafields.facts.favourite = 'tea'",
        say_en=Saying(
            "has {value} in the metafield {key}",
            "does not have {value} in the metafield {key}",
            "has nothing in the metafield {key}",
            "has something in the metafield {key}",
        ),
        say_ja=Saying(
            "メタフィールド{key}が{value}",
            "メタフィールド{key}が{value}以外",
            "メタフィールド{key}が空",
            "メタフィールド{key}に値がある",
        ),
    ),
    Attribute(
        "anniversary",
        Kind.ANNIVERSARY,
        EQUALITY | NULL_TESTS | {Operator.BETWEEN},
        Annual(),
        "Anniversary",
        "記念日",
        "A date metafield that comes round every year, such as a birthday; the year is left out.",
        "誕生日など、毎年めぐってくる日付のメタフィールドです。年は比べません。",
        "anniversary('metafields.facts.birth_date') BETWEEN today AND +7d",
        notes=(
            "29 February counts as 28 February in a common year.",
            "A range that crosses new year wraps.",
        ),
        say_en=Saying(
            "has the anniversary {key} {value}",
            "does not have the anniversary {key} {value}",
            missing="has no anniversary {key}",
            present="has an anniversary {key}",
        ),
        say_ja=Saying(
            "記念日{key}が{value}",
            "記念日{key}が{value}ではない",
            missing="記念日{key}がない",
            present="記念日{key}がある",
        ),
        also=("birthday", "birth_date"),
    ),
)

ATTRIBUTES = (*_DAYS, *_NUMBERS, *_CHOICES, *_TEXTS, *_LISTS, *_METAFIELDS)
