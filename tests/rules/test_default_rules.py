"""The rules that ship, on feedback as people write it."""

import pytest

from triage.rules import Facts, load_rules

_NAMES = """
delivery product_fault wrong_item return_refund billing payment order_change account_access fraud_security
technical_issue staff_service price_promotion product_question praise other
"""
INTENTS = _NAMES.split()
RULES = load_rules(None, INTENTS, ["person", "organization", "product", "location", "order_id", "tracking_id", "money"])

CASES = [
    ("The charger caught fire and burned my hand", "product_fault", "negative", "critical", "safety"),
    ("充电宝半夜起火了，差点出人命", "product_fault", "negative", "critical", "safety"),
    ("孩子用了以后过敏送医了", "product_fault", "negative", "critical", "safety"),
    ("There were 3 charges I never made", "fraud_security", "negative", "critical", "fraud"),
    ("我的信用卡被盗刷了两千元", "payment", "negative", "high", "fraud"),
    ("How do you protect my card?", "fraud_security", "neutral", "low", "security"),
    ("I want my money or you hear from my lawyer", "return_refund", "negative", "high", "legal"),
    ("再不退款我就打12315投诉你们", "return_refund", "negative", "high", "legal"),
    ("I filed a complaint with the CFPB", "billing", "negative", "high", "legal"),
    ("The parcel is two weeks late", "delivery", "negative", "medium", "logistics"),
    ("This is the third time I call about my parcel", "delivery", "negative", "high", "logistics"),
    ("快递还没到，第三次问了", "delivery", "negative", "high", "logistics"),
    ("I called 4 times about the refund", "return_refund", "negative", "high", "after_sales"),
    ("When will my parcel come?", "delivery", "neutral", "low", "logistics"),
    ("My account is frozen and rent is due", "account_access", "negative", "high", "security"),
    ("I was charged twice", "billing", "negative", "medium", "finance"),
    ("The app crashes on start", "technical_issue", "negative", "medium", "technical"),
    ("店员态度很差", "staff_service", "negative", "medium", "customer_care"),
    ("Sent me the wrong colour", "wrong_item", "negative", "medium", "after_sales"),
    ("Does it work with 220 V?", "product_question", "neutral", "low", "sales"),
    ("Great kettle, this thing is on fire!", "praise", "positive", "low", "community"),
    ("东西很好，物流很快", "praise", "positive", "low", "community"),
    ("hmm", "other", "neutral", "low", "general"),
]


@pytest.mark.parametrize(("text", "intent", "sentiment", "level", "queue"), CASES)
def test_default_rules(text: str, intent: str, sentiment: str, level: str, queue: str) -> None:
    facts = Facts(text=text, channel="review", intent=intent, intent_confidence=0.9, sentiment=sentiment)
    decision = RULES.decide(facts)
    assert (decision.severity.level, decision.route.queue) == (level, queue)
    assert decision.severity.rules
    assert decision.route.rules


def test_an_unsure_model_sends_to_review_but_danger_goes_first() -> None:
    unsure = Facts(text="it is what it is", intent="billing", intent_confidence=0.2, flags=["low_confidence"])
    assert RULES.decide(unsure).route.queue == "review"
    unsure.text = "it exploded"
    assert RULES.decide(unsure).route.queue == "safety"


def test_every_negative_intent_of_substance_is_at_least_medium() -> None:
    for intent in set(INTENTS) - {"praise", "other", "price_promotion", "product_question"}:
        decision = RULES.decide(Facts(text="not good", intent=intent, sentiment="negative"))
        assert decision.severity.level in {"medium", "critical"}, intent


def test_a_very_long_text_is_decided() -> None:
    assert RULES.decide(Facts(text="bad " * 100_000 + "起火")).severity.level == "low"
    assert RULES.decide(Facts(text="起火" + "bad " * 100_000)).severity.level == "critical"


ALARMING = (
    "插座冒火花", "排插打火花，嚇死", "瓦斯外洩", "熱水器漏瓦斯", "小孩誤吞鈕扣電池", "寶寶吞了一粒磁鐵",
    "我爸跌到手骨折", "煞車突然失靈", "剎車失灵", "被電到，手麻", "電親我", "插頭燒焦", "充電器燒焦了",
    "吃完食物中毒", "阿媽入咗院", "等到想跳樓", "我想死", "要跳海", "唔想做人", "被冒名申辦門號", "信用卡遭盜刷",
    "俾人碌咗卡", "收到釣魚電郵", "我會上法庭告你", "去報案", "我要登報", "聯絡媒體爆料",
    "吃完全家送醫，太離譜", "吃了你们的粽子，老人半夜送医", "用了面霜脸肿送医治疗", "喝完一家人送急诊", "食完即刻送院",
    "孩子误食后洗胃", "食完要洗胃", "吃完全家送医院", "喝了这奶粉孩子连夜送医院", "用过之后被紧急送医院",
)  # fmt: skip
HARMLESS = (
    "喷火龙手办很可爱", "噴火龍公仔斷手", "辣得喷火", "火花塞不耐用", "擦出火花", "骨折价买的", "價格打骨折",
    "跳楼价处理", "跳樓機好玩", "想死你了", "想死的心都有", "充电亲，很快", "小说里律师很帅", "這部電影講法院",
    "麵包烤焦了", "看到报纸广告来买的", "吞吐量低", "转向灯坏了", "院长送院子里了", "進入院子要刷卡",
    "投屏上电视没声音", "一氧化碳报警器没收到", "见报价单", "不断指责我", "充电骗人", "请送到医院门口",
    "想结束自己的会员", "买一万送医药费", "下单送医疗包吗", "送醫用口罩", "想送医生一面锦旗", "麻烦送医院三楼护士站",
    "会员送医美项目", "洗胃机配件有吗", "没有送医，放心", "送醫書當禮物",
)  # fmt: skip


def _level(text: str) -> str:
    return RULES.decide(Facts(text=text, channel="complaint", intent="other", sentiment="neutral")).severity.level


@pytest.mark.parametrize("text", ALARMING)
def test_alarming_words_of_either_script_and_of_cantonese(text: str) -> None:
    assert _level(text) in {"high", "critical"}


@pytest.mark.parametrize("text", HARMLESS)
def test_the_same_words_in_harmless_ones(text: str) -> None:
    assert _level(text) == "low"
