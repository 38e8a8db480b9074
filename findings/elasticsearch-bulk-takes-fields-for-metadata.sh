#!/usr/bin/env bash
# The bulk helpers take fields of a flat document out and send them as instructions to Elasticsearch.
#
# Library:    elasticsearch 9.5.1 (Python client), helpers.bulk and its kin
# Expected:   In an action without `_source` the keys with an underscore are metadata, and all others are the
#             document.
# Seen:       `routing`, `version`, `version_type`, `parent`, `pipeline`, `retry_on_conflict`, `if_seq_no` and
#             `if_primary_term` are metadata too, without the underscore. They leave the document:
#                 given:    {'_index': 'feedback', '_id': '7', 'text': 'late', 'routing': 'logistics', 'pipeline': 'app'}
#                 action:   {'index': {'_id': '7', '_index': 'feedback', 'pipeline': 'app', 'routing': 'logistics'}}
#                 document: {'text': 'late'}
# Why:        `routing` (which team gets the complaint) and `version` (of the app) are natural fields of a record.
#             With them documents of one id land on several shards, are not found by id, and are indexed twice; a
#             `pipeline` runs whatever ingest pipeline has that name. Unit tests on the record see nothing of it.
# Workaround: Give the document in `_source`. Always.
# See also:   https://github.com/elastic/elasticsearch-py/pull/735 (where the names came in)
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet elasticsearch==9.5.1
"$work/venv/bin/python" - <<'PYTHON'
from elasticsearch import helpers

given = {"_index": "feedback", "_id": "7", "text": "late", "routing": "logistics", "pipeline": "app"}
print("given:   ", given)
action, document = helpers.expand_action(dict(given))
print("action:  ", action)
print("document:", document)
meta = {name: given[name] for name in ("_id", "_index", "pipeline", "routing")}
if action != {"index": meta} or document != {"text": "late"}:
    raise SystemExit("the behaviour has changed")
PYTHON
