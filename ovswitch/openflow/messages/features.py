# SPDX-License-Identifier: Apache-2.0
"""What a switch is (OpenFlow 1.5.1 §7.3.1, `struct ofp_switch_features`)."""

from __future__ import annotations

import struct

from ovswitch.openflow import action_bits, raws
from ovswitch.openflow.messages.base import Message
from ovswitch.openflow.messages.port import PhyPort, take_ports
from ovswitch.openflow.version import OF10, OF11, OF13, OF14

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovswitch.openflow.messages.base import Context
    from ovswitch.openflow.wire import Cursor

_FEATURES = struct.Struct("!QIBB2xII")

CAPABILITIES = {
    1 << 0: "FLOW_STATS",
    1 << 1: "TABLE_STATS",
    1 << 2: "PORT_STATS",
    1 << 3: "STP",
    1 << 4: "GROUP_STATS",
    1 << 5: "IP_REASM",
    1 << 6: "QUEUE_STATS",
    1 << 7: "ARP_MATCH_IP",
    1 << 8: "PORT_BLOCKED",
    1 << 9: "BUNDLES",
    1 << 10: "FLOW_MONITORING",
}
FLOW_STATS, TABLE_STATS, PORT_STATS, STP, GROUP_STATS = (1 << i for i in range(5))
IP_REASM, QUEUE_STATS, ARP_MATCH_IP, PORT_BLOCKED = (1 << i for i in range(5, 9))
BUNDLES, FLOW_MONITORING = 1 << 9, 1 << 10

_COMMON = FLOW_STATS | TABLE_STATS | PORT_STATS | IP_REASM | QUEUE_STATS
_STP10 = _GROUP_STATS11 = 1 << 3


def _known(version: int) -> int:
    """Return the capabilities whose bits mean the same in `version` as inside."""
    if version <= OF11:
        return _COMMON | ARP_MATCH_IP
    known = _COMMON | PORT_BLOCKED
    return known | BUNDLES | FLOW_MONITORING if version >= OF14 else known


class FeaturesReply(Message):
    """What the switch is.

    Attributes:
        datapath_id, n_buffers, n_tables, auxiliary_id: as in the standard.
        capabilities: bitmap of FLOW_STATS and so on.
        actions: names of the actions it does; OpenFlow 1.0 only.
        ports: before OpenFlow 1.3.
        has_all_ports: whether `ports` is sure to be complete.
    """

    __slots__ = (
        "actions", "auxiliary_id", "capabilities", "datapath_id", "has_all_ports",
        "n_buffers", "n_tables", "ports",
    )  # fmt: skip

    type = "FEATURES_REPLY"

    def __init__(
        self,
        datapath_id: int,
        n_buffers: int = 0,
        n_tables: int = 254,
        capabilities: int = 0,
        actions: tuple[str, ...] = (),
        ports: list[PhyPort] | None = None,
    ) -> None:
        self.datapath_id = datapath_id
        self.n_buffers = n_buffers
        self.n_tables = n_tables
        self.auxiliary_id = 0
        self.capabilities = capabilities
        self.actions = actions
        self.ports = ports or []
        self.has_all_ports = True
        self.xid = self.version = 0

    def body(self, version: int, protocol: int) -> tuple[str, bytes]:
        """Return the form and body; ports that don't fit are left out."""
        capabilities = self.capabilities & _known(version)
        actions = 0
        if version == OF10:
            if self.capabilities & STP:
                capabilities |= _STP10
            actions = action_bits.encode(self.actions, version)
        elif self.capabilities & GROUP_STATS:
            capabilities |= _GROUP_STATS11
        octets = _FEATURES.pack(
            self.datapath_id,
            self.n_buffers,
            self.n_tables,
            self.auxiliary_id if version >= OF13 else 0,
            capabilities,
            actions,
        )
        if version >= OF13:
            return "", octets
        ports = b"".join(port.encode(version) for port in self.ports)
        size = 48 if version == OF10 else 64
        room = (raws.MAX_MESSAGE_SIZE - raws.HEADER_SIZE - len(octets)) // size
        return "", octets + ports[: room * size]


def _decode(header: raws.Header, cursor: Cursor, context: Context) -> FeaturesReply:
    version = header.version
    (datapath_id, n_buffers, n_tables, auxiliary_id, bits,
     actions) = cursor.unpack(_FEATURES)  # fmt: skip
    reply = FeaturesReply(datapath_id, n_buffers, n_tables, bits & _known(version))
    if version == OF10:
        if bits & _STP10:
            reply.capabilities |= STP
        reply.actions = action_bits.decode(actions, version)
    elif bits & _GROUP_STATS11:
        reply.capabilities |= GROUP_STATS
    if version >= OF13:
        reply.auxiliary_id = auxiliary_id
        reply.has_all_ports = False
    else:
        size = 48 if version == OF10 else 64
        reply.has_all_ports = header.size + size <= raws.MAX_MESSAGE_SIZE
        reply.ports = list(take_ports(version, cursor))
    return reply


DECODERS = {"FEATURES_REPLY": _decode}
