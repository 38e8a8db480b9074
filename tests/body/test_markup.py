"""Markup becomes the text that a reader would see."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.body import plain_text, read_body


@pytest.mark.parametrize(
    ("marked", "plain"),
    [
        ("<p>Parcel&nbsp;never arrived &amp; I&#39;m <b>angry</b></p><br/>", "Parcel never arrived & I'm angry"),
        ("It doesn&amp;#39;t work &amp;amp; I can&amp;#39;t", "It doesn't work & I can't"),
        ("<div>Two things:<ul><li>lid</li><li>plug</li></ul></div>", "Two things:\n\nlid\n\nplug"),
        ("我的手机<span>138</span><span>0013</span><span>8000</span>", "我的手机13800138000"),
        ("<style>p {color: red}</style><p>Text</p><script>x()</script>", "Text"),
        ('<div style="display:none">preview</div><div>Text</div>', "Text"),
        ('<a href="mailto:jane@example.com">write to me</a>', "write to me <jane@example.com>"),
        ('<a href="https://a.example/x">https://a.example/x</a>', "https://a.example/x"),
        ("[b]Late[/b] [url=https://a.example]here[/url]", "Late here <https://a.example>"),
        ("**Late** ![image](https://a.example/a.png)", "Late"),
        ("[see](https://a.example/x) it", "see <https://a.example/x> it"),
        ("<table><tr><td>a</td><td>b</td></tr></table>", "a b"),
    ],
)
def test_markup_goes(marked, plain):
    assert plain_text(marked) == plain


@pytest.mark.parametrize(
    "text",
    [
        "Temperature < 5 degrees or > 30 and it stops. 3 < 5 kg.",
        "H&M and R&D are fine, AT&T is not",
        "Jane <jane@example.com> wrote",
        "[b] is a tag and [EMAIL] a placeholder",
        "2 ** 3 and __init__",
        "a[0](1) and ![",
        "if (a<b && c>d) {}",
        "快递三天没到",
    ],
)
def test_what_is_not_markup_stays(text):
    assert plain_text(text) == text


def test_quotes_become_marked_lines():
    html = "<div>Thanks</div><blockquote>Dear team,<br>it is broken<blockquote>older</blockquote></blockquote>"
    assert plain_text(html).splitlines() == ["Thanks", "", "> Dear team,", "> it is broken", "> > older"]


def test_a_text_of_markup_alone_stays():
    assert plain_text("<p></p>") == "<p></p>"


@given(st.text(alphabet=st.sampled_from(list("ab<>/&;[]()*_=\"' \n#39p")), max_size=80))
def test_a_text_is_never_lost(text):
    assert bool(plain_text(text)) == bool(text)


@pytest.mark.parametrize(
    ("marked", "plain"),
    [
        ("&amp;amp;lt;", "<"),
        ("&amp;amp;amp;lt;", "&lt;"),
        ("a&#x41;&#66;b", "aABb"),
        ("<p>one</p><p>two</p>", "one\n\ntwo"),
        ("<div>one</div><div>two</div>", "one\n\ntwo"),
        ("<div>one<br>two</div>", "one\ntwo"),
        ("<div>a  \n b</div>", "a b"),
        ("<a href='https://a.example/x/'>here</a>", "here <https://a.example/x>"),
        ("<a href='https://a.example/x/'>https://a.example/x</a>", "https://a.example/x"),
        ("<a href='tel:123'>123</a>", "123"),
        ("<a href='javascript:x()'>here</a>", "here"),
        ("<a>here</a>", "here"),
        ("<p style='visibility : hidden'>x</p><p style='color: red'>y</p>", "y"),
        ("a **b** c", "a b c"),
        ("a **b c", "a **b c"),
        ("<blockquote>a</blockquote>b", "> a\n\nb"),
    ],
)
def test_what_a_reader_would_see(marked, plain):
    assert plain_text(marked) == plain


def test_marks_of_quotes_are_repeated_four_times():
    for depth, marks in ((3, 3), (4, 4), (5, 4)):
        assert plain_text("<blockquote>" * depth + "a" + "</blockquote>" * depth).splitlines()[-1] == "> " * marks + "a"


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("# Complaint\n\nThe *third* kettle is `E4` again", "Complaint\n\nThe third kettle is E4 again"),
        ("### Late\nStill nothing", "Late\nStill nothing"),
        ("# 3 is broken\nsend another", "# 3 is broken\nsend another"),
        ("#Complaint about 2 * 3 * 4 bolts", "#Complaint about 2 * 3 * 4 bolts"),
        ("card ending **** 1234 * see below", "card ending **** 1234 * see below"),
        ('<input type="hidden" value="604418">Your page shows nothing', "Your page shows nothing"),
        ("<p hidden>secret</p>Visible <select><option>One</option></select>", "Visible"),
        ('<div style="font-size:0">preheader</div>Visible', "Visible"),
    ],
)
def test_markdown_and_hidden_parts(text, plain):
    assert plain_text(text) == plain


def test_an_address_in_angle_brackets_is_text_within_html():
    assert plain_text("<p>From: Jane &lt;jane@example.com&gt;</p>") == "From: Jane <jane@example.com>"
    assert plain_text("<p>See <https://example.com/a></p>") == "See <https://example.com/a>"
    assert plain_text('<a href="mailto:jane@example.com">Jane</a>') == "Jane <jane@example.com>"


def test_headers_that_are_paragraphs_of_html_begin_history():
    text = "<p>New.</p><p>From: Jane</p><p>Sent: Tuesday</p><p>To: Support</p><p>Subject: Re</p><p>Old.</p>"
    plain = plain_text(text)
    assert read_body(plain).parts.joined(plain) == "New."
