"""Finders of entities, one per kind: `find(text) -> list of (start, end)` over normalized text.

The ranges do not overlap and can be in any order. Every pattern takes linear time: quantifiers of runs are possessive,
or a look-behind prevents a match that starts inside a run, and repetitions that can fail are bounded. `MASK` replaces
earlier finds; no finder matches it.
"""
