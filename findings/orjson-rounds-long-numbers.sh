#!/usr/bin/env bash
# orjson reads a whole number of 20 digits as a float, and writes back another number.
#
# Library:    orjson 3.13.0 (msgspec 0.22.0 and json for comparison)
# Expected:   Python's integers have no limit, and `dumps` refuses what exceeds 64 bits. So `loads` refuses it too,
#             or returns it unchanged, as json and msgspec do.
# Seen:       It silently becomes a float, and is written as a float again:
#                 given:   {"order":18446744073709551617}
#                 json:    {"order":18446744073709551617}
#                 msgspec: {"order":18446744073709551617}
#                 orjson:  {"order":1.8446744073709552e+19}
# Why:        Order and tracking numbers of 20 digits and more come as JSON numbers from systems that never parse
#             them. A record that only passes through gets a wrong id, and many orders get the same one. Joins and
#             deduplication break far from here, and for the longest ids only.
# Workaround: Decode with msgspec, by a type that has the field as int or str; or refuse floats where an id is
#             expected.
# See also:   https://github.com/ijl/orjson (the README gives the 64 bits for both directions, an error for one)
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet orjson==3.13.0 msgspec==0.22.0
"$work/venv/bin/python" - <<'PYTHON'
import json

import msgspec
import orjson

given = '{"order":18446744073709551617}'
print("given:  ", given)
by_json = json.dumps(json.loads(given), separators=(",", ":"))
print("json:   ", by_json)
by_msgspec = msgspec.json.encode(msgspec.json.decode(given)).decode()
print("msgspec:", by_msgspec)
by_orjson = orjson.dumps(orjson.loads(given)).decode()
print("orjson: ", by_orjson)
if not given == by_json == by_msgspec or by_orjson != '{"order":1.8446744073709552e+19}':
    raise SystemExit("the behaviour has changed")
PYTHON
