"""Workarounds for noida-db, the embedded local stack. Written against noida-db 0.2.3.

They are needed only for it, and do not slow down a real broker. `tests/topics/test_noida_compat.py` shows when they can
be removed.
"""

EMPTY_POLL_PAUSE_S = 0.02
"""Pause after a poll that returned nothing; polls themselves do not wait (`timeout_ms=0`).

noida-db 0.2.3 ignores the longest wait of a fetch request (`fetch_max_wait_ms`) and answers an empty fetch at once, so
a consumer that waits in a poll sends fetches without a pause and takes most of a core. Can go once a poll of a second
on an idle topic takes a small share of a second of processor time.
"""
