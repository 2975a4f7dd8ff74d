"""Where the generated customers live: prefectures of Japan and some cities elsewhere.

A weight is roughly the number of people in millions (Japan), or a share of the foreign customers.
"""

from __future__ import annotations

from typing import NamedTuple


class Place(NamedTuple):
    """A city with its region in Shopify's codes."""

    country: str
    country_code: str
    province: str | None
    province_code: str | None
    city: str
    zip: str
    latitude: float
    longitude: float
    weight: float


# number and name of the prefecture, a city, its first postal digits, latitude, longitude, millions
_JAPAN = """
01 Hokkaidō|Sapporo|060|43.06|141.35|5.1
02 Aomori|Aomori|030|40.82|140.75|1.2
03 Iwate|Morioka|020|39.70|141.15|1.2
04 Miyagi|Sendai|980|38.27|140.87|2.3
05 Akita|Akita|010|39.72|140.10|0.9
06 Yamagata|Yamagata|990|38.24|140.36|1.0
07 Fukushima|Kōriyama|963|37.40|140.36|1.8
08 Ibaraki|Mito|310|36.37|140.47|2.8
09 Tochigi|Utsunomiya|320|36.57|139.88|1.9
10 Gunma|Takasaki|370|36.33|139.00|1.9
11 Saitama|Saitama|330|35.86|139.65|7.3
12 Chiba|Chiba|260|35.61|140.11|6.3
13 Tōkyō|Shibuya-ku|150|35.66|139.70|5.0
13 Tōkyō|Setagaya-ku|154|35.65|139.65|5.0
13 Tōkyō|Hachiōji|192|35.67|139.32|4.0
14 Kanagawa|Yokohama|220|35.44|139.64|6.2
14 Kanagawa|Kamakura|248|35.32|139.55|3.0
15 Niigata|Niigata|950|37.92|139.04|2.2
16 Toyama|Toyama|930|36.70|137.21|1.0
17 Ishikawa|Kanazawa|920|36.56|136.66|1.1
18 Fukui|Fukui|910|36.06|136.22|0.8
19 Yamanashi|Kōfu|400|35.66|138.57|0.8
20 Nagano|Nagano|380|36.65|138.19|2.0
21 Gifu|Gifu|500|35.42|136.76|1.9
22 Shizuoka|Hamamatsu|430|34.71|137.73|3.6
23 Aichi|Nagoya|460|35.18|136.91|7.5
24 Mie|Tsu|514|34.72|136.51|1.7
25 Shiga|Ōtsu|520|35.00|135.87|1.4
26 Kyōto|Kyoto|600|35.01|135.77|2.5
27 Ōsaka|Osaka|530|34.69|135.50|8.8
28 Hyōgo|Kobe|650|34.69|135.20|5.4
29 Nara|Nara|630|34.69|135.80|1.3
30 Wakayama|Wakayama|640|34.23|135.17|0.9
31 Tottori|Tottori|680|35.50|134.24|0.5
32 Shimane|Matsue|690|35.47|133.05|0.7
33 Okayama|Okayama|700|34.66|133.93|1.9
34 Hiroshima|Hiroshima|730|34.39|132.46|2.8
35 Yamaguchi|Shimonoseki|750|33.96|130.94|1.3
36 Tokushima|Tokushima|770|34.07|134.55|0.7
37 Kagawa|Takamatsu|760|34.34|134.05|0.9
38 Ehime|Matsuyama|790|33.84|132.77|1.3
39 Kōchi|Kōchi|780|33.56|133.53|0.7
40 Fukuoka|Fukuoka|810|33.59|130.40|5.1
41 Saga|Saga|840|33.25|130.30|0.8
42 Nagasaki|Nagasaki|850|32.75|129.88|1.3
43 Kumamoto|Kumamoto|860|32.80|130.71|1.7
44 Ōita|Ōita|870|33.24|131.61|1.1
45 Miyazaki|Miyazaki|880|31.91|131.42|1.0
46 Kagoshima|Kagoshima|890|31.60|130.56|1.6
47 Okinawa|Naha|900|26.21|127.68|1.5
"""

ABROAD = (
    Place("United States", "US", "New York", "NY", "New York", "10001", 40.71, -74.01, 9),
    Place("United States", "US", "California", "CA", "Los Angeles", "90001", 34.05, -118.24, 9),
    Place("United States", "US", "California", "CA", "San Francisco", "94102", 37.77, -122.42, 5),
    Place("United States", "US", "Texas", "TX", "Austin", "78701", 30.27, -97.74, 4),
    Place("United States", "US", "Washington", "WA", "Seattle", "98101", 47.61, -122.33, 4),
    Place("United States", "US", "Hawaii", "HI", "Honolulu", "96801", 21.31, -157.86, 4),
    Place("Taiwan", "TW", None, None, "Taipei", "100", 25.03, 121.57, 12),
    Place("Hong Kong", "HK", "Kowloon", "KL", "Kowloon", "", 22.32, 114.18, 9),
    Place("South Korea", "KR", "Seoul", "KR-11", "Seoul", "04524", 37.57, 126.98, 9),
    Place("Singapore", "SG", None, None, "Singapore", "018956", 1.35, 103.82, 6),
    Place("Australia", "AU", "New South Wales", "NSW", "Sydney", "2000", -33.87, 151.21, 6),
    Place("Canada", "CA", "British Columbia", "BC", "Vancouver", "V6B 1A1", 49.28, -123.12, 5),
    Place("United Kingdom", "GB", "England", "ENG", "London", "EC1A 1BB", 51.51, -0.13, 7),
    Place("France", "FR", None, None, "Paris", "75001", 48.86, 2.35, 5),
    Place("Germany", "DE", None, None, "Berlin", "10115", 52.52, 13.41, 4),
)


def _japan() -> tuple[Place, ...]:
    """Read the table of prefectures."""
    places = []
    for row in _JAPAN.strip().splitlines():
        number, rest = row.split(" ", 1)
        province, city, first, latitude, longitude, weight = rest.split("|")
        places.append(
            Place(
                "Japan",
                "JP",
                province,
                f"JP-{number}",
                city,
                f"{first}-0001",
                float(latitude),
                float(longitude),
                float(weight),
            )
        )
    return tuple(places)


JAPAN = _japan()
