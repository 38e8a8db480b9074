#!/usr/bin/env bash
# The logarithm of a discrete tail is -inf, or nan, where only the logarithm could still be written down.
#
# Library:    scipy 1.17.1, stats.nbinom, poisson and betabinom
# Expected:   `logsf` is there for tails that are too small for a float: `norm.logsf(60)` is -1805. For a negative
#             binomial it ranks spikes in the same way.
# Seen:       For most discrete distributions `logsf` is the logarithm of `sf`, which has underflowed; for the
#             beta-binomial it is nan. `logpmf` at the next count, a lower bound of the tail, is finite:
#                 norm.logsf(60) = -1805.0
#                 nbinom.logsf(5000, 2, 0.5) = -inf, logpmf of the next count = -3459.3
#                 poisson.logsf(1000, 1) = -inf, logpmf of the next count = -5920.0
#                 betabinom.logsf(900, 1000, 2, 100) = nan, logpmf of the next count = -193.1
# Why:        A score of surprise, or a z score made from it, is infinite for every large spike: alerts can't be
#             ranked, a mean of scores is lost, JSON has no such number. And nan compares false: that spike is not
#             one.
# Workaround: `logpmf(k + 1)` plus the logarithm of the tail's ratio, by summing pmf ratios until they no longer
#             matter; or the regularized incomplete beta function's continued fraction in logarithms.
# See also:   https://github.com/scipy/scipy/issues/8424 (poisson, open since 2018)
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet scipy==1.17.1 numpy==2.4.6
"$work/venv/bin/python" - <<'PYTHON'
import numpy as np
from scipy import stats

print(f"norm.logsf(60) = {stats.norm.logsf(60):.1f}")
seen = []
for name, count, *parameters in (("nbinom", 5000, 2, 0.5), ("poisson", 1000, 1), ("betabinom", 900, 1000, 2, 100)):
    distribution = getattr(stats, name)(*parameters)
    with np.errstate(all="ignore"):
        tail, bound = distribution.logsf(count), distribution.logpmf(count + 1)
    arguments = ", ".join(map(str, (count, *parameters)))
    print(f"{name}.logsf({arguments}) = {tail}, logpmf of the next count = {bound:.1f}")
    seen.append((str(tail), bool(np.isfinite(bound))))
if seen != [("-inf", True), ("-inf", True), ("nan", True)]:
    raise SystemExit("the behaviour has changed")
PYTHON
