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


@pytest.mark.parametrize(
    "sign_off",
    [
        "Kind regards,",
        "Mit freundlichen Grüßen",
        "Cordialement,",
        "此致",
        "Best",
        "敬祝 商祺",
        "顺颂 商祺",
        "祝您生活愉快！",
    ],
)
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


FOOTERS = (
    "Virus-free. www.avg.com", "Please consider the environment before printing this email.",
    "Do you really need to print this mail?", "Sent by my Pixel 9", "通过网易邮箱大师发送", "发自 小米手机",

    "Bitte prüfen Sie, ob Sie diese Mail drucken müssen. Denken Sie an die Umwelt.",
    "Ce message est confidentiel. Si vous n'êtes pas le destinataire, merci de supprimer ce message.",
    "Este mensaje es confidencial. Si no es el destinatario, elimínelo.",
    "本邮件可能含有机密信息，未经授权严禁使用。", "温馨提示：我们不会要求您提供密码。",
    "We will never ask for your password. Beware of scams.",
    "Acme staff will never ask you for your PIN. Report anything suspicious.",
    "このメールは機密です。誤って受信した場合は破棄してください。", "環境のため、列印此郵件前請三思",
)  # fmt: skip
PARAGRAPHS = (
    "Beware of this shop!", "Please check before printing my name on the mug.",
    "The environment in your shop is bad.", "Was it checked for viruses? I doubt it.",
    "You will never ask for feedback again.", "I was sent from pillar to post.", "祝你们早日倒闭",
    "别打印这封邮件了，赶紧退款，我等着", "打印机坏了", "你们不会要求退货吧？我不接受",
    "This is private: my neighbour stole it.", "It must not leak again.", "Sent from your warehouse broken",
    "从手机App发送了三次都没回复", "Delete my account from your system.",
)  # fmt: skip


@pytest.mark.parametrize("footer", FOOTERS)
def test_kinds_of_footers_go(footer):
    assert _read(f"The kettle leaks.\n\n{footer}") == "The kettle leaks."


@pytest.mark.parametrize("paragraph", PARAGRAPHS)
def test_paragraphs_that_sound_like_them_stay(paragraph):
    assert _read(f"The kettle leaks.\n\n{paragraph}") == f"The kettle leaks.\n\n{paragraph}"
