"""Signatures and footers go, what somebody asks below them stays."""

import pytest

from triage.body import read_body

LEGAL = [
    "CONFIDENTIAL: this mail is for the addressee alone. Has it reached you by mistake, delete it.",
    "Disclaimer: views expressed are those of the sender. This mail is privileged and confidential.",
    "This message is intended only for the recipient. Unauthorised use is strictly prohibited.",
    "CAUTION: this mail comes from outside our organisation. Open no link unless you know who sent it.",
    "Acme Ltd. Registered in England, company number 01234567. VAT no 123. Authorised and regulated by the FCA.",
    "Diese E-Mail ist vertraulich. Falls Sie sie irrtümlich erhalten haben, löschen Sie sie.",
    "此邮件仅供收件人本人阅读，可能涉及商业机密，严禁擅自使用。",
    "此郵件可能包含機密資訊，若您誤收，請通知寄件者。",
]
MOBILE = [
    "Sent from my iPhone", "Sent from Outlook for Android", "Get Outlook for iOS", "Von meinem iPhone gesendet",
    "Envoyé de mon iPhone", "Enviado desde mi iPhone", "发自我的iPhone", "從我的 iPhone 傳送", "iPhoneから送信",
]  # fmt: skip


def _read(text):
    return read_body(text).parts.joined(text)


@pytest.mark.parametrize("footer", LEGAL)
@pytest.mark.parametrize("delimiter", ["-- \n", "--\n", "____\n", ""])
def test_legal_footers_go(footer, delimiter):
    assert _read(f"The kettle leaks.\n\n{delimiter}{footer}") == "The kettle leaks."


@pytest.mark.parametrize("line", MOBILE)
def test_lines_of_mobile_clients_go(line):
    assert _read(f"The kettle leaks.\n\n{line}") == "The kettle leaks."


@pytest.mark.parametrize("sign_off", ["Kind regards,", "Mit freundlichen Grüßen", "Cordialement,", "此致", "Best"])
def test_signatures_go(sign_off):
    signature = f"{sign_off}\nJane Roe\nHead of Facilities | Acme Ltd\nT [PHONE]\n[EMAIL]"
    assert _read(f"The kettle leaks.\n\n{signature}") == "The kettle leaks."


@pytest.mark.parametrize(
    "text",
    [
        "Order 4711 came broken.\n\n-- \nPS: if I have no answer by Friday, my solicitor will write to you.",
        "The heater is broken.\n\nIf you have received this message, please call me back today, I am cold.",
        "Broken.\n\n-- \nI want my money back.",
        "太差了。\n\n--\n我要退款",
        "Please treat this as confidential:\n\nyour driver shouted at my daughter.",
        "Regards to the team.\nBut where is my parcel?",
        "Best\nservice ever, I will order again and tell all my friends about the quick delivery and the nice driver.",
    ],
)
def test_what_somebody_asks_stays(text):
    assert _read(text) == text


def test_a_footer_alone_is_read():
    text = "CONFIDENTIAL: this mail is for the addressee alone.\nDelete it."
    assert _read(text) == text
