"""Stops a process cleanly on SIGTERM and SIGINT, within a time limit."""

import os
import signal
import threading
from collections.abc import Callable
from types import FrameType

from triage.logging import get_logger

log = get_logger("triage.shutdown")


def stop_on_signals(stop: Callable[[], None], drain_timeout_s: float) -> None:
    """Call `stop` on the first SIGTERM or SIGINT; exit after `drain_timeout_s` seconds, or at once on a second signal.

    A forced exit is safe: the broker aborts an open transaction, and its records are read again.
    """

    def on_signal(number: int, frame: FrameType | None) -> None:
        del frame
        if stopping.is_set():
            os._exit(1)
        stopping.set()
        log.info("stopping", signal=signal.Signals(number).name, drain_timeout_s=drain_timeout_s)
        stop()
        timer = threading.Timer(drain_timeout_s, give_up)
        timer.daemon = True
        timer.start()

    def give_up() -> None:
        log.error("drain_timed_out", after_s=drain_timeout_s, lost="nothing: uncommitted records are read again")
        os._exit(1)

    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)
