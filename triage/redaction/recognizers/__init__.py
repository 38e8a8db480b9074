"""One finder a kind: `find(text) -> list of (start, end)` over folded text, not overlapping, in any order.

Every pattern is linear: runs are possessive or start behind a look-behind that refuses the middle of a run, and
repetitions that can fail are bounded. `MASK` marks what is taken already and is matched by no finder.
"""
