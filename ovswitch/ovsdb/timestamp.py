# SPDX-License-Identifier: Apache-2.0
"""Times in the form in which the database tools print them."""

from __future__ import annotations

import time


def format_ms(wall_ms: int) -> str:
    """Return a time in UTC: "2026-11-22 11:14:44.125"; "" for one beyond years."""
    seconds, ms = divmod(wall_ms, 1000)
    try:
        text = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(seconds))
    except (OverflowError, ValueError, OSError):
        return ""
    return f"{text}.{ms:03}"
