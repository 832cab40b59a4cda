# SPDX-License-Identifier: Apache-2.0
"""Guessing what a peer speaks, to tell an operator who connected the wrong things."""

from __future__ import annotations

from ovswitch.runtime import vlog

SSL = "SSL"
JSONRPC = "JSON-RPC"
OPENFLOW = "OpenFlow"

_BEGINNINGS = {b"\x16\x03": SSL, b'{"': JSONRPC, b"\x01\x00": OPENFLOW}
_limit = vlog.RateLimit(5, 5)


def report(log: vlog.Module, name: str, head: bytes, expected: str) -> None:
    """Log in `log` if the first octets on connection `name` aren't as expected."""
    kind = _BEGINNINGS.get(head[:2])
    if kind is not None and kind != expected:
        log.warn_rl(_limit, "%s: received %s data on %s channel", name, kind, expected)
