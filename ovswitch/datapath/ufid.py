# SPDX-License-Identifier: Apache-2.0
"""Identifiers of flows: a keyed hash of the flow's key."""

from __future__ import annotations

import _blake2
import posix

from ovswitch.datapath import netlink

_secret: bytes | None = None


def ufid(key: bytes) -> bytes:
    """Return the identifier of a flow key: its hash, in the form of a random UUID.

    The same key gives the same identifier within a process, another one in the next,
    so that nobody can aim for collisions.
    """
    global _secret
    if _secret is None:
        _secret = posix.urandom(16)
    digest = bytearray(_blake2.blake2b(key, digest_size=16, key=_secret).digest())
    # The words are in host order: version 4 stands in the second, the variant in the
    # third.
    words = [netlink.get_uint(bytes(digest[at : at + 4])) for at in range(0, 16, 4)]
    words[1] = words[1] & ~0xF000 | 0x4000
    words[2] = words[2] & ~0xC0000000 | 0x80000000
    return b"".join(netlink.put_u32(0, word)[4:] for word in words)
