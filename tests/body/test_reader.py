"""The part that the writer has just written, by its offsets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.body import read_body
from triage.types import TextParts

OLD = "The parcel is lost, you charged me twice and the driver was rude."

# The text between the new part and the old one, as clients write it.
ATTRIBUTIONS = [
    "On Tue, 24 Nov 2026 at 09:12, Jane Roe <[EMAIL]> wrote:\n> ",
    "On Tue, Nov 24, 2026 at 9:12 AM Jane Roe\n<jane@example.com> wrote:\n\n> ",
    "2026-11-24 9:12 GMT+01:00 Jane Roe <jane@example.com>:\n> ",
    "Am 24.11.2026 um 09:12 schrieb Jane Roe:\n> ",
    "Jane Roe <jane@example.com> schrieb am Di., 24. Nov. 2026, 09:12:\n> ",
    "Le mar. 24 nov. 2026 à 09:12, Jane Roe <jane@example.com> a écrit :\n> ",
    "El mar, 24 nov 2026 a las 9:12, Jane Roe (<jane@example.com>) escribió:\n> ",
    "Il giorno mar 24 nov 2026 alle ore 09:12 Jane Roe <jane@example.com> ha scritto:\n> ",
    "在 2026年11月24日，上午9:12，张三 <zhangsan@example.com> 写道：\n> ",
    '在2026-11-24 09:12:00，"张三" <zhangsan@example.com> 写道：\n',
    "張三 <zhangsan@example.com> 於 2026年11月24日 週二 上午9:12寫道：\n> ",
    "2026年11月24日(火) 9:12 山田 <yamada@example.com>:\n> ",
    "-----Original Message-----\nFrom: Jane Roe\nSent: 24 November 2026\nTo: Support\nSubject: RE\n\n",
    "-----Ursprüngliche Nachricht-----\nVon: Jane Roe\nGesendet: 24.11.2026\nAn: Support\nBetreff: AW\n\n",
    "________________________________\nFrom: Jane Roe\nSent: Tuesday\nTo: Support\nSubject: RE\n\n",
    "De : Jane Roe\nEnvoyé : mardi 24 novembre 2026\nÀ : Support\nObjet : RE\n\n",
    "De: Jane Roe\nEnviado el: martes, 24 de noviembre de 2026\nPara: Support\nAsunto: RE\n\n",
    "------------------ 原始邮件 ------------------\n发件人: 张三\n发送时间: 2026年11月24日\n主题: 投诉\n\n",
    "---- 回复的原邮件 ----\n| 发件人 | 张三 |\n| 日期 | 2026年11月24日 |\n| 收件人 | 客服 |\n| 主题 | 投诉 |\n",
    "寄件者: 張三\n寄件日期: 2026年11月24日\n收件者: 客服\n主旨: 投訴\n\n",
    "差出人: 山田\n送信日時: 2026年11月24日\n宛先: サポート\n件名: RE\n\n",
    "##- Please type your reply above this line -##\n\nJane Roe, Nov 24\n\n",
]


@pytest.mark.parametrize("between", ATTRIBUTIONS)
@pytest.mark.parametrize("new", ["Thanks, it works now.", "谢谢，已经收到了。"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_history_is_left_out(new, between, newline):
    text = f"{new}\n\n{between}{OLD}".replace("\n", newline)
    body = read_body(text)
    assert body.parts.joined(text) == new
    assert body.quoted


@pytest.mark.parametrize(
    "text",
    [
        'On Monday the driver wrote: "nobody at home".\nI was at home all day.',
        "> 3 weeks and still no parcel.\nUnbelievable.",
        "From: Leeds\nTo: York\nThe train was two hours late.",
        "The seller wrote:\nwe will refund you\nThat was in May.",
        "Two problems:\n- the lid is cracked\n- the plug is missing",
        "Betreff: Lieferung\nDas Paket ist nicht da.",
        "See below\n\n---------- Forwarded message ---------\nFrom: J\nDate: Tue\nSubject: x\nTo: y\n\nIt burns.",
    ],
)
def test_what_is_not_history_stays(text):
    body = read_body(text)
    assert body.parts.are_all_of(text)
    assert not body.quoted


def test_answers_between_quotes_are_read_together():
    text = "> Does the light come on?\n\nNo.\n\n> Another socket?\n\nTwice, no change."
    body = read_body(text)
    assert body.parts.joined(text) == "No.\n\nTwice, no change."
    assert len(body.parts.ranges) == 2


def test_an_answer_below_the_quote():
    text = "On 24/11/2026 09:12, Jane wrote:\n> Lost.\n> Rude.\n\nThanks, that was quick."
    assert read_body(text).parts.joined(text) == "Thanks, that was quick."


@pytest.mark.parametrize(
    "text", ["> The parcel is lost\n> I am furious.", "-----Original Message-----\nFrom: J\n\nLost."]
)
def test_all_history_is_read_as_it_is(text):
    body = read_body(text)
    assert body.parts.are_all_of(text)
    assert not body.quoted


_LINES = st.sampled_from(
    [
        "> old", ">", "", "new words", "-- ", "Regards,", "Jane Roe", "On 24/11/2026 Jane wrote:", "From: Jane",
        "To: shop", "Subject: x", "Sent from my iPhone", "CONFIDENTIAL: delete it", "I want my money",
        "此邮件仅供收件人", "写道：",
    ]
)  # fmt: skip


@given(st.lists(_LINES, min_size=1, max_size=14), st.sampled_from(["\n", "\r\n", "\r"]))
def test_parts_are_in_order_and_hold_something(lines, newline):
    text = newline.join(lines).strip() or "x"
    parts = read_body(text).parts
    position = 0
    for start, end in parts.ranges:
        assert position <= start < end <= len(text)
        position = end + 1
    assert parts.joined(text).strip()
    assert len(parts.masked(text)) == len(text)


@given(st.text(min_size=1, max_size=60), st.data())
def test_offsets_come_back(text, data):
    cuts = sorted(data.draw(st.sets(st.integers(0, len(text)), min_size=2, max_size=6)))
    ranges = tuple(zip(cuts[::2], cuts[1::2], strict=False))
    if not ranges:
        return
    parts = TextParts(ranges)
    joined, position = parts.joined(text), 0
    for start, end in ranges:
        for offset in range(start, end):
            assert parts.original(position + offset - start) == offset
            assert joined[position + offset - start] == text[offset]
        position += end - start + 2


def test_a_line_of_any_words_above_the_headers_belongs_to_them():
    text = "Still broken.\n\n===== Vorige bericht =====\nFrom: a@example.com\nSent: Monday\nTo: b@example.com\n\nHello"
    assert read_body(text).parts.joined(text) == "Still broken."
