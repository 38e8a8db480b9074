import pytest

from triage.inference.language import identify

TEXTS = {
    "en": [
        "ok thanks", "thx", "hi", "where is my order", "terrible", "great product!", "card declined", "refund pls",
        "lol", "awesome", "Amazing", "wrong size", "Five stars", "@BestBuy your store sucks", "can't log in",
        "delivery late",
        "I bought 小米 phone and it is great but slow", "[EMAIL] wrote me twice, no answer",
        "i DON'T KNOW WHY YOU CHARGED ME TWICE, PLEASE ANSWER",
        "Worst service ever. I have been waiting 3 weeks. " * 50,
    ],
    "zh": [
        "快递三天还没到", "好", "垃圾", "物流慢", "iPhone 13 Pro Max 电池不行", "这个の产品不错", "訂單一直沒有到貨",
        "OPPO手机屏幕坏了 please help", "👍👍 很好 https://example.com/some/long/path/in/latin/letters",
    ],
    "ja": ["注文した商品が届きません", "とても良い", "カスタマーサービス最悪"],
    "ko": ["배송이 너무 늦어요", "환불"],
    "de": ["Das Paket ist nie angekommen", "sehr gut", "Hallo, wo ist meine Bestellung?"],
    "fr": ["Très déçu, le colis n'est jamais arrivé", "c'est nul"],
    "es": ["El pedido llegó roto", "Mi tarjeta fue rechazada"],
    "it": ["Il pacco non è arrivato"],
    "pt": ["Pedido atrasado há duas semanas"],
    "nl": ["Bestelling niet ontvangen"],
    "pl": ["paczka nie dotarła"],
    "tr": ["Siparişim gelmedi"],
    "vi": ["giao hàng chậm"],
    "ru": ["Мой заказ не пришёл"],
    "ar": ["مرحبا أين طلبي"],
    "he": ["שלום, איפה ההזמנה שלי"],
    "hi": ["मेरा ऑर्डर कहाँ है"],
    "el": ["Πού είναι η παραγγελία μου"],
    "th": ["ขอบคุณ"],
}  # fmt: skip


@pytest.mark.parametrize(("code", "text"), [(code, text) for code, texts in TEXTS.items() for text in texts])
def test_identifies(code, text):
    assert identify(text) == (code, True)


@pytest.mark.parametrize(
    "text", ["", "   ", "👍👍", "12345", "https://example.com/a", "<EMAIL>", "@handle #tag", "!!!", "\ud800"]
)
def test_undetermined(text):
    assert identify(text) == ("und", False)
