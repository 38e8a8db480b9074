"""An HTTP proxy in front of Elasticsearch that refuses requests or items as an overloaded cluster does."""

import http.client
import json
import random
from typing import Any
from urllib.parse import urlsplit

from scripted_http import ScriptedServer, Sent

REJECTED = {"type": "es_rejected_execution_exception", "reason": "rejected execution of coordinating operation"}
NO_SHARD = {"type": "unavailable_shards_exception", "reason": "[feedback][0] primary shard is not active Timeout: [1m]"}
NO_MASTER = {"type": "cluster_block_exception", "reason": "blocked by: [SERVICE_UNAVAILABLE/2/no master];"}
# What an index is at fault for, by mode: (status, error) of each item, as a real 9.5 node says it.
INDEX_FAULTS = {
    "lacks a field": (
        400,
        {
            "type": "strict_dynamic_mapping_exception",
            "reason": "[1:153] mapping set to strict, dynamic introduction of [language] within [_doc] is not allowed",
        },
    ),
    "closed": (400, {"type": "index_closed_exception", "reason": "closed"}),
    "read-only": (
        403,
        {"type": "cluster_block_exception", "reason": "index [i] blocked by: [FORBIDDEN/8/index write (api)];"},
    ),
    "name taken": (
        400,
        {
            "type": "invalid_alias_name_exception",
            "reason": "Invalid alias name [i]: an index, data stream, ESQL view, or ESQL dataset exists with the same "
            "name as the alias",
        },
    ),
}


class ElasticProxy:
    """`mode` is None (forward), "429", "503" or "items": a third of each bulk is withheld and refused item by item.

    "late" answers with 503 after the request was carried out: the client must repeat what is already stored. A mode of
    INDEX_FAULTS refuses every document, as an index that must be mended.
    """

    def __init__(self, url: str, rng: random.Random | None = None) -> None:
        self._host = urlsplit(url).netloc
        self._rng = rng or random.Random(0)
        self.mode: str | None = None
        self.refused = 0
        self._server = ScriptedServer(self._answer, keep=False)
        self.url = self._server.url

    @property
    def port(self) -> int:
        return urlsplit(self.url).port or 80

    def close(self) -> None:
        self._server.close()

    def _answer(self, sent: Sent) -> tuple[Any, ...] | None:
        mode = self.mode
        if mode in {"429", "503"}:
            self.refused += 1
            status, cause = (429, REJECTED) if mode == "429" else (503, NO_MASTER)
            return status, {"error": {"root_cause": [cause], **cause}, "status": status}
        if mode in INDEX_FAULTS and sent.path.startswith("/_bulk"):
            self.refused += 1
            status, error = INDEX_FAULTS[mode]
            refused = {"index": {"status": status, "error": error}}
            return 200, {"errors": True, "items": [refused] * (len(sent.body.splitlines()) // 2)}
        if mode == "items" and sent.path.startswith("/_bulk"):
            return self._by_item(sent)
        answered = self._forward(sent, sent.body)
        if mode == "late" and answered is not None:
            self.refused += 1
            return 503, {"error": {"root_cause": [NO_MASTER], **NO_MASTER}, "status": 503}
        return answered

    def _by_item(self, sent: Sent) -> tuple[Any, ...] | None:
        lines = sent.body.splitlines(keepends=True)
        pairs = list(zip(lines[::2], lines[1::2], strict=True))
        passed = [self._rng.random() > 1 / 3 for _ in pairs]
        kept = b"".join(action + source for (action, source), keep in zip(pairs, passed, strict=True) if keep)
        if not kept:
            self.refused += 1
            return 429, {"error": {"root_cause": [REJECTED], **REJECTED}, "status": 429}
        answered = self._forward(sent, kept)
        if answered is None or answered[0] != 200:
            return answered
        done = iter(json.loads(answered[1])["items"])
        items = [next(done) if keep else {"index": self._refusal()} for keep in passed]
        return 200, {"errors": True, "items": items}

    def _refusal(self) -> dict[str, Any]:
        self.refused += 1
        status, error = self._rng.choice([(429, REJECTED), (503, NO_SHARD)])
        return {"status": status, "error": error}

    def _forward(self, sent: Sent, body: bytes) -> tuple[Any, ...] | None:
        connection = http.client.HTTPConnection(self._host, timeout=120)
        headers = {n: v for n, v in sent.headers.items() if n.lower() not in {"host", "content-length", "connection"}}
        try:
            connection.request(sent.method, sent.path, body, headers)
            response = connection.getresponse()
            payload = response.read()
            kept = {name: response.getheader(name) for name in ("content-type", "x-elastic-product")}
        except (OSError, http.client.HTTPException):
            return None
        else:
            return response.status, payload, kept
        finally:
            connection.close()
