# SPDX-License-Identifier: Apache-2.0
"""The flow key: one structure, one integer.

A flow is every header field, tunnel field, register and piece of metadata that the
switch can look at, in one structure of `SIZE` octets in network byte order. Python
reads the octets as one `int`, so that taking a field is a shift and a mask, matching
is ``flow & mask == value``, and "this field was looked at" is ``|=``. The C side's
``struct flow_key`` is generated from the same table when the native module is built.

Packet headers stand last, that is in the integer's low bits, since every flow has
them; what is mostly zero (registers, the tunnel, its options) stands first. CPython's
integers then stay short. Members are aligned to their size and groups to eight octets,
so that C can compare and hash eight octets at a time.

Some members serve several protocols, as in the reference: `nw_src` holds the ARP
sender, `tp_src` the ICMP type, `arp_sha` the link-layer option of neighbour discovery,
`tcp_flags` its option's type. `in_port` is an OpenFlow port in `ofproto/` and a
datapath port in `datapath/`.
"""

from __future__ import annotations

N_REGS = 16
N_VLANS = 2  # VLAN headers, outermost first
N_MPLS = 3  # MPLS label stack entries, outermost first
N_NSH_CONTEXTS = 4
TUN_METADATA_BYTES = 256  # room for Geneve options, in a flow and in all

# (name, width in bits) in memory order; each inner tuple is a group of whole words.
_GROUPS: tuple[tuple[tuple[str, int], ...], ...] = (
    # Geneve options: which tun_metadataN are present, and their octets (or, in the
    # datapath's form, the options as they stand in the packet).
    (("tun_metadata_present", 64),),
    (("tun_metadata", 8 * TUN_METADATA_BYTES),),
    # The tunnel that the packet came through.
    (("tun_id", 64),),
    (("tun_ipv6_src", 128), ("tun_ipv6_dst", 128)),
    (("tun_src", 32), ("tun_dst", 32)),
    (
        ("tun_flags", 16),
        ("tun_tos", 8),
        ("tun_ttl", 8),
        ("tun_tp_src", 16),
        ("tun_tp_dst", 16),
    ),
    (
        ("tun_gbp_id", 16),
        ("tun_gbp_flags", 8),
        ("tun_erspan_ver", 8),
        ("tun_erspan_idx", 32),
    ),
    (
        ("tun_erspan_dir", 8),
        ("tun_erspan_hwid", 8),
        ("tun_gtpu_flags", 8),
        ("tun_gtpu_msgtype", 8),
        ("tun_metadata_len", 8),  # octets of options in the datapath's form
        ("tun_pad8", 8),
        ("tun_pad16", 16),
    ),
    # The OpenFlow pipeline's own; the datapath never sees them.
    (("metadata", 64),),
    tuple((f"reg{i}", 32) for i in range(N_REGS)),
    (("conj_id", 32), ("actset_output", 32)),
    # What the datapath knows about the packet beside its octets.
    (("ct_label", 128),),
    (("ct_ipv6_src", 128), ("ct_ipv6_dst", 128)),
    (("ct_nw_src", 32), ("ct_nw_dst", 32)),
    (("ct_mark", 32), ("ct_state", 32)),
    (
        ("ct_zone", 16),
        ("ct_tp_src", 16),
        ("ct_tp_dst", 16),
        ("ct_nw_proto", 8),
        ("ct_pad", 8),
    ),
    (("skb_priority", 32), ("pkt_mark", 32)),
    (("dp_hash", 32), ("recirc_id", 32)),
    (("in_port", 32), ("packet_type", 32)),
    # Layer 2.
    (("dl_dst", 48), ("dl_src", 48), ("dl_type", 16), ("dl_pad", 16)),
    (
        ("vlan_tpid0", 16),
        ("vlan_tci0", 16),  # with the CFI bit set when the header is there
        ("vlan_tpid1", 16),
        ("vlan_tci1", 16),
    ),
    (
        ("mpls_lse0", 32),
        ("mpls_lse1", 32),
        ("mpls_lse2", 32),
        ("mpls_pad", 32),
    ),
    # Network service header.
    (
        ("nsh_flags", 8),
        ("nsh_ttl", 8),
        ("nsh_mdtype", 8),
        ("nsh_np", 8),
        ("nsh_path_hdr", 32),  # 24 bits of path, 8 of index
    ),
    (("nsh_c1", 32), ("nsh_c2", 32), ("nsh_c3", 32), ("nsh_c4", 32)),
    # Neighbour discovery and ARP.
    (("nd_target", 128),),
    (("arp_sha", 48), ("arp_tha", 48), ("tcp_flags", 16), ("l4_pad", 16)),
    # Layer 3.
    (("ipv6_src", 128), ("ipv6_dst", 128)),
    (("nw_src", 32), ("nw_dst", 32)),
    (
        ("ipv6_label", 32),
        ("nw_frag", 8),
        ("nw_tos", 8),
        ("nw_ttl", 8),
        ("nw_proto", 8),  # or the low octet of the ARP operation
    ),
    # Layer 4. `igmp_group_ip4` also holds the reserved word of neighbour discovery.
    (("tp_src", 16), ("tp_dst", 16), ("igmp_group_ip4", 32)),
)


class Slot:
    """One member of the flow structure.

    Attributes:
        name: the member's name, in C too.
        width: in bits, a multiple of 8.
        offset: octets from the structure's start.
        shift: bits from the integer's low end.
        ones: the member's greatest value.
        mask: `ones` in place, for use on a whole flow.
    """

    __slots__ = ("mask", "name", "offset", "ones", "shift", "width")

    def __init__(self, name: str, width: int, offset: int, size: int) -> None:
        self.name = name
        self.width = width
        self.offset = offset
        self.shift = 8 * (size - offset) - width
        self.ones = (1 << width) - 1
        self.mask = self.ones << self.shift

    def __repr__(self) -> str:
        return f"Slot({self.name}, {self.width} bits at octet {self.offset})"

    def get(self, flow: int) -> int:
        """Return the member's value in `flow`."""
        return flow >> self.shift & self.ones

    def put(self, flow: int, value: int) -> int:
        """Return `flow` with the member set to `value` (which must fit)."""
        return flow & ~self.mask | value << self.shift


def _build() -> tuple[dict[str, Slot], int]:
    size = sum(width for group in _GROUPS for _, width in group) // 8
    slots: dict[str, Slot] = {}
    offset = 0
    for group in _GROUPS:
        assert offset % 8 == 0, group
        for name, width in group:
            slots[name] = Slot(name, width, offset, size)
            offset += width // 8
    assert offset == size
    assert size % 8 == 0
    return slots, size


#: Every member by name, in memory order; and the structure's size in octets.
SLOTS, SIZE = _build()

FLOW_MASK = (1 << 8 * SIZE) - 1


def span(first: str, last: str) -> int:
    """Return the mask of all members from `first` to `last` in memory order."""
    high = SLOTS[first].shift + SLOTS[first].width
    low = SLOTS[last].shift
    return (1 << high) - (1 << low)


#: Groups of members, as masks: what `clear tunnel`, `clear registers` and so on touch.
TUNNEL_MASK = span("tun_metadata_present", "tun_pad16")
REGS_MASK = span("reg0", f"reg{N_REGS - 1}")
CT_ORIG_TUPLE_MASK = span("ct_ipv6_src", "ct_nw_dst") | span("ct_tp_src", "ct_nw_proto")
HEADERS_MASK = span("dl_dst", "igmp_group_ip4")

# Values that the flow structure uses by convention, as the reference does.
VLAN_CFI = 0x1000
VLAN_VID_MASK = 0x0FFF
VLAN_PCP_MASK = 0xE000
NW_FRAG_ANY = 1
NW_FRAG_LATER = 2
PACKET_TYPE_ETH = 0


def from_octets(octets: bytes) -> int:
    """Return the flow held by `SIZE` octets of the structure."""
    return int.from_bytes(octets, "big")


def to_octets(flow: int) -> bytes:
    """Return the structure's octets for `flow`."""
    return flow.to_bytes(SIZE, "big")
