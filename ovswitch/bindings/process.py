# SPDX-License-Identifier: Apache-2.0
"""How a process ended, as `ovs.process`."""

from __future__ import annotations

from ovswitch.runtime import daemon


def status_msg(status: int) -> str:
    """Return how a child ended, from waitpid()'s status."""
    return daemon.status_text(status)
