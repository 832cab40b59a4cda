# SPDX-License-Identifier: Apache-2.0
"""Times as OpenFlow's statistics tell them, from milliseconds."""

from __future__ import annotations

_MAX_AGE = 0xFFFF


def duration(start: int, now: int) -> tuple[int, int]:
    """Return how long it is since `start`, as (seconds, nanoseconds)."""
    seconds, milliseconds = divmod(max(now - start, 0), 1000)
    return seconds, milliseconds * 1_000_000


def age(since: int, now: int) -> int:
    """Return how long it is since `since` in seconds, 65535 at most."""
    return min(max(now - since, 0) // 1000, _MAX_AGE)
