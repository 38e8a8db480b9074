"""Takes the pictures of docs/img: `.venv/bin/python tests/support/console_pictures.py docs/img`, in 3 minutes.

Needs a Chromium and Pillow. The pages show two weeks of made-up feedback; for the last two the worker was frozen.
"""

import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from browser import Browser
from console_seed import seed_index
from indices import own_settings
from kafka import KafkaProducer
from PIL import Image

from triage.clock import SystemClock
from triage.config import KafkaSettings
from triage.elastic.client import connect
from triage.elastic.plan import apply, plan_index
from triage.local.stack import Endpoints, LocalStack
from triage.topics import apply_topics

_PREFIX = "feedback"
_WIDE, _HIGH, _PHONE = 1280, 1250, (400, 900)
_URL = "http://127.0.0.1:18095"
_STUCK_S, _JOIN_S, _SETTLE_S = 40.0, 30.0, 5.0
_MAX_BYTES = 90_000
_BAD = (b"not JSON", b'{"channel": "complaint"}', b'{"text": ["a"]}', b'{"text": "late", "created_at": "yesterday"}')


def main(folder: Path) -> None:
    """Write six pictures."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        work = Path(name)
        with LocalStack(work / "stack") as stack, _seeded(stack, work) as freeze:
            browser = Browser(work / "profile", "--accept-lang=en", "--hide-scrollbars")

            def take(picture: str, path: str, size: tuple[int, int], scheme: str = "light") -> None:
                browser.prefer(scheme)
                browser.resize(*size)
                browser.open(f"{_URL}/{path}")
                browser.wait_for("document.querySelector('main section table, main .tile')")
                time.sleep(_SETTLE_S)
                browser.screenshot(work / "page.png", whole=False)
                _save_small(Image.open(work / "page.png").convert("RGB"), folder / f"console-{picture}.webp")

            try:
                browser.live_in("Europe/Berlin")
                browser.open(f"{_URL}/explore")  # tells the console the zone
                browser.wait_for_text("Berlin")
                take("light", "", (_WIDE, _HIGH))
                take("phone", "", _PHONE)
                take("explore", "explore?compare=1", (_WIDE, _HIGH))
                freeze()
                take("behind", "", (_WIDE, 400))
                take("fleet", "fleet", (_WIDE, _HIGH))
            finally:
                browser.close()


def _save_small(picture: Image.Image, path: Path) -> None:
    """Without loss in WebP, with as many colours as fit into the size; not dithered, which is noise around letters."""
    for colours in (256, 192, 128, 96, 64):
        few = picture.quantize(colours, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
        few.convert("RGB").save(path, lossless=True, quality=100, method=6)
        if path.stat().st_size <= _MAX_BYTES:
            return


@contextmanager
def _seeded(stack: Endpoints, work: Path) -> Iterator[Callable[[], None]]:
    """A console at `_URL` with records, an alert and dead letters; yields a call that freezes the worker with a lag."""
    settings, clock = own_settings(stack.elasticsearch_url, _PREFIX), SystemClock()
    client = connect(settings)
    apply(client, plan_index(client, settings, clock))
    apply_topics(KafkaSettings(bootstrap_servers=stack.bootstrap_servers))
    seed_index(client, settings, clock.now_ms(), per_day=200)
    options = [
        "--elasticsearch", stack.elasticsearch_url, "--bootstrap-servers", stack.bootstrap_servers,
        "--set", f"elasticsearch.alerts_index={settings.alerts_index}", "--set", "logging.format=json",
        "--set", "worker.health_port=18094", "--set", "alerting.health_port=18093",
        "--set", f"alerting.console_url={_URL}",
    ]  # fmt: skip
    worker = _start(work, "worker", *options, "--slot", "demo")
    alerter = _start(work, "alerter", *options)
    console = _start(work, "console", *options, "--port", _URL.rpartition(":")[2])
    producer = KafkaProducer(bootstrap_servers=stack.bootstrap_servers)

    def freeze() -> None:
        worker.send_signal(signal.SIGSTOP)
        for number in range(400):
            producer.send("feedback.complaints", json.dumps({"text": f"Where is parcel {number}?"}).encode())
        producer.flush()
        time.sleep(_STUCK_S)

    try:
        assert _logged(console, "console_started")["url"] == _URL
        for value in _BAD:
            producer.send("feedback.complaints", value)
        producer.flush()
        time.sleep(_JOIN_S)
        yield freeze
    finally:
        for process in (worker, alerter, console):
            process.kill()
            process.wait()
        producer.close()
        client.close()


def _start(work: Path, command: str, *options: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "triage", command, *options], cwd=work, stderr=subprocess.PIPE, text=True
    )


def _logged(process: "subprocess.Popen[str]", event: str) -> dict[str, str]:
    assert process.stderr is not None
    found: dict[str, str] = json.loads(next(line for line in process.stderr if f'"{event}"' in line))
    return found


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
