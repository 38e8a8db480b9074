"""Settings for indices that only one test uses, and their removal."""

from typing import Any

from triage.config import ElasticsearchSettings
from triage.elastic.client import connect
from triage.elastic.template import (
    alerts_template_name,
    conversations_template_name,
    corrections_template_name,
    daily_template_name,
    feedback_template_name,
)


def own_settings(url: str, prefix: str, **changes: Any) -> ElasticsearchSettings:
    return ElasticsearchSettings(
        url=url,
        index_prefix=prefix,
        alerts_index=f"{prefix}_alerts",
        request_timeout_s=30,
        start_timeout_s=30,
        **changes,
    )


def remove(settings: ElasticsearchSettings) -> None:
    client = connect(settings)
    names = list(client.indices.get_mapping(index=f"{settings.index_prefix}-*").body)
    singles = (settings.alerts_index, settings.corrections(), settings.conversations())
    names += [name for name in singles if client.indices.exists(index=name)]
    for name in names:
        client.indices.delete(index=name)
    for name in (
        feedback_template_name(settings.index_prefix),
        daily_template_name(settings.index_prefix),
        alerts_template_name(settings.alerts_index),
        corrections_template_name(settings.corrections()),
        conversations_template_name(settings.conversations()),
    ):
        client.options(ignore_status=404).indices.delete_index_template(name=name)
    client.close()
