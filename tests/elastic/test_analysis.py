"""Full text in both languages, where the server has the analysis module."""

import pytest

from triage.clock import rfc3339
from triage.elastic import search
from triage.elastic.plan import apply, plan_index
from triage.elastic.template import probe
from triage.sinks.base import Document
from triage.sinks.elasticsearch import IndexSink

pytestmark = pytest.mark.stack


def test_chinese_is_found_by_words_and_english_by_stems(client, settings, clock):
    apply(client, plan_index(client, settings, clock))
    texts = {"zh": "快递太慢了，客服不理人", "other": "快乐地传递消息", "en": "Two refunds were not delivered"}
    index = f"{settings.index_prefix}-2026.11.22"
    body = '{"@timestamp": "%s", "text": "%s"}'
    IndexSink(client, settings).write(
        [Document(name, index, 1, (body % (rfc3339(clock.now_ms()), text)).encode()) for name, text in texts.items()]
    )
    client.indices.refresh(index=index)

    def found(text):
        query = {"match": {"text": {"query": text, "operator": "and"}}}
        return {hit["_id"] for hit in client.search(index=settings.index_prefix, query=query)["hits"]["hits"]}

    assert found("refunds delivered") == {"en"}
    assert found("not delivered") == {"en"}
    assert "zh" in found("快递")
    assert found("慢") == {"zh"}
    if probe(client).analysis:
        assert found("快递") == {"zh"}
        assert found("refund") == {"en"}
    else:
        assert found("快递") == {"zh", "other"}
        assert found("refund") == set()
    assert search.totals(client, settings).total == 0
