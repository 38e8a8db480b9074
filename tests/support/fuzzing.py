"""Fuzzing: changes inputs at random, and keeps each after which something failed, took too long or too much memory."""

import contextlib
import faulthandler
import hashlib
import random
import resource
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

MOST_S = 1.0
MOST_MIB = 256
_STUCK_S = 30
# For native code, which no signal interrupts: it ends the process.
_HOPELESS_S = 60
_LARGEST = 60_000
_TOKENS = [
    b"\x00",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\xed\xa0\x80",
    b"\xf0\x9f\x91\x8d",
    "我们".encode(),
    "\u202e\u200b".encode(),
    b"\r\n",
    b"\n",
    b"\t",
    b'"',
    b"'",
    b"\\",
    b"{",
    b"}",
    b"[",
    b"]",
    b"[[[[",
    b"{{",
    b"&a ",
    b"*a",
    b"<<: ",
    b"!!python/name:a ",
    b"- ",
    b": ",
    b"? ",
    b"null",
    b"true",
    b"NaN",
    b"-1",
    b"1e999",
    b"9" * 40,
    b"0x",
    b"1_0",
    b"2026-01-01",
    b"%00",
    b"%25",
    b"../",
    b"//",
    b";",
    b",",
    b"=",
    b"=1+1",
    b"<b>",
    b"{0}",
    b"%s",
    b"(a|a)*b",
    b"(a+)+",
    b"a{900}",
    b"(?=",
    b"\\1",
    b"|",
    b"*",
    b"+",
    b"?",
    b".",
]


class Finding(Exception):  # noqa: N818 - a result, not an error of the fuzzer
    """What is wrong with an input."""


@dataclass
class Target:
    """What is fuzzed: `run` takes one input and raises Finding; `make` makes one, by default from the seeds."""

    name: str
    run: Callable[[bytes], None]
    seeds: Sequence[bytes] = ()
    make: Callable[[random.Random], bytes] | None = None
    # Of a process that is fuzzed: checks it, and returns without harm at the end.
    look: Callable[[], None] = lambda: None
    inputs: int = field(default=0, init=False)

    def input(self, chance: random.Random) -> bytes:
        return self.make(chance) if self.make else mutated(chance, chance.choice(self.seeds), self.seeds)


def mutated(chance: random.Random, content: bytes, others: Sequence[bytes] = ()) -> bytes:
    """The content after one to six random changes."""
    changed = bytearray(content)
    for _ in range(chance.randint(1, 6)):
        _change(chance, changed, others)
    return bytes(changed[:_LARGEST])


def _change(chance: random.Random, content: bytearray, others: Sequence[bytes]) -> None:
    at = chance.randint(0, len(content))
    until = min(len(content), at + chance.choice([1, 2, 4, 16, 100]))
    match chance.randint(0, 7):
        case 0 if at < len(content):
            content[at] = chance.randint(0, 255)
        case 1:
            del content[at:until]
        case 2:
            content[at:at] = content[at:until] * chance.choice([1, 2, 10, 1_000])
        case 3:
            content[at:until] = content[chance.randint(0, len(content)) :][:50]
        case 4 if others:
            other = chance.choice(others)
            content[at:] = other[chance.randint(0, len(other)) :]
        case 5:
            del content[at:]
        case 6:
            content[at:at] = chance.choice(_TOKENS) * chance.choice([1, 1, 1, 5, 10_000])
        case _:
            content[at:until] = chance.choice(_TOKENS)


class Fuzzer:
    """Runs targets in turn; each finding is written to `folder`, with a name that says target and input."""

    def __init__(self, folder: Path, seed: int, say: Callable[[str], object]) -> None:
        self.folder = folder
        self.findings: list[str] = []
        self._chance = random.Random(seed)
        self._say = say
        folder.mkdir(parents=True, exist_ok=True)

    def run(self, targets: Sequence[Target], seconds: float) -> None:
        """Give each target the same time."""
        for target in targets:
            end = time.monotonic() + seconds / len(targets)
            while time.monotonic() < end:
                self.one(target, target.input(self._chance))
            self._look(target)
            self._say(f"{target.name}: {target.inputs} inputs")

    def one(self, target: Target, content: bytes) -> None:
        """Try one input; what fails once because the machine is busy is tried again."""
        target.inputs += 1
        current = self.folder / "current"
        current.write_bytes(content)
        try:
            with _limits():
                target.run(content)
        except Finding as finding:
            self._keep(target, content, str(finding))
        finally:
            current.unlink()

    def _look(self, target: Target) -> None:
        try:
            target.look()
        except Finding as finding:
            self._keep(target, b"", str(finding))

    def _keep(self, target: Target, content: bytes, why: str) -> None:
        path = self.folder / f"{target.name}-{hashlib.sha256(content).hexdigest()[:12]}"
        path.write_bytes(content)
        self.findings.append(f"{target.name}: {why}: {path}")
        self._say("FOUND " + self.findings[-1])


@contextlib.contextmanager
def _limits() -> Iterator[None]:
    """Interrupts what stands still; what holds the interpreter's lock, too, ends this process, and `current` stays."""

    def interrupt(number: int, frame: object) -> None:
        raise Finding(f"still running after {_STUCK_S} s")

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, _STUCK_S)
    faulthandler.dump_traceback_later(_HOPELESS_S, exit=True, file=sys.__stderr__ or sys.stderr)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def bounded(work: Callable[[], object], *expected: type[Exception]) -> None:
    """Run work of this process. Raises Finding for other errors, and if it takes too long each time or too much memory.

    Time is the thread's own, so that a busy machine does not count.
    """
    times: list[float] = []
    before = _peak_mib()
    for _ in range(3):
        began = time.thread_time()
        try:
            work()
        except expected:
            pass
        except Finding:
            raise
        except Exception as error:
            raise Finding(f"{type(error).__name__}: {str(error)[:200]}") from error
        times.append(time.thread_time() - began)
        if times[-1] < MOST_S:
            break
    if min(times) >= MOST_S:
        raise Finding(f"took {min(times):.1f} s")
    if (grown := _peak_mib() - before) > MOST_MIB:
        raise Finding(f"took {grown:.0f} MiB")


def _peak_mib() -> float:
    unit = 1024 if sys.platform == "linux" else 1024 * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
