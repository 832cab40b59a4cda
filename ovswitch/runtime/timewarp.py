# SPDX-License-Identifier: Apache-2.0
"""time/stop and time/warp: commands of daemons under `--enable-dummy`."""

from __future__ import annotations

from ovswitch.runtime import clock, loop
from ovswitch.runtime.unixctl import CommandError, commands

_STEP_MS = 10  # real time that others get between two steps

_warping = False


def _number(text: str) -> int:
    """Return the number that `text` starts with, 0 if it doesn't: C's atoll()."""
    text = text.lstrip(" \t\n\v\f\r")
    sign = -1 if text.startswith("-") else 1
    digits = text[1:] if text[:1] in {"-", "+"} else text
    end = 0
    while end < len(digits) and digits[end] in "0123456789":
        end += 1
    return sign * int(digits[:end] or "0")


def _stop(_args: list[str]) -> str:
    clock.stop()
    return ""


async def _warp(args: list[str]) -> str:
    """Move the clock: all at once, or a large distance in steps."""
    global _warping
    total = _number(args[0]) if len(args) > 1 else 0
    step = _number(args[-1])
    if step <= 0 or total < 0:
        raise CommandError("invalid MSECS")
    if _warping:
        raise CommandError("A previous warp in progress")
    _warping = True
    try:
        left = total or step
        while left > 0:
            # A last step may be shorter than the others.
            clock.warp(min(step, left))
            left -= step
            await loop.real_sleep(_STEP_MS)
    finally:
        _warping = False
    return "warped"


def register_commands() -> None:
    """Add the commands."""
    commands.register("time/stop", "", 0, 0, _stop)
    commands.register("time/warp", "[large_msecs] msecs", 1, 2, _warp)
