"""Runs the console script in this process, as its user sees it."""

from dataclasses import dataclass

from triage.cli.main import main


@dataclass
class Outcome:
    code: int
    out: str
    err: str


def run(capfd, *arguments):
    """Exit code, standard output and standard error of `triage ARGUMENTS`."""
    try:
        main([str(argument) for argument in arguments])
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    captured = capfd.readouterr()
    return Outcome(code or 0, captured.out, captured.err)
