# SPDX-License-Identifier: Apache-2.0
"""A mirror's configuration and counters."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ovswitch.ofproto.bundle import Bundle


class Mirror:
    """What is copied, and where to.

    Attributes:
        sources, destinations: bundles whose incoming, outgoing packets are copied; None
            for all.
        vlans: only packets in these; None for all.
        out: the bundle that gets the copies; None for VLAN `out_vlan`.
        snaplen: how much of each is copied; 0 for all of it.
        dup_mirrors: mirrors with the same target, as bits: one copy does for them.
    """

    __slots__ = (
        "destinations", "dup_mirrors", "n_bytes", "n_packets", "name", "out",
        "out_vlan", "snaplen", "sources", "vlans",
    )  # fmt: skip

    def __init__(
        self,
        name: str,
        *,
        sources: frozenset[Bundle] | None = frozenset(),
        destinations: frozenset[Bundle] | None = frozenset(),
        vlans: frozenset[int] | None = None,
        out: Bundle | None = None,
        out_vlan: int = -1,
        snaplen: int = 0,
    ) -> None:
        self.name = name
        self.sources = sources
        self.destinations = destinations
        self.vlans = vlans
        self.out = out
        self.out_vlan = out_vlan
        self.snaplen = snaplen
        self.dup_mirrors = 0
        self.n_packets = 0
        self.n_bytes = 0

    def mark(self, bit: int, mirrors: dict[int, Mirror], bundles: list[Bundle]) -> None:
        """Set the bundles' bits for this mirror, and find its duplicates."""
        for bundle in bundles:
            if self.sources is None or bundle in self.sources:
                bundle.src_mirrors |= bit
            if self.destinations is None or bundle in self.destinations:
                bundle.dst_mirrors |= bit
        if self.out is not None:
            self.out.mirror_out = True
        self.dup_mirrors = 0
        for index, other in mirrors.items():
            if other.out is self.out and other.out_vlan == self.out_vlan:
                self.dup_mirrors |= 1 << index
