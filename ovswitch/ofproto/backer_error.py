# SPDX-License-Identifier: Apache-2.0
"""What goes wrong between a datapath and its switches."""

from __future__ import annotations


class NoSwitchError(Exception):
    """A packet belongs to no switch; the text says why, as a trace prints it."""
