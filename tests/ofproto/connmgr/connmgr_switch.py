# SPDX-License-Identifier: Apache-2.0
"""A switch without a datapath, and connections to it that are lists of octets."""

from __future__ import annotations

import struct

from ovswitch.ofproto.backer import Backer
from ovswitch.ofproto.ofproto import Ofproto
from ovswitch.ofproto.port import UNKNOWN, PortStats
from ovswitch.openflow import codec
from ovswitch.openflow.messages.base import Context

#: What the reference's dummy devices count beside the usual.
_CUSTOM = (
    "rx_custom_packets_1", "rx_custom_packets_2", "rx_q0_bytes", "rx_q0_packets",
    "tx_q0_bytes", "tx_q0_packets",
)  # fmt: skip


class Settings:
    """How a controller is configured."""

    def __init__(self, target="punix:br0.mgmt", **values):
        self.target = target
        self.is_primary = False
        self.probe_interval = 5
        self.enable_async_messages = True
        self.max_queue_size = 100
        self.rate_limit = 0
        self.burst_limit = 0
        self.__dict__.update(values)


class Peer:
    """A controller's end of a connection."""

    is_primary = False

    def __init__(self, switch, version, name="br0<->unix#1", settings=None):
        self.switch = switch
        self.version = version
        self.name = name
        self.backlog = 0
        self.received = []
        switch.connmgr.connect(self, settings or Settings())

    def send(self, message):
        """Take what the switch sends."""
        (size,) = struct.unpack_from("!H", message, 2)
        assert size == len(message)
        self.received.append(message)

    def take(self):
        """Return what has come since the last time."""
        received, self.received = self.received, []
        return received

    def ask(self, *requests):
        """Send requests; return all that comes back."""
        for request in requests:
            octets = request
            if not isinstance(request, bytes):
                octets = codec.encode(request, self.version, 7)
            self.switch.connmgr.receive(self, octets)
        while self.switch.connmgr.resume(self):
            pass
        return self.take()

    def decoded(self, *requests):
        """Send requests; return what comes back, decoded."""
        context = Context()
        return [codec.decode(octets, context) for octets in self.ask(*requests)]


class Switch:
    """A switch with two ports and a clock that stands still."""

    def __init__(self, datapath_id=0x1, addresses=None):
        addresses = addresses or {}
        self.now = 1_000_000
        self.backer = Backer("dummy", clock=lambda: self.now)
        self.ofproto = Ofproto("br0", self.backer, datapath_id=datapath_id)
        self.connmgr = self.ofproto.connmgr
        for odp_port, name in enumerate(("br0", "p1", "p2")):
            port = self.ofproto.port_add(
                name,
                odp_port,
                netdev_type="dummy",
                ofp_port=odp_port or None,
                hw_addr=addresses.get(name, 0xAA5500000000 + odp_port),
            )
            port.stats = PortStats(UNKNOWN)
            port.stats.rx_packets = port.stats.rx_bytes = 0
            port.stats.tx_packets = port.stats.tx_bytes = 0
            port.stats.custom = dict.fromkeys(_CUSTOM, 0)

    def run(self, milliseconds=0):
        """Let time pass."""
        self.now += milliseconds
        self.connmgr.run(self.now)
