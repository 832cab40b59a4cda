# SPDX-License-Identifier: Apache-2.0
"""Devices that exist only in this process, for tests without root or network.

Packets come from `ovs-appctl netdev-dummy/receive` or from a stream to another dummy
device; what the switch sends is counted, written to a pcap file and sent down the
stream. The in-process datapath sets `on_receive` and calls `transmit`.

Sources: ovs-vswitchd(8) `--enable-dummy`; the reference's own test devices for names,
addresses and counters.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping

from ovswitch.netdev.provider import (
    Netdev,
    NetdevError,
    factory_of,
    register,
    types,
)
from ovswitch.packet import pcap
from ovswitch.runtime import clock

_HEADER = 14  # octets of an Ethernet header
_numbers = itertools.count(0xAA550000)

OnReceive = Callable[[bytes], None]


class _Capture:
    """A pcap file that packets are added to as they pass."""

    def __init__(self, path: str) -> None:
        try:
            self._file = open(path, "ab", buffering=0)  # noqa: SIM115 (close closes)
        except OSError as error:
            raise NetdevError(error.errno or 0) from error
        if self._file.tell() == 0:
            self._file.write(pcap.file_header())

    def write(self, packet: bytes) -> None:
        self._file.write(pcap.record(1000 * clock.wall(), packet))

    def close(self) -> None:
        self._file.close()


class DummyNetdev(Netdev):
    """A device made of counters."""

    type = "dummy"
    _mtu = 1500

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._address = b"\xaa\x55" + next(_numbers).to_bytes(4, "big")
        self._up = True
        self._ifindex = 0
        self._rx_pcap: _Capture | None = None
        self._tx_pcap: _Capture | None = None
        self.options: dict[str, str] = {}
        self.counters = dict.fromkeys(
            ("rx_packets", "tx_packets", "rx_bytes", "tx_bytes"), 0
        )
        #: Where received packets go; None while the device is no datapath's port.
        self.on_receive: OnReceive | None = None
        #: Where sent packets go beside the counters (a stream to another device).
        self.on_transmit: OnReceive | None = None
        #: (address, prefix length) pairs given with netdev-dummy/ip4addr and ip6addr.
        self.addresses: list[tuple[str, int]] = []

    def set_config(self, options: Mapping[str, str]) -> None:
        """See Netdev."""
        ifindex = options.get("ifindex", "0")
        self._ifindex = int(ifindex) if ifindex.isdecimal() else 0
        if dict(options) != self.options:
            self.options = dict(options)
            self._close_pcaps()
            self._open_pcaps()
            self.changed()

    def _open_pcaps(self) -> None:
        both = self.options.get("pcap")
        if both:
            self._rx_pcap = self._tx_pcap = _Capture(both)
            return
        if "rxq_pcap" in self.options:
            self._rx_pcap = _Capture(self.options["rxq_pcap"])
        if "tx_pcap" in self.options:
            self._tx_pcap = _Capture(self.options["tx_pcap"])

    def _close_pcaps(self) -> None:
        for capture in {self._rx_pcap, self._tx_pcap}:
            if capture:
                capture.close()
        self._rx_pcap = self._tx_pcap = None

    def close(self) -> None:
        """See Netdev."""
        self._close_pcaps()

    def receive(self, packet: bytes) -> None:
        """Take `packet` as if it had come from the wire."""
        if not self._up or self.on_receive is None:
            return
        self.counters["rx_packets"] += 1
        self.counters["rx_bytes"] += len(packet)
        if self._rx_pcap:
            self._rx_pcap.write(packet)
        self.on_receive(packet)

    def transmit(self, packet: bytes) -> None:
        """Send `packet` out on the wire, as far as there is one."""
        if not self._up or not _HEADER <= len(packet) <= self._greatest(packet):
            return
        self.counters["tx_packets"] += 1
        self.counters["tx_bytes"] += len(packet)
        if self._tx_pcap:
            self._tx_pcap.write(packet)
        if self.on_transmit:
            self.on_transmit(packet)

    def _greatest(self, packet: bytes) -> int:
        tagged = packet[12:14] == b"\x81\x00"
        return self._mtu + (_HEADER + 4 if tagged else _HEADER)

    def get_etheraddr(self) -> bytes | None:
        """See Netdev."""
        return self._address

    def set_etheraddr(self, address: bytes) -> None:
        """See Netdev."""
        if address != self._address:
            self._address = address
            self.changed()

    def get_mtu(self) -> int | None:
        """See Netdev."""
        return self._mtu

    def set_mtu(self, mtu: int) -> None:
        """See Netdev."""
        if not 68 <= mtu <= 65535:
            raise NetdevError(22)
        if mtu != self._mtu:
            self._mtu = mtu
            self.changed()

    def get_ifindex(self) -> int:
        """See Netdev."""
        return self._ifindex

    def is_up(self) -> bool | None:
        """See Netdev."""
        return self._up

    def set_up(self, up: bool) -> None:
        """See Netdev."""
        if up != self._up:
            self._up = up
            self.changed()

    def get_stats(self) -> dict[str, int]:
        """See Netdev."""
        return dict(self.counters)

    def get_custom_stats(self) -> dict[str, int]:
        """See Netdev."""
        rx, tx = self.counters["rx_packets"], self.counters["tx_packets"]
        return {
            "rx_custom_packets_1": rx,
            "rx_custom_packets_2": rx,
            "rx_q0_bytes": self.counters["rx_bytes"],
            "rx_q0_packets": rx,
            "tx_q0_bytes": self.counters["tx_bytes"],
            "tx_q0_packets": tx,
        }


class DummyInternalNetdev(DummyNetdev):
    """The local port of a bridge on the dummy datapath."""

    type = "dummy-internal"


class DummyPmdNetdev(DummyNetdev):
    """A dummy device that the reference would poll from a thread of its own."""

    type = "dummy-pmd"


def _override(type_: str) -> None:
    """Make devices of `type_` dummies that keep their type's name."""
    register(type_, type("Overridden", (DummyNetdev,), {"type": type_}))


def register_classes(override: str = "") -> None:
    """Make the dummy classes known.

    Args:
        override: "" for the dummy types alone, "system" to replace that type too,
            "override" to replace all that are known but patch.
    """
    if override == "override":
        for type_ in types():
            if type_ != "patch":
                _override(type_)
    elif override == "system" or factory_of("system") is None:
        _override("system")
    register("dummy", DummyNetdev)
    register("dummy-internal", DummyInternalNetdev)
    register("dummy-pmd", DummyPmdNetdev)
