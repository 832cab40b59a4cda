# SPDX-License-Identifier: Apache-2.0
"""The version that every program reports: the reference's, which we are equal to."""

from __future__ import annotations

OVS_VERSION = "3.1.0"


def version_text(program: str) -> str:
    """Return the line that `PROGRAM --version` prints, without its newline."""
    return f"{program} (Open vSwitch) {OVS_VERSION}"
