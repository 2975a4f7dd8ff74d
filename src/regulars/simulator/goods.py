"""What the generated shop sells: tea, coffee, sweets and things for the table, all made up."""

from __future__ import annotations

import random

from regulars.simulator.models import Collection, Product, Variant

#: type, category number and name in the product taxonomy, nouns, lowest and highest price in yen
KINDS: tuple[tuple[str, tuple[str, str], tuple[str, ...], int, int], ...] = (
    (
        "Tea",
        ("fb-1-14", "Food, Beverages & Tobacco > Beverages > Tea & Infusions"),
        ("Sencha", "Hojicha", "Genmaicha", "Gyokuro", "Oolong", "Earl Grey"),
        900,
        4200,
    ),
    (
        "Coffee",
        ("fb-1-3", "Food, Beverages & Tobacco > Beverages > Coffee"),
        ("House Blend", "Dark Roast", "Light Roast", "Decaf", "Drip Bags"),
        1200,
        3800,
    ),
    (
        "Sweets",
        ("fb-2-4", "Food, Beverages & Tobacco > Food Items > Candy & Chocolate"),
        ("Yokan", "Caramels", "Rice Crackers", "Castella", "Chocolate Bar"),
        600,
        3200,
    ),
    (
        "Tableware",
        ("hg-11-10", "Home & Garden > Kitchen & Dining > Tableware"),
        ("Cup", "Bowl", "Plate", "Teapot", "Tray", "Saucer"),
        1800,
        12800,
    ),
    (
        "Kitchen",
        ("hg-11-8", "Home & Garden > Kitchen & Dining > Kitchen Tools & Utensils"),
        ("Whisk", "Kettle", "Dripper", "Grater", "Canister", "Linen Towel"),
        1200,
        16800,
    ),
    (
        "Gift",
        ("gc", "Gift Cards"),
        ("Gift Box", "Gift Set", "Sampler"),
        3000,
        15000,
    ),
)
LOOKS = (
    "Morning", "Harbour", "Autumn", "Spring", "Snow", "Pine", "Willow", "Lantern", "River", "Cloud",
    "Amber", "Indigo", "Little", "Grand", "Festival", "Quiet", "Moonlight", "Field",
)  # fmt: skip
VENDORS = (
    "Kumo Works", "Minato Tea", "North Field", "Akari", "Stone & Reed", "Tsubame", "Old Mill",
    "Seven Steps", "Hoshi Ceramics", "Blue Kettle",
)  # fmt: skip
LABELS = ("new", "gift", "limited", "bestseller", "organic", "handmade", "summer", "winter", "sale")
SIZES = (("Small", 0.7), ("Regular", 1.0), ("Large", 1.6))


def make_goods(
    chance: random.Random, count: int, since: int, scale: float
) -> tuple[list[Product], list[Collection]]:
    """Return products and their collections; `scale` turns yen into the shop's minor units."""
    titles = [kind[0] for kind in KINDS] + ["New Arrivals", "Gifts", "Limited", "Sale"]
    collections = [
        Collection(5_100_000_000_001 + n, title, title.lower().replace(" ", "-"))
        for n, title in enumerate(titles)
    ]
    named = {collection.title: collection for collection in collections}
    by_label = {
        "new": named["New Arrivals"],
        "gift": named["Gifts"],
        "limited": named["Limited"],
        "sale": named["Sale"],
    }
    products: list[Product] = []
    for number in range(count):
        product = make_product(chance, number, since, scale)
        inside = [named[product.product_type]]
        inside += [by_label[tag] for tag in product.tags if tag in by_label]
        product.collections = tuple(inside)
        products.append(product)
    return products, collections


def make_product(chance: random.Random, number: int, since: int, scale: float) -> Product:
    """Return one product with one to three variants."""
    kind, category, nouns, low, high = chance.choice(KINDS)
    title = f"{chance.choice(LOOKS)} {chance.choice(nouns)} No. {number + 1}"
    # Most goods stand at the lower end of their kind's prices.
    yen = low + (high - low) * chance.random() ** 2
    product_id = 5_000_000_000_001 + number
    sizes = SIZES if chance.random() < 0.3 else (("Default Title", 1.0),)
    return Product(
        id=product_id,
        title=title,
        handle=title.lower().replace(" ", "-").replace(".", ""),
        vendor=chance.choice(VENDORS),
        product_type=kind,
        category=category,
        created=since,
        updated=since + number,
        tags=tuple(sorted(chance.sample(LABELS, chance.choice((0, 1, 1, 2, 3))))),
        variants=tuple(
            Variant(
                5_500_000_000_001 + number * 3 + n,
                size,
                f"{kind[:2].upper()}-{number + 1:04d}-{n + 1}",
                max(1, round(yen * factor / 10) * round(10 * scale)),
            )
            for n, (size, factor) in enumerate(sizes)
        ),
    )
