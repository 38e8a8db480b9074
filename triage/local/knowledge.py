"""Brings the demo's articles, catalogue and resolved cases into its index, by the commands that owners use."""

import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from triage.paths import resource

_COMMANDS: tuple[tuple[str, ...], ...] = (
    ("knowledge", "encoder", "build"),
    ("guide", "apply"),
    ("knowledge", "apply"),
    ("cases", "import"),
    ("cases", "index"),
)


class DemoKnowledge:
    """Runs the commands that index the demo's articles, catalogue and cases, in turn, on a thread while records flow.

    Without a package index the encoder is not built: articles are found by words alone then. The output of the commands
    is appended to the file `log`; `say` receives messages for the user.
    """

    def __init__(self, environment: Mapping[str, str], log: Path, say: Callable[[str], None]) -> None:
        self._environment, self._log, self._say = dict(environment), log, say
        self._thread = threading.Thread(target=self._run, name="demo-knowledge", daemon=True)
        self._process: subprocess.Popen[bytes] | None = None
        self._stop = threading.Event()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End the running command."""
        self._stop.set()
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
        self._thread.join(10)

    def _run(self) -> None:
        folder = resource("topics/knowledge")
        files = {
            ("knowledge", "apply"): folder / "articles.jsonl.bz2",
            ("guide", "apply"): resource("topics/feed/catalogue.csv"),
            ("cases", "import"): folder / "cases.jsonl.bz2",
        }
        failed = []
        with self._log.open("ab") as log:
            for command in _COMMANDS:
                if self._stop.is_set():
                    return
                arguments = [sys.executable, "-m", "triage", *command]
                if command in files:
                    arguments.append(str(files[command]))
                self._process = subprocess.Popen(  # noqa: S603 - our own commands
                    arguments,
                    env=self._environment,
                    stdout=log,
                    stderr=log,
                    stdin=subprocess.DEVNULL,
                    start_new_session=True,
                )
                if self._process.wait() != 0:
                    failed.append(" ".join(command))
        if not self._stop.is_set():
            told = f"without {', '.join(failed)}: see {self._log}" if failed else "with sentence vectors"
            self._say(f"articles, catalogue and resolved cases are in the index, {told}; open a record, or the guide")
