"""What people write around numbers, names and secrets, and what only looks like it."""

import pytest

from triage.config import RedactionSettings
from triage.redaction import Redactor

REDACTOR = Redactor(RedactionSettings())

PERSONAL = (
    "call our reception on 01632 960 461", "text my wife at 07700 900461", "please ring me back on 01632960461",
    "the number you have is 07700 900461", "my new number is 07700 900461", "Office: 01632 960 461",
    "D: 01632 960 461", "hotline 01632 960461", "whatsapp me on 07700 900461", "message me 07700900461",
    "I phoned from 07700 900461", "best number 07700900461", "宅電 02-2555-0143", "室話:2555 0143",
    "打返俾我 55501842", "電話改成 55501842", "叫我老公 55501842", "手機號碼 0912-345-678", "打过来 55503321",
    "联系人王先生 55503321", "短訊我 55501842", "call me: 503\\\\555\\\\0142", "ring 0161#496#0142",
    "My insta: gus_h4rt", "IG: gus_h4rt", "discord gus#4471", "telegram handle is gushart", "微博号 5512038847",
    "my snapchat is gus.h4rt", "LINE ID: chen_bo88", "FB: hannah.pruett", "脸书 hannah.p41", "快手号zl0417",
    "QQ 551203884", "my wifi password is Kettle99", "password=sunshine", "Password: sunshine",
    "i changed my password to Kettle99!", "PIN: 7 7 3 1", "pin - 7731", "cvv (on back) 902",
    "the code you sent me 604418", "use code 604418 to log in", "604418 is your Acme verification code",
    "G-604418 is your Google verification code", "1234 is my pin", "door code 4412", "gate code is 4412#",
    "alarm code: 9931", "取件码 5-2-3018", "取件碼 K8P-204", "我的密码就是 kiln4471", "密码设置成kiln4471",
    "密碼改為 kiln4471", "支付密码 771234", "用771234當密碼", "末三碼 902", "背面三碼是902",
    "memorable word: Biscuit", "security question answer is Biscuit1979", "mother's maiden name: Harker",
    "backup codes 8fk2-91mz-22aa", "voucher code ABCD-1234-EFGH", "gift card PIN 4471 9921",
    "api key sk_live_51Hx9Qz", "token: eyJhbGciOiJIUzI1NiJ9.e30.abc123", "wifi key Kettle99kk", "sort code: 401234",
    "sort code 40 12 34", "BSB 062-000 account 12345678", "bank account 000123456789", "Konto 1234567890",
    "转账到 6222021234567890123", "card 4111|1111|1111|1111", "card: 4111=1111=1111=1111", "3782,822463,10005",
    "SSN 536.22.8741", "my NI number is QQ123456C", "driving licence PRUET651128H99XX", "passport: K0441 7236",
    "DNI 12345678Z", "social insurance number 046 454 286", "身份证号 310115 1992 0618 052 3", "身份證 A-227531043",
    "港澳通行证C12345678", "台胞证 12345678", "plate AB12 CDE", "reg: AB12 CDE", "my car AB12 CDE was towed",
    "的士 VK4417", "車牌 ABC-1234", "车牌号 粤B·12345", "me@acme(dot)com", "tang艾特qq.com", "anna [a] example.com",
    "anna at example dot com",
)  # fmt: skip

MORE_PERSONAL = (
    "passport no: 532198847", "my passport K 0441 7236", "护照:E12345678", "台湾居民来往大陆通行证 12345678",
    "居留证号 AB12345678", "外籍居留證 A800000014", "NHS number 943 476 5919", "SIN: 046-454-286",
    "CPF 529.982.247-25", "my licence is plate 7ABC123", "licence plate: 7ABC 123", "number plate HX70 TRF",
    "my van's reg is HX70TRF", "rego ABC 123", "the taxi (LK19 XTR) overcharged me", "courier drove off, HX70 TRF",
    "沪A·D12345", "車號 AXY-5678", "車牌號碼:BCD-1234", "計程車 123-AB", "機車 MDX-3321", "粵Z·1234港",
    "網約車 粤B D12345", "account 12345678 sort code 12-34-56", "acct no 0098127743",
    "IBAN: DE89 3704 0044 0532 0130 00", "帳號 012-345-678901", "匯款到 700-0012345-678901",
    "銀行帳號：808-0123-456789-01", "工行卡号 6222 0212 3456 7890 123", "建行账号6217000010001234567",
    "PayPal me at hannah@example.com", "hannah[at]example[dot]com", "mail: hannah@例子.中国", "微信 zhoulan0417",
    "加我微信zhoulan0417", "vx: zhoulan0417", "V信zhoulan_0417", "LINE: chenbo88", "我的line是 chen_bo88",
    "WhatsApp +852 5550 1842", "telegram @gus_h4rt", "my twitter handle is hannah_p", "IP 192.0.2.14",
    "from 2001:db8::8a2e:370:7334", "登录IP是203.0.113.9", "password is hunter2!", "pwd hunter22", "passcode 991823",
    "my PIN number is 0417", "CVC: 331", "cvv2 331", "security code 331", "OTP 112233", "驗證碼 112233",
    "驗證碼係112233", "提款密碼1122", "卡背三碼 331", "密码：abc12345", "動態密碼 112233",
    "token ghp_A1b2C3d4E5f6G7h8", "API key: AKIA1234567890ABCD", "gift card code XQ7P-22MM-91KD",
    "禮物卡序號 XQ7P22MM91KD", "卡密 8812736451", "兑换码:AB12-CD34-EF56",
    "https://shop.example/reset?token=abc123def", "https://shop.example/profile/hannah.pruett",
    "https://shop.example/member/551207/orders", "https://www.facebook.com/hannah.pruett.5", "电话是0755-2555 0143",
    "座机 0571 8555 0143", "tel (852) 2555 0143", "電話:(02)2555-0143", "手機0912345678", "call +44 7700 900461",
    "ph 020 7946 0958", "身份证号是110105194912310021x",
)  # fmt: skip

HARMLESS = (
    "微信ios18.2闪退", "微信支付2次", "https://shop.example/users/sign_in",
    "https://shop.example/user/my_orders", "model 7ABC123",
    "order 12345678 was late", "call about invoice 20231234567", "the order number I gave you was 12345678",
    "I called 3 times in 2026", "call me in 10 minutes", "text me at 5", "reached level 12345678", "WeChat is broken",
    "whatsapp is useless", "my insta is hacked", "Telegram: useless", "LINE is down", "password is wrong",
    "Password: required", "my password expired", "PIN pad broken", "pin of 4 digits", "the code 20OFF does not work",
    "promo code SAVE20", "error code 4471-22", "code 404 page", "zip code 90210", "item code 12345678",
    "product code AB12-34", "the pass is 30 days", "boarding pass 14C", "pass: 3 of 4",
    "verification code not received in 60 seconds", "验证码60秒", "密码输错3次", "密码6位", "取件码收不到",
    "登录要12345678次", "订单12345678验证码没收到", "version 6.0.0.120升级失败", "从6.0.0.120升到6.0.0.135",
    "update 10.0.19045.1", "sort code missing", "account closed 12-05-2026", "sizes 100-200-400 mm",
    "100-200-300-400", "plates 12 PCS", "dinner plates SET 6", "reg fee 1200", "BMW 320 d car", "my car X5 2019",
    "购物车 AB 1234 件", "车次 G1234", "flight BA 2490", "train TGV 6201", "SKU AB12 CDE", "model LK19 XTR",
    "A 212345678 items", "https://shop.example/user/guide", "https://shop.example/users/login",
    "https://shop.example/product/hannah-1988", "https://acme.example/customers/orders", "二百只蚊子", "蚊香 20",
    "被蚊咬", "Konto gesperrt", "转账失败 20261109", "tax id missing", "driver's licence expired 2026",
    "passport renewal 2026-11-09", "sin 2026 more", "4000,8000,1600,3200", "4000 8000 1600 3200 steps",
    "scores 3456,1234,4567,8901", "找我退款20元", "行动 20261109", "短信收到 3 条", "message from 2026",
    "security code on the back of the card", "three digit code", "five-digit code", "recovery code not working",
    "my code works", "the answer is 42", "safe word", "2FA not working since 2026", "steam 2024 sale",
    "Discord 2026 update", "ticket 8800112233", "serial number 5CD2190KXW", "timestamp 1795339800", "手机 256GB",
    "电话 10086 打不通", "house number 12", "number 7 bus", "a1 b2 c3", "redeem 5000 points",
    "redeem 12345678 points", "gift card 100 USD", "voucher 50 EUR", "the 3 digits 902 of the model",
)  # fmt: skip


@pytest.mark.parametrize("text", PERSONAL + MORE_PERSONAL)
def test_words_before_and_after_personal_data(text: str) -> None:
    redacted = REDACTOR.redact(text)
    assert redacted.changed
    assert REDACTOR.redact(redacted.text).text == redacted.text


@pytest.mark.parametrize("text", HARMLESS)
def test_the_same_words_without_any(text: str) -> None:
    assert REDACTOR.redact(text).text == text


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("I entered 7731 as my PIN twice", "I entered [SECRET] as my PIN twice"),
        ("my password was Kiln#4471, now it fails", "my password was [SECRET], now it fails"),
        ("reach my husband at 07700 900461 after 5", "reach my husband at [PHONE] after 5"),
        ("把密码改成Kiln4471也不行", "把密码改成[SECRET]也不行"),
        ("我的車RCX-0827洗完多一道刮痕", "我的車[PLATE]洗完多一道刮痕"),
        ("Refund via BACS: 60 16 13 / 31926819", "Refund via BACS: [IBAN]"),
        ("https://acme.example/u/hannah-pruett-1988/orders", "https://acme.example/u/[HANDLE]/orders"),
        ("https://user.example/liudong-0755/address", "https://user.example/[HANDLE]/address"),
    ],
)
def test_only_the_value_goes(text: str, redacted: str) -> None:
    assert REDACTOR.redact(text).text == redacted
