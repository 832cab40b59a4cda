# SPDX-License-Identifier: Apache-2.0
"""The only source of time.

Monotonic time is in milliseconds and *virtual*: `stop()` freezes it and `warp()`
moves it ahead, and with it every timer, because the event loop runs on this clock.
Wall-clock time stamps logs and is never moved: the reference's `time/warp` doesn't
touch it either. Whoever sleeps until a deadline subscribes, and is called after each
jump.
"""

from __future__ import annotations

import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_NS = 1_000_000
_warped_ms = 0
_stopped_at: int | None = None  # real ms when stop() was called
_subscribers: list[Callable[[], None]] = []

_monotonic_ns = time.monotonic_ns
_time_ns = time.time_ns


def real_now() -> int:
    """Return the kernel's monotonic time in ms, whatever stop() and warp() did."""
    return _monotonic_ns() // _NS


boot = real_now()


def now() -> int:
    """Return monotonic time in ms."""
    if _stopped_at is not None:
        return _stopped_at + _warped_ms
    return _monotonic_ns() // _NS + _warped_ms


def seconds() -> float:
    """Return monotonic time in seconds, as an event loop wants it."""
    if _stopped_at is not None:
        return (_stopped_at + _warped_ms) / 1000
    return _monotonic_ns() / 1e9 + _warped_ms / 1000


def wall() -> int:
    """Return the time since the epoch in ms."""
    return _time_ns() // _NS


def is_stopped() -> bool:
    """Return whether stop() was called: time then moves by warp() alone."""
    return _stopped_at is not None


def is_warped() -> bool:
    """Return whether time was ever moved by warp()."""
    return _warped_ms != 0


def stop() -> None:
    """Freeze monotonic time; a second call catches up with real time, then freezes."""
    global _stopped_at
    _stopped_at = real_now()
    _announce()


def warp(ms: int) -> None:
    """Move monotonic time ahead."""
    global _warped_ms
    _warped_ms += ms
    _announce()


def reset() -> None:
    """Undo stop() and warp(): for tests that run in one process."""
    global _stopped_at, _warped_ms
    _stopped_at = None
    _warped_ms = 0
    _announce()


def subscribe(callback: Callable[[], None]) -> Callable[[], None]:
    """Call `callback` after each jump of the clock; return what ends that."""
    _subscribers.append(callback)
    return lambda: _subscribers.remove(callback)


def _announce() -> None:
    for callback in tuple(_subscribers):
        callback()
