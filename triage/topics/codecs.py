"""Requires the codecs in which producers may compress batches: without one, no batch in it could be read."""

from triage.errors import ConfigError

_PACKAGES = {"snappy": "python-snappy", "lz4": "lz4", "zstd": "zstandard"}


def require_codecs() -> None:
    """Raises ConfigError with the packages that are missing."""
    from kafka import codec

    found = {"snappy": codec.has_snappy(), "lz4": codec.has_lz4(), "zstd": codec.has_zstd()}
    if missing := [name for name, there in found.items() if not there]:
        raise ConfigError(
            f"kafka: batches compressed with {', '.join(missing)} can't be read; "
            f"pip install {' '.join(_PACKAGES[name] for name in missing)}"
        )
