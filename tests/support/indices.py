"""Settings for indices that only one test uses, and their removal."""

from typing import Any

from triage.config import ElasticsearchSettings
from triage.elastic.client import connect
from triage.elastic.template import daily_template_name, feedback_template_name, single_indices


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
    names += [name for _, name, _ in single_indices(settings) if client.indices.exists(index=name)]
    for name in names:
        client.indices.delete(index=name)
    for name in (
        feedback_template_name(settings.index_prefix),
        daily_template_name(settings.index_prefix),
        *(template for template, _, _ in single_indices(settings)),
    ):
        client.options(ignore_status=404).indices.delete_index_template(name=name)
    client.close()
