"""Ends a process that hangs in native code while holding the interpreter's lock, so that no Python thread can run."""

import contextlib
import ctypes
import faulthandler
import sys

_CLOCK_MONOTONIC = 1
_SIGEV_THREAD = 2
# Writing the stacks takes less.
_STACKS_S = 1.0


class _Event(ctypes.Structure):
    """The C structure `struct sigevent` of Linux."""

    _fields_ = (
        ("value", ctypes.c_void_p),
        ("signal", ctypes.c_int),
        ("notify", ctypes.c_int),
        ("function", ctypes.c_void_p),
        ("attributes", ctypes.c_void_p),
        ("padding", ctypes.c_byte * 32),
    )


class _Time(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


class _Setting(ctypes.Structure):
    _fields_ = (("interval", _Time), ("first", _Time))


class LastResort:
    """A timer that ends the process, unless `arm` or `disarm` is called before it expires.

    It writes the stacks of all threads to standard error and exits with `status`. On Linux a system timer calls `_exit`
    on a thread that does not run Python. On other systems faulthandler's thread exits, with status 1.
    """

    def __init__(self, status: int) -> None:
        self._timer = _timer(status)

    def arm(self, limit_s: float) -> None:
        """Start or restart the timer: it expires in `limit_s` seconds."""
        # Where standard error is not a file, as under some test runners, nothing can be written.
        with contextlib.suppress(ValueError, OSError, RuntimeError, AttributeError):
            faulthandler.dump_traceback_later(limit_s, exit=self._timer is None, file=sys.__stderr__ or sys.stderr)
        self._set(limit_s + _STACKS_S)

    def disarm(self) -> None:
        """Stop the timer; it can be armed again."""
        faulthandler.cancel_dump_traceback_later()
        self._set(0)

    def _set(self, seconds: float) -> None:
        if self._timer is not None:
            whole = int(seconds)
            setting = _Setting(first=_Time(whole, int((seconds - whole) * 1e9)))
            ctypes.CDLL(None).timer_settime(self._timer, 0, ctypes.byref(setting), None)


def _timer(status: int) -> ctypes.c_void_p | None:
    """Create a POSIX timer that calls `_exit(status)` on a thread of its own; None if the system has none."""
    if sys.platform != "linux" or ctypes.sizeof(ctypes.c_void_p) != 8:
        return None
    try:
        library = ctypes.CDLL(None)
        function = ctypes.cast(library._exit, ctypes.c_void_p)  # noqa: SLF001 - its name in C
        event = _Event(value=status, notify=_SIGEV_THREAD, function=function)
        timer = ctypes.c_void_p()
        created = library.timer_create(_CLOCK_MONOTONIC, ctypes.byref(event), ctypes.byref(timer))
    except (OSError, AttributeError):
        return None
    return timer if created == 0 else None
