"""Names of regions by ISO 3166-2: prefectures of Japan, states of the US, provinces of Canada.

Other countries' regions keep their code in sentences.
"""

#: Code, English name, Japanese name; a name that a country or a city has too says which is meant.
ROWS = """
JP-01|Hokkaido|北海道
JP-02|Aomori|青森県
JP-03|Iwate|岩手県
JP-04|Miyagi|宮城県
JP-05|Akita|秋田県
JP-06|Yamagata|山形県
JP-07|Fukushima|福島県
JP-08|Ibaraki|茨城県
JP-09|Tochigi|栃木県
JP-10|Gunma|群馬県
JP-11|Saitama|埼玉県
JP-12|Chiba|千葉県
JP-13|Tokyo|東京都
JP-14|Kanagawa|神奈川県
JP-15|Niigata|新潟県
JP-16|Toyama|富山県
JP-17|Ishikawa|石川県
JP-18|Fukui|福井県
JP-19|Yamanashi|山梨県
JP-20|Nagano|長野県
JP-21|Gifu|岐阜県
JP-22|Shizuoka|静岡県
JP-23|Aichi|愛知県
JP-24|Mie|三重県
JP-25|Shiga|滋賀県
JP-26|Kyoto|京都府
JP-27|Osaka|大阪府
JP-28|Hyogo|兵庫県
JP-29|Nara|奈良県
JP-30|Wakayama|和歌山県
JP-31|Tottori|鳥取県
JP-32|Shimane|島根県
JP-33|Okayama|岡山県
JP-34|Hiroshima|広島県
JP-35|Yamaguchi|山口県
JP-36|Tokushima|徳島県
JP-37|Kagawa|香川県
JP-38|Ehime|愛媛県
JP-39|Kochi|高知県
JP-40|Fukuoka|福岡県
JP-41|Saga|佐賀県
JP-42|Nagasaki|長崎県
JP-43|Kumamoto|熊本県
JP-44|Oita|大分県
JP-45|Miyazaki|宮崎県
JP-46|Kagoshima|鹿児島県
JP-47|Okinawa|沖縄県
US-AL|Alabama|アラバマ州
US-AK|Alaska|アラスカ州
US-AZ|Arizona|アリゾナ州
US-AR|Arkansas|アーカンソー州
US-CA|California|カリフォルニア州
US-CO|Colorado|コロラド州
US-CT|Connecticut|コネチカット州
US-DE|Delaware|デラウェア州
US-DC|Washington, D.C.|ワシントンD.C.
US-FL|Florida|フロリダ州
US-GA|the state of Georgia|ジョージア州
US-HI|Hawaii|ハワイ州
US-ID|Idaho|アイダホ州
US-IL|Illinois|イリノイ州
US-IN|Indiana|インディアナ州
US-IA|Iowa|アイオワ州
US-KS|Kansas|カンザス州
US-KY|Kentucky|ケンタッキー州
US-LA|Louisiana|ルイジアナ州
US-ME|Maine|メイン州
US-MD|Maryland|メリーランド州
US-MA|Massachusetts|マサチューセッツ州
US-MI|Michigan|ミシガン州
US-MN|Minnesota|ミネソタ州
US-MS|Mississippi|ミシシッピ州
US-MO|Missouri|ミズーリ州
US-MT|Montana|モンタナ州
US-NE|Nebraska|ネブラスカ州
US-NV|Nevada|ネバダ州
US-NH|New Hampshire|ニューハンプシャー州
US-NJ|New Jersey|ニュージャージー州
US-NM|New Mexico|ニューメキシコ州
US-NY|the state of New York|ニューヨーク州
US-NC|North Carolina|ノースカロライナ州
US-ND|North Dakota|ノースダコタ州
US-OH|Ohio|オハイオ州
US-OK|Oklahoma|オクラホマ州
US-OR|Oregon|オレゴン州
US-PA|Pennsylvania|ペンシルベニア州
US-RI|Rhode Island|ロードアイランド州
US-SC|South Carolina|サウスカロライナ州
US-SD|South Dakota|サウスダコタ州
US-TN|Tennessee|テネシー州
US-TX|Texas|テキサス州
US-UT|Utah|ユタ州
US-VT|Vermont|バーモント州
US-VA|Virginia|バージニア州
US-WA|the state of Washington|ワシントン州
US-WV|West Virginia|ウェストバージニア州
US-WI|Wisconsin|ウィスコンシン州
US-WY|Wyoming|ワイオミング州
US-AS|American Samoa (US)|米領サモア（アメリカ）
US-GU|Guam (US)|グアム（アメリカ）
US-MP|the Northern Mariana Islands (US)|北マリアナ諸島（アメリカ）
US-PR|Puerto Rico (US)|プエルトリコ（アメリカ）
US-VI|the U.S. Virgin Islands (US)|米領ヴァージン諸島（アメリカ）
US-AA|Armed Forces Americas|米軍（南北アメリカ）
US-AE|Armed Forces Europe|米軍（ヨーロッパ）
US-AP|Armed Forces Pacific|米軍（太平洋）
CA-AB|Alberta|アルバータ州
CA-BC|British Columbia|ブリティッシュコロンビア州
CA-MB|Manitoba|マニトバ州
CA-NB|New Brunswick|ニューブランズウィック州
CA-NL|Newfoundland and Labrador|ニューファンドランド・ラブラドール州
CA-NT|the Northwest Territories|ノースウエスト準州
CA-NS|Nova Scotia|ノバスコシア州
CA-NU|Nunavut|ヌナブト準州
CA-ON|Ontario|オンタリオ州
CA-PE|Prince Edward Island|プリンスエドワードアイランド州
CA-QC|the province of Quebec|ケベック州
CA-SK|Saskatchewan|サスカチュワン州
CA-YT|Yukon|ユーコン準州
"""
