#!/usr/bin/env bash
# "Derandomized" property tests try other examples when some module of the project was imported before.
#
# Library:    hypothesis 6.170.15
# Expected:   `derandomize=True` makes the same examples in each run, from a hash of the test function alone.
# Seen:       Since 6.131 Hypothesis also draws numbers and strings that it finds as literals in the modules loaded
#             so far, if they are local ones. Those are part of what decides:
#                 the test alone, twice:         the same examples: True
#                 with a module imported before: the same examples: False
#                 and it tries that module's constant: True
# Why:        Run alone, in another order, or by a worker of pytest-xdist, a test has other modules before it. A
#             failure in CI does not come back on the desk with the same seed, and a change of an unrelated file can
#             turn it on.
# Workaround: Import the whole project in conftest.py before the first test, so that the set is always the same;
#             give `@example(...)` for what must be tried.
# See also:   https://github.com/HypothesisWorks/hypothesis/pull/4356
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet hypothesis==6.170.15
cat >"$work/limits.py" <<'PYTHON'
MAX_AGE_S = 86413
PYTHON
cat >"$work/property.py" <<'PYTHON'
import sys

if sys.argv[1:]:
    import limits  # noqa: F401
from hypothesis import given, settings
from hypothesis import strategies as st

seen = []


@settings(derandomize=True, database=None, max_examples=100)
@given(st.integers())
def check(number):
    seen.append(number)


check()
print(*seen)
PYTHON
cd "$work"
first=$(venv/bin/python property.py)
second=$(venv/bin/python property.py)
imported=$(venv/bin/python property.py limits)
same() { [ "$1" = "$2" ] && echo True || echo False; }
again=$(same "$first" "$second")
other=$(same "$first" "$imported")
constant=$(grep -qw 86413 <<<"$imported" && echo True || echo False)
echo "the test alone, twice:         the same examples: $again"
echo "with a module imported before: the same examples: $other"
echo "and it tries that module's constant: $constant"
[ "$again $other $constant" = "True False True" ] || { echo "the behaviour has changed" >&2; exit 1; }
