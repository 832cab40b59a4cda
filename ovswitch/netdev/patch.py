# SPDX-License-Identifier: Apache-2.0
"""Patch ports: two bridges' ports joined back to back, with no device behind them.

Sources: ovs-vswitchd.conf.db(5), Interface, "Patch Options".
"""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping

from ovswitch.netdev.provider import Netdev, NetdevError, register


def random_address() -> bytes:
    """Return a random unicast Ethernet address, locally administered."""
    octets = os.urandom(6)
    return bytes([octets[0] & 0xFE | 0x02]) + octets[1:]


class PatchNetdev(Netdev):
    """One end of a patch; packets are counted by the pipeline that crosses it."""

    type = "patch"
    is_virtual = True

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.peer = ""
        self._address = random_address()
        self.counters = dict.fromkeys(
            ("rx_packets", "tx_packets", "rx_bytes", "tx_bytes"), 0
        )

    def set_config(self, options: Mapping[str, str]) -> None:
        """See Netdev."""
        peer = options.get("peer")
        if peer is None:
            raise NetdevError(
                errno.EINVAL,
                f"{self.name}: patch type requires valid 'peer' argument",
            )
        if len(options) > 1:
            raise NetdevError(
                errno.EINVAL, f"{self.name}: patch type takes only a 'peer' argument"
            )
        if peer == self.name:
            raise NetdevError(errno.EINVAL, f"{self.name}: patch peer must not be self")
        if peer != self.peer:
            self.peer = peer
            self.changed()

    def get_config(self) -> dict[str, str]:
        """See Netdev."""
        return {"peer": self.peer} if self.peer else {}

    def get_etheraddr(self) -> bytes | None:
        """See Netdev."""
        return self._address

    def set_etheraddr(self, address: bytes) -> None:
        """See Netdev."""
        self._address = address
        self.changed()

    def get_stats(self) -> dict[str, int]:
        """See Netdev."""
        return dict(self.counters)


def register_class() -> None:
    """Make patch known."""
    register("patch", PatchNetdev)
