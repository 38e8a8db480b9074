"""Checks that the packages for all compression codecs of Kafka are installed, so that every batch can be read."""

from triage.errors import ConfigError

_PACKAGES = {"snappy": "python-snappy", "lz4": "lz4", "zstd": "zstandard"}


def require_codecs() -> None:
    """Raise ConfigError, naming the missing packages, if batches of some compression codec cannot be read."""
    from kafka import codec

    found = {"snappy": codec.has_snappy(), "lz4": codec.has_lz4(), "zstd": codec.has_zstd()}
    if missing := [name for name, there in found.items() if not there]:
        raise ConfigError(
            f"kafka: batches compressed with {', '.join(missing)} can't be read; "
            f"pip install {' '.join(_PACKAGES[name] for name in missing)}"
        )
