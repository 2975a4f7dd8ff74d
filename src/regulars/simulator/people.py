"""The generated customers: names, addresses, consent, tags, metafields, store credit."""

from __future__ import annotations

import random
from datetime import date, timedelta
from itertools import count

import numpy as np
from numpy.typing import NDArray

from regulars.simulator import names
from regulars.simulator.models import (
    Address,
    Company,
    Consent,
    Credit,
    CreditAccount,
    Customer,
    Metafield,
)
from regulars.simulator.places import ABROAD, JAPAN, Place
from regulars.simulator.shop import Shop

DAY = 86_400
#: Of a hundred customers.
ABROAD_SHARE = 0.15
TAG_MEAN = 1.6
TAG_COUNT = 100
TAG_WORDS = (
    "newsletter", "vip", "wholesale", "repeat", "gift-buyer", "tea", "coffee", "member", "event",
    "sample", "birthday", "survey", "referral", "loyalty-gold", "loyalty-silver", "press",
)  # fmt: skip
LANGUAGES_ABROAD = {"TW": "zh-TW", "HK": "zh-TW", "KR": "ko", "FR": "fr", "DE": "de"}
DOMAINS = ("example.com", "example.net", "example.org", "mail.example", "post.example")


class People:
    """Makes the customers of one generation."""

    def __init__(
        self,
        shop: Shop,
        chance: random.Random,
        draw: np.random.Generator,
        created: NDArray[np.int64],
    ) -> None:
        self.shop, self.chance, self.draw, self.created = shop, chance, draw, created
        self.families = names.family_names()
        self.given_abroad = names.foreign_given_names()
        self.last_abroad = names.foreign_last_names()
        self.ids = count(6_950_000_000_001)
        self.japan = np.cumsum([place.weight for place in JAPAN]).tolist()
        self.abroad = np.cumsum([place.weight for place in ABROAD]).tolist()
        people = max(1, len(created) // 200)
        self.companies = [
            Company(4_500_000_001 + n, f"{chance.choice(self.last_abroad)} Trading")
            for n in range(people)
        ]

    def tags(self) -> list[tuple[str, ...]]:
        """Return the tags of each customer: few tags are common, most are rare."""
        number = len(self.created)
        known = [*TAG_WORDS, *(f"campaign-{n:02d}" for n in range(TAG_COUNT - len(TAG_WORDS)))]
        ranks = 1.0 / np.arange(1, TAG_COUNT + 1) ** 1.05
        many = self.draw.poisson(TAG_MEAN * 1.1, number)
        drawn = self.draw.choice(TAG_COUNT, int(many.sum()), p=ranks / ranks.sum()).tolist()
        told: list[tuple[str, ...]] = []
        at = 0
        for size in many.tolist():
            told.append(tuple(sorted({known[n] for n in drawn[at : at + size]})))
            at += size
        return told

    def add(self, end: int) -> None:
        """Put every customer into the shop."""
        for number, (created, tags) in enumerate(
            zip(self.created.tolist(), self.tags(), strict=True)
        ):
            customer = self.customer(number, created, end)
            customer.tags = tags
            self.shop.customers[customer.id] = customer

    def customer(self, number: int, created: int, end: int) -> Customer:
        """Make one customer."""
        chance = self.chance
        abroad = chance.random() < ABROAD_SHARE
        place = (
            chance.choices(ABROAD, cum_weights=self.abroad)[0]
            if abroad
            else chance.choices(JAPAN, cum_weights=self.japan)[0]
        )
        first, last, said = self.name(abroad)
        reach = chance.random()
        email = None if reach < 0.04 else f"{said}{number}@{chance.choice(DOMAINS)}"
        phone = self.phone(number, place) if reach < 0.5 else None
        customer = Customer(
            id=7_000_000_000_001 + number,
            created=created,
            updated=created + chance.randrange(1, 600),
            first_name=first,
            last_name=last,
            email=email,
            phone=phone,
            locale=self.locale(place),
            state=chance.choices(("DISABLED", "ENABLED", "INVITED"), (62, 35, 3))[0],
            note="Asked for a gift receipt" if chance.random() < 0.03 else None,
        )
        customer.updated = min(customer.updated, end)
        if email:
            customer.email_consent = self.consent(created, (46, 9, 2, 43))
        if phone:
            customer.sms_consent = self.consent(created, (22, 6, 0, 72))
        customer.addresses = self.addresses(customer, place)
        self.extras(customer, end)
        return customer

    def name(self, abroad: bool) -> tuple[str, str, str]:
        """Return first name, last name, and the part of an e-mail address before its number."""
        if abroad:
            first, last = (
                self.chance.choice(self.given_abroad),
                self.chance.choice(self.last_abroad),
            )
            return first, last, f"{first}.{last}".lower()
        family, given = self.chance.choice(self.families), self.chance.choice(names.GIVEN)
        return given[0], family[0], f"{given[1]}.{family[1]}".lower()

    def phone(self, number: int, place: Place) -> str:
        """Return a number from ranges that nobody is given."""
        if place.country_code == "JP":
            return f"+81900{number % 10_000_000:07d}"
        return f"+1555{number % 10_000_000:07d}"

    def locale(self, place: Place) -> str:
        """Return the language the customer reads."""
        if place.country_code == "JP":
            return "ja" if self.chance.random() < 0.97 else "en"
        return LANGUAGES_ABROAD.get(place.country_code, "en")

    def consent(self, created: int, shares: tuple[int, int, int, int]) -> Consent:
        """Return an answer to marketing."""
        states = ("SUBSCRIBED", "UNSUBSCRIBED", "PENDING", "NOT_SUBSCRIBED")
        state = self.chance.choices(states, shares)[0]
        if state == "NOT_SUBSCRIBED":
            return Consent()
        level = "CONFIRMED_OPT_IN" if self.chance.random() < 0.3 else "SINGLE_OPT_IN"
        return Consent(state, level, created + self.chance.randrange(0, 60))

    def addresses(self, customer: Customer, place: Place) -> tuple[Address, ...]:
        """Return no, one or two addresses; the first is the default."""
        many = self.chance.choices((0, 1, 2), (5, 87, 8))[0]
        places = [place, self.chance.choices(JAPAN, cum_weights=self.japan)[0]][:many]
        return tuple(self.address(customer, each) for each in places)

    def address(self, customer: Customer, place: Place) -> Address:
        """Return an address in a place; where in the city differs from customer to customer."""
        chance = self.chance
        return Address(
            id=next(self.ids),
            first_name=customer.first_name,
            last_name=customer.last_name,
            address1="-".join(str(chance.randrange(1, most)) for most in (9, 30, 20)),
            city=place.city,
            province=place.province,
            province_code=place.province_code,
            country=place.country,
            country_code=place.country_code,
            zip=place.zip or None,
            latitude=round(place.latitude + chance.uniform(-0.08, 0.08), 5),
            longitude=round(place.longitude + chance.uniform(-0.08, 0.08), 5),
            phone=customer.phone,
        )

    def extras(self, customer: Customer, end: int) -> None:
        """Give some customers a birth date, points, store credit, a company or a subscription."""
        chance, now = self.chance, customer.updated
        kept: list[Metafield] = []
        if chance.random() < 0.35:
            born = date(1950, 1, 1) + timedelta(days=chance.randrange(0, 20_500))
            kept.append(
                Metafield(next(self.ids), "facts", "birth_date", "date", born.isoformat(), now, now)
            )
        if chance.random() < 0.2:
            points = str(int(chance.paretovariate(1.2) * 40))
            kept.append(
                Metafield(
                    next(self.ids), "custom", "loyalty_points", "number_integer", points, now, now
                )
            )
        customer.metafields = tuple(kept)
        if chance.random() < 0.04:
            customer.credit_accounts = (self.credit(customer, end),)
        if chance.random() < 0.015:
            customer.company = chance.choice(self.companies)
        if chance.random() < 0.03:
            customer.subscriber_status = chance.choice(("ACTIVE", "CANCELLED", "PAUSED"))

    def credit(self, customer: Customer, end: int) -> CreditAccount:
        """Return a store credit account with one credit, which may end."""
        amount = 500 * self.chance.randrange(1, 11)
        given = self.chance.randrange(customer.created, max(end, customer.created + 1))
        ends = given + 365 * DAY if self.chance.random() < 0.5 else None
        balance = 0 if ends is not None and ends < end else amount
        credit = Credit(next(self.ids), amount, given, ends)
        return CreditAccount(next(self.ids), balance, (credit,))
