"""Postal addresses: what is one, where it begins and ends, and what only looks like one."""

import pytest

from triage.redaction.names.addresses import find_addresses


@pytest.mark.parametrize(
    ("before", "address", "after"),
    [
        ("send it to ", "48 Fernhollow Road, Brackley Heath BX4 7QT", ", thanks"),
        ("I live at ", "1134 East Juniper Street, Apt 5B, Marlow Springs, OH 44099", " and wait"),
        ("at ", "Flat 3, 7 Orchard Mews", " again"),
        ("sent to ", "15 cobbler lane", " again"),
        ("to ", "1200 w 5th ave, apt 3", ""),
        ("", "P.O. Box 4417, Dry Creek, NV 89444", " please"),
        ("bitte an ", "Lindenstraße 27, 99998 Neudorf", " liefern"),
        ("im ", "Birkenweg 4a", "."),
        ("livré au ", "14 rue des Tilleuls, 69999 Valbrune", ""),
        ("寄到", "杭州市余杭区听松街99号兰亭公寓3幢1201", ",谢谢"),
        ("地址:", "广东省深圳市南山区望海大道1006号创智大厦B座1503室", ""),
        ("我住在", "北京市海淀区翠柏路甲15号院2号楼3单元", ",每次"),
        ("請改寄到", "台北市中山區松柏街45巷7號3樓", ",收件人"),
        ("地址是", "新北市板橋區楓林路二段118號9樓之1", ""),
        ("地址:", "九龍旺角翠華街28號5樓B室", ""),
    ],
)
def test_addresses(before, address, after):
    text = before + address + after
    assert [text[start:end] for start, end in find_addresses(text, [])] == [address]


@pytest.mark.parametrize(
    "text",
    [
        "the parcel is in Leeds since 9 days",
        "I waited 45 minutes at this place",
        "took 3 days down the road",
        "5 star drive and 2 hour drive to your store",
        "Highway 61 is closed",
        "Your store on Oxford Street",
        "坐地铁2号线到人民路2号线出口",
        "南京东路的店",
        "8号下单,15号才发货",
        "上海到成都的航班",
        "3樓的電梯壞了",
    ],
)
def test_what_is_no_address(text):
    assert find_addresses(text, []) == []


def test_locations_beside_belong_to_it():
    text = "an Berlin, Lindenstraße 27, Ortsteil Mitte. Paris ist schön"
    locations = [(text.index(word), text.index(word) + len(word)) for word in ("Berlin", "Ortsteil Mitte", "Paris")]
    assert [text[start:end] for start, end in find_addresses(text, locations)] == [
        "Berlin, Lindenstraße 27, Ortsteil Mitte"
    ]


@pytest.mark.parametrize(
    "piece", ["12 Elm Street Paris ", "1 ", "号", "路1号", "A ", "市区", "12 rue de la ", "#1 ", "在"]
)
def test_hostile_texts_end(piece):
    text = piece * (20_000 // len(piece))
    locations = [(at, at + 1) for at in range(0, len(text), 4)]
    for start, end in find_addresses(text, locations):
        assert 0 <= start < end <= len(text)
