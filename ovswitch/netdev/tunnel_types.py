# SPDX-License-Identifier: Apache-2.0
"""Tunnel types: known by name, so that the database lists them.

A port of such a type is refused until the datapath can carry it.
"""

from __future__ import annotations

import errno

from ovswitch.netdev.provider import Netdev, NetdevError, register

TYPES = (
    "bareudp",
    "erspan",
    "geneve",
    "gre",
    "gtpu",
    "ip6erspan",
    "ip6gre",
    "lisp",
    "stt",
    "vxlan",
)


def _refuse(name: str) -> Netdev:
    raise NetdevError(errno.EOPNOTSUPP)


def register_classes() -> None:
    """Make the tunnel types known."""
    for type_ in TYPES:
        register(type_, _refuse)
