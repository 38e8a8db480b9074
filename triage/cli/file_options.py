"""Options of the commands that read files: time format, encoding, delimiter, preset."""

from typing import TYPE_CHECKING, Annotated

import typer

from triage.errors import ConfigError

if TYPE_CHECKING:
    from triage.schemas.event_time import TimeForm

TimeZoneOption = Annotated[
    str | None,
    typer.Option(
        "--time-zone",
        metavar="ZONE",
        help="Zone of times without an offset, e.g. Asia/Shanghai [default: worker.time_zones, else UTC]",
        show_default=False,
    ),
]
TimeFormatOption = Annotated[
    str | None,
    typer.Option(
        "--time-format",
        metavar="FORMAT",
        help="Form of created_at: epoch_s, epoch_ms or strptime's, e.g. %d/%m/%Y",
        show_default=False,
    ),
]
EncodingOption = Annotated[
    str | None,
    typer.Option("--encoding", help="Encoding, e.g. gb18030, utf-16, cp1252 [default: guessed]", show_default=False),
]
DelimiterOption = Annotated[
    str | None,
    typer.Option("--delimiter", help="One character, or tab [default: by the first line]", show_default=False),
]
PresetOption = Annotated[
    str | None,
    typer.Option(
        "--preset",
        metavar="NAME",
        help="Columns and times of zendesk, freshdesk, intercom, appstore, googleplay, trustpilot, cfpb, jd, taobao, x "
        "or reddit",
        show_default=False,
    ),
]


def time_form_from(zone: str | None, form: str | None) -> "TimeForm | None":
    """The time zone and format from `--time-zone` and `--time-format`; None if neither is given.

    Raises ConfigError for invalid values.
    """
    from triage.clock import zone_named
    from triage.schemas.event_time import TimeForm, check_time_format

    if not zone and not form:
        return None
    problems = []
    found = None
    try:
        found = zone_named(zone) if zone else None
    except ValueError as error:
        problems.append(f"--time-zone {error}")
    try:
        check_time_format(form or "epoch_ms")
    except ValueError as error:
        problems.append(f"--time-format {error}")
    if problems:
        raise ConfigError(problems)
    return TimeForm(found, (form,) if form else ())
