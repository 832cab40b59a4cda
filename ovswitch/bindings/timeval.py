# SPDX-License-Identifier: Apache-2.0
"""Monotonic time, as `ovs.timeval`."""

from __future__ import annotations

from ovswitch.runtime import clock


def monotonic() -> float:
    """Return monotonic time in seconds."""
    return clock.seconds()


def msec() -> float:
    """Return monotonic time in milliseconds."""
    return clock.seconds() * 1000.0


def postfork() -> None:
    """Nothing is to be done after a fork."""
