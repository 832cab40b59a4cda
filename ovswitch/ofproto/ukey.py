# SPDX-License-Identifier: Apache-2.0
"""A datapath flow as userspace remembers it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ovswitch.ofproto.xlate.cache import XlateCache


class Ukey:
    """A flow in the datapath, and the translation that it came from.

    Attributes:
        ufid: what the datapath calls it.
        key, mask, actions: attributes, as they were installed.
        flow, wildcards: the same as integers; the in_port is the datapath's.
        cache: what the translation used; None for a flow found in the datapath, until
            it is translated.
        recircs: recirculation ids that the flow or its actions refer to.
        version: the backer's, when the translation was right.
        n_packets, n_bytes, used, tcp_flags: what has been credited so far.
        created: in ms, or when the flow was first seen.
        dump_seq: the last dump that had it.
    """

    __slots__ = (
        "actions", "cache", "created", "dump_seq", "flow", "key", "mask", "n_bytes",
        "n_packets", "recircs", "tcp_flags", "ufid", "used", "version", "wildcards",
    )  # fmt: skip

    def __init__(
        self,
        ufid: bytes,
        key: bytes,
        mask: bytes,
        actions: bytes,
        flow: int,
        wildcards: int,
        now: int,
    ) -> None:
        self.ufid = ufid
        self.key = key
        self.mask = mask
        self.actions = actions
        self.flow = flow
        self.wildcards = wildcards
        self.cache: XlateCache | None = None
        self.recircs: list[int] = []
        self.version = -1
        self.n_packets = 0
        self.n_bytes = 0
        self.used = 0
        self.tcp_flags = 0
        self.created = now
        self.dump_seq = 0
