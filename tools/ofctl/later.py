# SPDX-License-Identifier: Apache-2.0
"""Commands whose features the switch doesn't have yet: groups and meters."""

from __future__ import annotations

from ovswitch.runtime import fatal


def unsupported(words: list[str]) -> None:
    """Say so."""
    fatal.die(f"'{words[0]}' command is not supported yet")
