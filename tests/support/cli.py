"""Runs the console script in this process."""

from dataclasses import dataclass

import pytest

from triage.cli.main import main


@dataclass
class Outcome:
    """Exit code, standard output and standard error."""

    code: int
    out: str
    err: str


def run(capfd: pytest.CaptureFixture[str], *arguments: object) -> Outcome:
    """Run `triage ARGUMENTS`."""
    code = 0
    try:
        main([str(argument) for argument in arguments])
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    captured = capfd.readouterr()
    return Outcome(code, captured.out, captured.err)
