"""`make bench NAME=bodies`: cost of the body step, and how many mail threads it reads right, with two libraries.

The rivals mail-parser-reply and email-reply-parser are measured where they are installed
(`.venv/bin/python -m pip install mail-parser-reply email-reply-parser`). Where they leave nothing, the whole text
counts. The threads are those of tests/cases.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec

from benchmarks.report import ROOT, Row, publish
from triage.body import plain_text, read_body

sys.path.insert(0, str(ROOT / "tests" / "support"))

from cases import load

_PLAIN = (
    "The parcel was due on Tuesday and still nothing has arrived, your courier does not answer the phone at all.",
    "快递三天没到，客服也不理，太差了，我要投诉你们，电话一直打不通。",
    "My card was charged twice for one order and the refund has been pending for two weeks now.",
)


def ours(text: str) -> str:
    plain = plain_text(text)
    return read_body(plain).parts.joined(plain)


def readers() -> dict[str, Callable[[str], str]]:
    found: dict[str, Callable[[str], str]] = {"triage": ours}
    if find_spec("mailparser_reply"):
        from mailparser_reply import EmailReplyParser

        languages = ["en", "de", "fr", "es", "ja", "zh"]
        found["mail-parser-reply"] = lambda text: str(
            EmailReplyParser(languages=languages).parse_reply(text=text) or ""
        )
    if find_spec("email_reply_parser"):
        from email_reply_parser import EmailReplyParser as Replies

        found["email-reply-parser"] = lambda text: str(Replies.parse_reply(text) or "")
    return found


def squeezed(text: str) -> str:
    return " ".join(text.split())


def timed(read: Callable[[str], str], texts: list[str]) -> float:
    """Microseconds of processor time that `read` takes per text."""
    started = time.process_time()
    for text in texts:
        read(text)
    return (time.process_time() - started) / len(texts) * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    arguments = parser.parse_args()
    threads = [case for case in load("threads") if "newest_part" in case.want and not case.unclear]
    texts = [str(case.given["text"]).strip() for case in threads]
    rows = []
    for name, read in readers().items():
        right = sum(
            squeezed(read(text)) in {squeezed(str(case.want["newest_part"]))}
            or (not squeezed(read(text)) and squeezed(text) == squeezed(str(case.want["newest_part"])))
            for case, text in zip(threads, texts, strict=True)
        )
        plain = [timed(read, list(_PLAIN) * 200) for _ in range(arguments.rounds)]
        mails = [timed(read, texts * 5) for _ in range(arguments.rounds)]
        rows.append(Row(f"{name}: a line", "us", min(plain), statistics.median(plain), max(plain), arguments.rounds))
        more = {"right": float(right), "of": float(len(threads))}
        rows.append(
            Row(
                f"{name}: a mail thread", "us", min(mails), statistics.median(mails), max(mails), arguments.rounds, more
            )
        )
    publish("bodies", rows)


if __name__ == "__main__":
    main()
