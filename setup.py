"""Copies the model, the topic files and the test texts into the wheel, as `triage/_data`.

In a checkout they stay at the top level, where `triage.paths.resource` finds them. The rest of the build is in
pyproject.toml.
"""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
PACKAGED = "triage/_data"  # triage.paths knows it by this name


def data_files() -> list[str]:
    """Paths, relative to the checkout, of what the wheel holds besides Python: only the model that serves."""
    current = ROOT / "onnx" / "CURRENT"
    if not current.is_file():
        raise SystemExit(f"{current} is missing: the wheel would have no model; check out the whole repository")
    folders = [ROOT / "onnx" / current.read_text("utf-8").strip(), ROOT / "topics", ROOT / "benchmarks" / "data"]
    files = [current, *(path for folder in folders for path in folder.rglob("*") if path.is_file())]
    return sorted(str(path.relative_to(ROOT)) for path in files if not path.name.startswith("."))


class BuildWithData(build_py):
    """Adds the data files to the package. An editable install needs no copy: it runs from the checkout."""

    def run(self) -> None:
        super().run()
        for source, target in self._copies().items():
            Path(target).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / source, target)

    def get_source_files(self) -> list[str]:  # these go into the sdist
        return [*super().get_source_files(), *data_files()]

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        return [*super().get_outputs(include_bytecode), *self._copies().values()]

    def get_output_mapping(self) -> dict[str, str]:
        return super().get_output_mapping() | {target: source for source, target in self._copies().items()}

    def _copies(self) -> dict[str, str]:
        if self.editable_mode:
            return {}
        return {source: str(Path(self.build_lib, PACKAGED, source)) for source in data_files()}


setup(cmdclass={"build_py": BuildWithData})
