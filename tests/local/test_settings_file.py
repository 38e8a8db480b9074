"""The settings of a demo can be read back by any command, without its secrets."""

from datetime import UTC, datetime

from pydantic import SecretStr

from triage.config import load_settings
from triage.local.settings_file import write_settings


def test_what_is_written_is_read_back(tmp_path):
    path = tmp_path / "demo" / "triage.toml"
    origin = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
    flags = {
        "kafka.bootstrap_servers": "127.0.0.1:9092",
        "kafka.sasl_password": SecretStr("hidden"),
        "elasticsearch.username": None,
        "worker.health_port": 4711,
        "worker.channels": ["complaint", "review"],
        "alerting.data_dir": 'a "quoted"\\folder',
        "clock.origin": origin,
        "clock.anchor": origin,
        "clock.speed": 12.5,
        "model.allow_fallback": True,
    }
    write_settings(path, flags)
    assert "hidden" not in path.read_text()
    settings = load_settings(path)
    assert settings.worker.health_port == 4711
    assert settings.worker.channels == ["complaint", "review"]
    assert str(settings.alerting.data_dir) == 'a "quoted"\\folder'
    assert settings.clock.origin == origin
    assert settings.clock.speed == 12.5
    assert settings.model.allow_fallback is True
    assert settings.kafka.sasl_password is None
