# SPDX-License-Identifier: Apache-2.0
"""What a datapath tells: counters, ports, flows, upcalls, meters, results.

Plain slotted classes: some are made for each packet or flow.
"""

from __future__ import annotations

from struct import Struct

from ovswitch.datapath import families as f
from ovswitch.datapath import netlink

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

FLOW_STATS = Struct("=QQ")  # struct ovs_flow_stats: packets, octets


class DpStats:
    """A datapath's counters; `n_masks` None where it has no megaflows to show."""

    __slots__ = (
        "n_cache_hit",
        "n_flows",
        "n_hit",
        "n_lost",
        "n_mask_hit",
        "n_masks",
        "n_missed",
    )

    def __init__(self, hit: int, missed: int, lost: int, flows: int) -> None:
        self.n_hit = hit
        self.n_missed = missed
        self.n_lost = lost
        self.n_flows = flows
        self.n_mask_hit = 0
        self.n_masks: int | None = None
        self.n_cache_hit: int | None = None


class Port:
    """A port of the datapath; `type` is its netdev's type ("system", "tap" ...)."""

    __slots__ = ("name", "port_no", "stats", "type", "upcall_pid")

    def __init__(self, port_no: int, name: str, port_type: str) -> None:
        self.port_no = port_no
        self.name = name
        self.type = port_type
        self.upcall_pid = 0
        #: rx_packets, tx_packets, rx_bytes, tx_bytes, rx_errors, tx_errors,
        #: rx_dropped, tx_dropped; None where the datapath didn't tell.
        self.stats: tuple[int, ...] | None = None


class Flow:
    """A flow of the datapath; `used` is in ms on the transport's clock, 0 for never."""

    __slots__ = (
        "actions",
        "dp_extra_info",
        "dp_layer",
        "key",
        "mask",
        "n_bytes",
        "n_packets",
        "offloaded",
        "tcp_flags",
        "ufid",
        "used",
    )

    def __init__(self) -> None:
        self.key = b""
        self.mask = b""
        self.actions = b""
        self.ufid: bytes | None = None
        self.n_packets = 0
        self.n_bytes = 0
        self.used = 0
        self.tcp_flags = 0
        self.offloaded = False
        self.dp_layer = "ovs"
        self.dp_extra_info = ""


class Upcall:
    """A packet that the datapath sends up.

    `type` is OVS_PACKET_CMD_MISS or OVS_PACKET_CMD_ACTION; the rest as in
    OVS_PACKET_ATTR_*, with b"" or 0 where there is none.
    """

    __slots__ = (
        "actions",
        "egress_tun_key",
        "hash",
        "key",
        "mru",
        "packet",
        "size",
        "type",
        "userdata",
    )

    def __init__(self, kind: int, attributes: dict[int, bytes]) -> None:
        self.type = kind
        self.packet = attributes.get(f.OVS_PACKET_ATTR_PACKET, b"")
        self.key = attributes.get(f.OVS_PACKET_ATTR_KEY, b"")
        self.actions = attributes.get(f.OVS_PACKET_ATTR_ACTIONS, b"")
        self.userdata = attributes.get(f.OVS_PACKET_ATTR_USERDATA, b"")
        self.egress_tun_key = attributes.get(f.OVS_PACKET_ATTR_EGRESS_TUN_KEY, b"")
        self.mru = netlink.get_uint(attributes.get(f.OVS_PACKET_ATTR_MRU, b""))
        self.hash = netlink.get_uint(attributes.get(f.OVS_PACKET_ATTR_HASH, b""))
        size = attributes.get(f.OVS_PACKET_ATTR_LEN)
        self.size = len(self.packet) if size is None else netlink.get_uint(size)


class Meter:
    """A meter: bands are (rate, burst) with the action "drop"."""

    __slots__ = ("bands", "is_kbps", "meter_id", "n_bytes", "n_packets", "used")

    def __init__(
        self, meter_id: int, bands: Sequence[tuple[int, int]], *, is_kbps: bool
    ) -> None:
        self.meter_id = meter_id
        self.bands = list(bands)
        self.is_kbps = is_kbps
        self.n_packets = 0
        self.n_bytes = 0
        self.used = 0


class OpResult:
    """How an operation went: an errno, 0 for success, and a flow where one came."""

    __slots__ = ("errno", "flow")

    def __init__(self, errno: int, flow: Flow | None) -> None:
        self.errno = errno
        self.flow = flow


def decode_flow(one: netlink.Message) -> Flow:
    """Return the flow that a message of the flow family tells of."""
    flow = Flow()
    for number, payload in netlink.walk(one.attributes)[0]:
        if number == f.OVS_FLOW_ATTR_KEY:
            flow.key = payload
        elif number == f.OVS_FLOW_ATTR_MASK:
            flow.mask = payload
        elif number == f.OVS_FLOW_ATTR_ACTIONS:
            flow.actions = payload
        elif number == f.OVS_FLOW_ATTR_UFID:
            flow.ufid = payload
        elif number == f.OVS_FLOW_ATTR_STATS and len(payload) >= FLOW_STATS.size:
            flow.n_packets, flow.n_bytes = FLOW_STATS.unpack_from(payload)
        elif number == f.OVS_FLOW_ATTR_USED:
            flow.used = netlink.get_uint(payload)
        elif number == f.OVS_FLOW_ATTR_TCP_FLAGS:
            flow.tcp_flags = netlink.get_uint(payload)
    return flow
