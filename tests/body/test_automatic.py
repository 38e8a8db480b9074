"""Programs are told from people."""

import pytest

from triage.body.automatic import _SENTENCES, is_automatic
from triage.han import simplified
from triage.patterns import load_patterns


@pytest.mark.parametrize(
    "text",
    [
        "Automatic reply: I am away until 2 December.",
        "Out of Office: back on Monday",
        "I am currently out of the office until Monday and will read your mail then.",
        "Undelivered Mail Returned to Sender",
        "Delivery Status Notification (Failure)",
        "Dear customer, this is an automated message.",
        "Subject: Automatische Antwort: Ihre Anfrage",
        "Réponse automatique : je suis absente",
        "Respuesta automática: estaré ausente",
        "【自动回复】您好，您的邮件我已收到，我会尽快回复。",
        "自動返信：不在にしております",
        "Your one-time code is 123456.",
        "Accepted: Meeting @ Tue Nov 24",
    ],
)
def test_programs(text):
    assert is_automatic(text)


@pytest.mark.parametrize(
    "text",
    [
        "All I ever get is your automatic reply. Nobody answers.",
        "My mail came back as undeliverable, please sort it out!",
        "I am on annual leave from Monday, please deliver the table before that.",
        "I never got a verification code, why?",
        "Your ticket number is 4711, I called twice and nobody answers, I want my money back.",
        "你们只会自动回复，三天了没有一个真人，太差劲",
        "我出差回来才发现东西坏了，要求退款",
        "Delivery was late and the driver rude.",
        "Automatic doors of the fridge do not close.",
        "Read: the manual is wrong. Why is my fridge warm?",
        "Unsubscribe me",
    ],
)
def test_people(text):
    assert not is_automatic(text)


PROGRAMS = (
    "AUTO: I am out", "I have left the company. Please contact sales@x.example instead.",
    "Maria no longer works at Acme, please write to info@acme.example.",
    "Your request (#123) has been received and is being reviewed by our support staff.",
    "Ticket #4471 has been created.", "Thanks for getting in touch with Acme Support!",
    "We have received your email and will respond within 24 hours.", "All of our agents are currently busy.",
    "604418 is your Acme verification code.", "Don't share this code with anyone.",
    "Your code expires in 10 minutes.", "You have 2 new voicemails", "Your parcel is out for delivery.",
    "Your order #88120 has been shipped.", "If this wasn't you, please reset your password.",
    "You are receiving this email because you signed up.", "To unsubscribe, reply STOP",
    "Dies ist eine automatisch generierte E-Mail.", "Ihre Nachricht wurde erfolgreich empfangen.",
    "Ich arbeite nicht mehr bei Acme.", "Ihr Code lautet 604418.", "Votre message a bien été reçu.",
    "Je suis absente du 3 au 7 décembre.", "Nous avons bien reçu votre demande.", "Hemos recibido su solicitud.",
    "Estoy de vacaciones hasta el lunes.", "送信専用アドレスのため返信できません",
    "お問い合わせを受け付けいたしました", "本人已离职，工作请联系王经理",
    "您的密码已于2026年11月9日修改，如非本人操作请联系客服。", "【菜鸟驿站】您的包裹已到达，凭取件码 5-2-3018 领取",
    "【银行】您尾号1234的卡消费100元", "动态密码 771234，请勿泄露", "您有1个未接来电", "回T退订",
    "閣下的查詢已經收到，我們會盡快回覆", "此訊息由系統自動發出", "我現正放假，無法即時回覆電郵，如有急事請聯絡同事",
    "您的快遞已送達，請及時取件", "Your mailbox is full", "Delivery has failed to these recipients: user unknown",
    "This inbox is not monitored.",
)  # fmt: skip
PEOPLE = (
    "I no longer work at home so deliver to the office please", "Your order was shipped to the wrong address",
    "Thank you for your email, but the problem persists", "Thanks for contacting me so quickly",
    "My message could not be delivered to your support", "I received your ticket number but nobody called",
    "Please do not reply to this with a template", "The new login page does not work on my phone",
    "Your password reset mail never arrived", "Your parcel was left in the rain", "You missed the delivery date",
    "The office is closed whenever I call", "I was on holiday and the parcel was returned",
    "My account was logged out", "The code expires in 10 minutes, far too short to type it in, it is hopeless",
    "不在办公室，麻烦放门卫", "我的密码已被修改，怎么办", "验证码604418填了没用", "验证码收不到",
    "你的商品已到达就坏了", "【追评】您家的客服太慢", "系统一直显示错误", "客服不在线", "我出差了，请改到周五送",
    "收到了，很满意", "已收到退款", "您的快递员把包裹放错了", "邮箱登录不上", "我已经离职了，地址要改成家里",
    "打电话非工作时间没人接", "The driver said my name is not on the list, so the parcel was returned",
    "Your agents are always busy", "I will reply when I have the part", "In urgent cases nobody answers",
    "Your email says a member of the team will call. No one did.", "Je suis en congés, livrez avant svp",
    "Ich bin ab Montag im Urlaub, liefern Sie bitte vorher",
)  # fmt: skip


@pytest.mark.parametrize("text", PROGRAMS)
def test_kinds_of_notices(text):
    assert is_automatic(text)


@pytest.mark.parametrize("text", PEOPLE)
def test_people_who_write_of_them(text):
    assert not is_automatic(text)


@pytest.mark.parametrize(
    "sentence",
    [each for group in load_patterns("triage.body.patterns", "automatic_sentences").values() for each in group],
)
def test_every_sentence_contains_one_of_its_words(sentence):
    """Texts without such a word are not searched: a sentence without any would never be found."""
    wanted = simplified(sentence)
    assert any(each.pattern == wanted for patterns in _SENTENCES.values() for each in patterns)
