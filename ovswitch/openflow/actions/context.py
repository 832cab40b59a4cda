# SPDX-License-Identifier: Apache-2.0
"""What parsing, printing and checking actions carry along.

`Parsing` holds the names that text may use and the protocols that can still say what
was read. `Checking` is the flow as the actions before have made it: some change what a
packet is (push_mpls), and so what may follow.
"""

from __future__ import annotations

from ovswitch.flow import prereqs
from ovswitch.flow.layout import SLOTS, VLAN_CFI
from ovswitch.flow.names import (
    OFPP_FIRST_RESV,
    OFPP_LOCAL,
    Names,
    format_port,
    format_table,
    parse_port,
    parse_uint,
    unquote,
)
from ovswitch.openflow import protocol

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovswitch.flow.fields import Field
    from ovswitch.runtime import vlog

MAX_DEPTH = 100  # actions in actions in actions, in text
MAX_NESTING = 64  # the same on the wire

_PACKET_TYPE = SLOTS["packet_type"]
_DL_TYPE = SLOTS["dl_type"]
_NW_PROTO = SLOTS["nw_proto"]
_TCI0, _TCI1 = SLOTS["vlan_tci0"], SLOTS["vlan_tci1"]
_VLANS = SLOTS["vlan_tpid0"].mask | _TCI0.mask | SLOTS["vlan_tpid1"].mask | _TCI1.mask
_VLANS_SHIFT = _TCI1.shift
_VLAN_WIDTH = 32

ETH_TYPE_IP = 0x0800
ETH_TYPE_IPV6 = 0x86DD
ETH_TYPE_MPLS, ETH_TYPE_MPLS_MCAST = 0x8847, 0x8848
ETH_TYPE_VLAN_8021Q, ETH_TYPE_VLAN_8021AD = 0x8100, 0x88A8
ETH_TYPE_NSH = 0x894F


def warn(text: str, module: str = "ofp_actions") -> None:
    """Log a warning; the log is loaded when there is something to say."""
    from ovswitch.runtime import vlog

    vlog.Module(module).warn("%s", text)


def warn_rl(text: str, module: str = "ofp_actions", burst: int = 5) -> None:
    """Log a warning, but not too many: a peer's octets are the cause."""
    _log(module, "warn_rl", text, burst)


def info_rl(text: str) -> None:
    """Log information, but not too much of it."""
    _log("ofp_actions", "info_rl", text)


_limits: dict[tuple[str, int], vlog.RateLimit] = {}


def _log(module: str, method: str, text: str, burst: int = 5) -> None:
    from ovswitch.runtime import vlog

    limit = _limits.get((module, burst))
    if limit is None:
        limit = _limits[module, burst] = vlog.RateLimit(1, burst)
    getattr(vlog.Module(module), method)(limit, "%s", text)


class Parsing:
    """One parse: names, and what it has found out so far.

    Attributes:
        names: of ports and tables.
        protocols: the set that can say everything read so far.
        depth: how deeply nested the actions are that are being read.
    """

    __slots__ = ("depth", "names", "protocols")

    def __init__(self, names: Names | None = None) -> None:
        self.names = names or Names()
        self.protocols = protocol.ANY
        self.depth = 0

    def port(self, text: str) -> int | None:
        """Return the port that `text` means, or None."""
        return parse_port(text, self.names.ports)

    def table(self, text: str) -> int | None:
        """Return the table (255: all) that `text` means, or None."""
        if text.startswith("-"):
            warn(f"Negative value {text} is not a valid table number.", "ofp_table")
            return None
        number = parse_uint(text)
        if number is not None:
            if number <= 255:
                return number
            warn(
                f"table {number} is outside the supported range 0 through 255",
                "ofp_table",
            )
            return None
        name = unquote(text)
        if name is None or self.names.tables is None:
            return None
        return self.names.tables.number(name)


class Printing:
    """The names to print with."""

    __slots__ = ("names", "ports", "tables")

    def __init__(self, names: Names | None = None) -> None:
        self.names = names
        self.ports = names.ports if names else None
        self.tables = names.tables if names else None

    def port(self, number: int) -> str:
        """Return a port as text."""
        return format_port(number, self.ports)

    def table(self, number: int) -> str:
        """Return a table as text."""
        return format_table(number, self.tables)


class Checking:
    """A flow under the actions: what packets are at this point, as far as is known.

    Attributes:
        flow, mask: the match as it has become.
        max_ports: ports are below this number.
        table_id, n_tables: of the flow, 255 where unknown.
        protocols: in which the actions make sense so far.
    """

    __slots__ = ("flow", "mask", "max_ports", "n_tables", "protocols", "table_id")

    def __init__(
        self, flow: int, mask: int, max_ports: int, table_id: int, n_tables: int
    ) -> None:
        self.flow = flow
        self.mask = mask
        self.max_ports = max_ports
        self.table_id = table_id
        self.n_tables = n_tables
        self.protocols = protocol.ANY

    def copy(self) -> Checking:
        """Return the same state for nested actions, with all protocols."""
        return Checking(
            self.flow, self.mask, self.max_ports, self.table_id, self.n_tables
        )

    def inconsistent(self) -> None:
        """Note that only OpenFlow 1.0 tolerates this action with this match."""
        self.protocols &= protocol.OF10_ANY

    @property
    def packet_type(self) -> int:
        """The packet's type: 0 for Ethernet, else namespace and type."""
        return _PACKET_TYPE.get(self.flow)

    @property
    def dl_type(self) -> int:
        """The Ethertype, be it that of a packet without an Ethernet header."""
        return prereqs.dl_type(self.flow)

    @property
    def is_ip_any(self) -> bool:
        """Whether packets are IPv4 or IPv6."""
        return self.dl_type in (ETH_TYPE_IP, ETH_TYPE_IPV6)

    @property
    def is_mpls(self) -> bool:
        """Whether packets have an MPLS label."""
        return self.dl_type in (ETH_TYPE_MPLS, ETH_TYPE_MPLS_MCAST)

    @property
    def nw_proto(self) -> int:
        """The IP protocol."""
        return _NW_PROTO.get(self.flow)

    @property
    def has_vlan(self) -> bool:
        """Whether packets have a VLAN header."""
        return bool(_TCI0.get(self.flow) & VLAN_CFI)

    def set_packet_type(self, value: int) -> None:
        """Say what packets are from here on."""
        self.flow = _PACKET_TYPE.put(self.flow, value)

    def set_dl_type(self, value: int) -> None:
        """Say what Ethertype packets have from here on."""
        self.flow = _DL_TYPE.put(self.flow, value)

    def set_nw_proto(self, value: int) -> None:
        """Say what IP protocol packets have from here on."""
        self.flow = _NW_PROTO.put(self.flow, value)

    def set_vlan_tci(self, value: int) -> None:
        """Say what the outermost VLAN header is from here on."""
        self.flow = _TCI0.put(self.flow, value)

    def add_vlan(self) -> None:
        """Say that packets have a VLAN header from here on."""
        self.flow |= VLAN_CFI << _TCI0.shift

    def push_vlan(self) -> bool:
        """Put another VLAN header in front; return False if there's no room."""
        if _TCI1.get(self.flow) & VLAN_CFI:
            return False
        vlans = self.flow & _VLANS
        self.flow = self.flow & ~_VLANS | vlans >> _VLAN_WIDTH & _VLANS
        self.add_vlan()
        return True

    def pop_vlan(self) -> None:
        """Take the outermost VLAN header away."""
        vlans = self.flow & _VLANS
        self.flow = self.flow & ~_VLANS | vlans << _VLAN_WIDTH & _VLANS

    def check_output_port(self, port: int) -> bool:
        """Return whether packets may be sent to `port`."""
        return port < self.max_ports or OFPP_FIRST_RESV < port <= OFPP_LOCAL

    def has_prereqs(self, field: Field) -> bool:
        """Return whether every packet of the match has `field`."""
        return prereqs.holds_for_parts(field, self.flow, self.mask)
