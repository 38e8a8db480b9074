"""Groups kafka-python's errors by what the caller has to do, and returns their messages."""

from kafka.errors import CorruptRecordError, IllegalStateError, InvalidProducerEpochError, ProducerFencedError

FENCED = (InvalidProducerEpochError, ProducerFencedError)
"""Another producer has the transactional id, or the broker ended a transaction that took too long."""

UNUSABLE = (CorruptRecordError, IllegalStateError, InvalidProducerEpochError)
"""Errors after which a client must be rebuilt.

The producer never leaves its fatal states (IllegalStateError), each further transaction fails at once. Can go when it
recovers. CorruptRecordError is what a broker says of a batch that was damaged on its way there.
"""


def error_text(error: BaseException) -> str:
    """Return the message of an error without the class names before it; the class name if the message is empty.

    The library writes "[Error 58] SaslAuthenticationFailedError: SaslAuthenticationFailedError: reason".
    """
    text = str(error).strip()
    name = type(error).__name__
    while True:
        shorter = text.removeprefix(f"{name}:").strip()
        if shorter.startswith("[Error ") and "] " in shorter:
            shorter = shorter.partition("] ")[2]
        if shorter == text:
            return text or name
        text = shorter
