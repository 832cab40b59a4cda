# SPDX-License-Identifier: Apache-2.0
"""The table of flow key attributes: number, name, size, and members of each.

From a `Key` come the octets of a flow's header (`pack`), the flow's bits of an
attribute (`unpack`), and, with the format of each member, the text both ways. What is
not a plain structure (tunnel, nsh, vlan with encap, mpls) has members only as far as
it is one; its own module does the rest.
Members are in network order, metadata in host order: linux/openvswitch.h.
"""

from __future__ import annotations

from sys import byteorder

from ovswitch.datapath.odp import numbers as n
from ovswitch.flow.layout import NW_FRAG_ANY, NW_FRAG_LATER, SLOTS

VARIABLE = -2
NESTED = -3
INVALID = -1

# How a member is written in text.
ETH = 1  # xx:xx:xx:xx:xx:xx
IPV4 = 2
IPV6 = 3
LABEL = 4  # an IPv6 flow label
U8X = 5
U8U = 6
BE16 = 7  # decimal, mask in hexadecimal
BE16X = 8
FRAG = 9
ND_RESERVED = 10
ARP_OP = 11  # as BE16; all ones in a flow's 8 bits are all ones in the 16 here


class Member:
    """One member of a header: its place there, in the flow, and in text.

    Attributes:
        text: what stands before "=".
        parsed: the same where the reference reads another name than it writes.
        kind: how the value is written.
        shift: bits from the low end of the structure.
        width: in bits.
        ones: the greatest value that both the structure and the flow can hold.
        slot_shift: bits from the low end of the flow.
    """

    __slots__ = ("kind", "ones", "parsed", "shift", "slot_shift", "text", "width")

    def __init__(self, text: str, width: int, slot: str, kind: int) -> None:
        self.text = text
        self.parsed = text
        self.kind = kind
        self.width = width
        self.ones = (1 << min(width, SLOTS[slot].width)) - 1
        self.slot_shift = SLOTS[slot].shift
        self.shift = 0


class Key:
    """One attribute of a flow key.

    `size` is the payload's in octets or VARIABLE, NESTED, INVALID; `used` is how many
    of its octets have members: the rest is the structure's padding. `members` stand
    in the structure's order, `written` in that of the text.
    """

    __slots__ = ("members", "name", "number", "order", "size", "used", "written")

    def __init__(
        self,
        number: int,
        name: str,
        size: int,
        members: tuple[Member, ...] = (),
        *,
        host_order: bool = False,
    ) -> None:
        self.number = number
        self.name = name
        self.size = size
        self.members = members
        # The one structure whose text has another order ends in the protocol.
        tuple_key = members and name.startswith("ct_tuple")
        self.written = (
            (*members[:2], members[4], *members[2:4]) if tuple_key else members
        )
        self.order: _ByteOrder = byteorder if host_order else "big"
        self.used = sum(member.width for member in members) // 8
        shift = 8 * size
        for member in members:
            shift -= member.width
            member.shift = shift

    def pack(self, flow: int, *, is_mask: bool = False) -> bytes:
        """Return the payload for a flow, or for a mask over flows."""
        value = 0
        for member in self.members:
            bits = flow >> member.slot_shift & member.ones
            if member.kind == FRAG:
                bits = frag_to_odp(bits, is_mask=is_mask)
            elif member.kind == ARP_OP and bits == 0xFF:
                bits = 0xFFFF
            value |= bits << member.shift
        return value.to_bytes(self.size, self.order)

    def unpack(self, payload: bytes, *, is_mask: bool = False) -> int:
        """Return the flow's bits that the payload (of the right size) gives.

        A fragment type that doesn't exist becomes an nw_frag of 0xff.
        """
        value = int.from_bytes(payload, self.order)
        flow = 0
        for member in self.members:
            bits = value >> member.shift & member.ones
            if member.kind == FRAG:
                bits = frag_from_odp(bits, is_mask=is_mask)
            flow |= bits << member.slot_shift
        return flow

    def is_constant(self, payload: bytes, octet: int) -> bool:
        """Return whether a mask's members are all zeros (0) or all ones (0xff)."""
        if self.number == n.OVS_KEY_ATTR_IPV6:
            label = int.from_bytes(payload[32:36], "big") & 0xFFFFF
            wanted = 0xFFFFF if octet else 0
            rest = payload[:32] + payload[36:]
            return label == wanted and rest == bytes((octet,)) * len(rest)
        if self.number == n.OVS_KEY_ATTR_TCP_FLAGS:
            flags = int.from_bytes(payload, "big") & 0xFFF
            return flags == (0xFFF if octet else 0)
        if self.number in _PADDED:
            payload = payload[: self.used]
        return payload == bytes((octet,)) * len(payload)


def frag_to_odp(nw_frag: int, *, is_mask: bool) -> int:
    """Return OVS_FRAG_TYPE_* for a flow's nw_frag (or all ones, zero for a mask)."""
    if is_mask:
        return 0xFF if nw_frag & NW_FRAG_ANY else 0
    if not nw_frag & NW_FRAG_ANY:
        return n.OVS_FRAG_TYPE_NONE
    if nw_frag & NW_FRAG_LATER:
        return n.OVS_FRAG_TYPE_LATER
    return n.OVS_FRAG_TYPE_FIRST


_FRAG = (0, NW_FRAG_ANY, NW_FRAG_ANY | NW_FRAG_LATER)


def frag_from_odp(frag: int, *, is_mask: bool) -> int:
    """Return a flow's nw_frag for OVS_FRAG_TYPE_*, 0xff where that doesn't exist."""
    if is_mask:
        return NW_FRAG_ANY | NW_FRAG_LATER if frag else 0
    return _FRAG[frag] if frag < len(_FRAG) else 0xFF


def _ports(number: int, name: str) -> Key:
    return Key(
        number,
        name,
        4,
        (Member("src", 16, "tp_src", BE16), Member("dst", 16, "tp_dst", BE16)),
    )


def _icmp(number: int, name: str) -> Key:
    return Key(
        number,
        name,
        2,
        (Member("type", 8, "tp_src", U8U), Member("code", 8, "tp_dst", U8U)),
    )


def _tuple6_port(text: str, parsed: str, slot: str) -> Member:
    member = Member(text, 16, slot, BE16)
    member.parsed = parsed
    return member


def _word(number: int, name: str, size: int, slot: str) -> Key:
    member = Member("", 8 * size, slot, 0)
    return Key(number, name, size, (member,), host_order=True)


#: Every attribute by number, in the order in which the parser tries their names.
KEYS: dict[int, Key] = {
    key.number: key
    for key in (
        _word(n.OVS_KEY_ATTR_PRIORITY, "skb_priority", 4, "skb_priority"),
        _word(n.OVS_KEY_ATTR_SKB_MARK, "skb_mark", 4, "pkt_mark"),
        _word(n.OVS_KEY_ATTR_RECIRC_ID, "recirc_id", 4, "recirc_id"),
        _word(n.OVS_KEY_ATTR_DP_HASH, "dp_hash", 4, "dp_hash"),
        _word(n.OVS_KEY_ATTR_CT_STATE, "ct_state", 4, "ct_state"),
        _word(n.OVS_KEY_ATTR_CT_ZONE, "ct_zone", 2, "ct_zone"),
        _word(n.OVS_KEY_ATTR_CT_MARK, "ct_mark", 4, "ct_mark"),
        _word(n.OVS_KEY_ATTR_CT_LABELS, "ct_label", 16, "ct_label"),
        Key(
            n.OVS_KEY_ATTR_CT_ORIG_TUPLE_IPV4,
            "ct_tuple4",
            16,
            (
                Member("src", 32, "ct_nw_src", IPV4),
                Member("dst", 32, "ct_nw_dst", IPV4),
                Member("tp_src", 16, "ct_tp_src", BE16),
                Member("tp_dst", 16, "ct_tp_dst", BE16),
                Member("proto", 8, "ct_nw_proto", U8U),
            ),
        ),
        Key(
            n.OVS_KEY_ATTR_CT_ORIG_TUPLE_IPV6,
            "ct_tuple6",
            40,
            (
                Member("src", 128, "ct_ipv6_src", IPV6),
                Member("dst", 128, "ct_ipv6_dst", IPV6),
                _tuple6_port("src_port", "tp_src", "ct_tp_src"),
                _tuple6_port("dst_port", "tp_dst", "ct_tp_dst"),
                Member("proto", 8, "ct_nw_proto", U8U),
            ),
        ),
        Key(n.OVS_KEY_ATTR_TUNNEL, "tunnel", NESTED),
        _word(n.OVS_KEY_ATTR_IN_PORT, "in_port", 4, "in_port"),
        Key(
            n.OVS_KEY_ATTR_ETHERNET,
            "eth",
            12,
            (Member("src", 48, "dl_src", ETH), Member("dst", 48, "dl_dst", ETH)),
        ),
        Key(n.OVS_KEY_ATTR_VLAN, "vlan", 2),
        Key(
            n.OVS_KEY_ATTR_ETHERTYPE,
            "eth_type",
            2,
            (Member("", 16, "dl_type", 0),),
        ),
        Key(n.OVS_KEY_ATTR_MPLS, "mpls", VARIABLE),
        Key(
            n.OVS_KEY_ATTR_IPV4,
            "ipv4",
            12,
            (
                Member("src", 32, "nw_src", IPV4),
                Member("dst", 32, "nw_dst", IPV4),
                Member("proto", 8, "nw_proto", U8U),
                Member("tos", 8, "nw_tos", U8X),
                Member("ttl", 8, "nw_ttl", U8U),
                Member("frag", 8, "nw_frag", FRAG),
            ),
        ),
        Key(
            n.OVS_KEY_ATTR_IPV6,
            "ipv6",
            40,
            (
                Member("src", 128, "ipv6_src", IPV6),
                Member("dst", 128, "ipv6_dst", IPV6),
                Member("label", 32, "ipv6_label", LABEL),
                Member("proto", 8, "nw_proto", U8U),
                Member("tclass", 8, "nw_tos", U8X),
                Member("hlimit", 8, "nw_ttl", U8U),
                Member("frag", 8, "nw_frag", FRAG),
            ),
        ),
        _ports(n.OVS_KEY_ATTR_TCP, "tcp"),
        Key(
            n.OVS_KEY_ATTR_TCP_FLAGS,
            "tcp_flags",
            2,
            (Member("", 16, "tcp_flags", 0),),
        ),
        _ports(n.OVS_KEY_ATTR_UDP, "udp"),
        _ports(n.OVS_KEY_ATTR_SCTP, "sctp"),
        _icmp(n.OVS_KEY_ATTR_ICMP, "icmp"),
        _icmp(n.OVS_KEY_ATTR_ICMPV6, "icmpv6"),
        Key(
            n.OVS_KEY_ATTR_ARP,
            "arp",
            24,
            (
                Member("sip", 32, "nw_src", IPV4),
                Member("tip", 32, "nw_dst", IPV4),
                Member("op", 16, "nw_proto", ARP_OP),
                Member("sha", 48, "arp_sha", ETH),
                Member("tha", 48, "arp_tha", ETH),
            ),
        ),
        Key(
            n.OVS_KEY_ATTR_ND,
            "nd",
            28,
            (
                Member("target", 128, "nd_target", IPV6),
                Member("sll", 48, "arp_sha", ETH),
                Member("tll", 48, "arp_tha", ETH),
            ),
        ),
        Key(
            n.OVS_KEY_ATTR_ND_EXTENSIONS,
            "nd_ext",
            8,
            (
                Member("nd_reserved", 32, "igmp_group_ip4", ND_RESERVED),
                Member("nd_options_type", 8, "tcp_flags", U8U),
            ),
        ),
        Key(
            n.OVS_KEY_ATTR_PACKET_TYPE,
            "packet_type",
            4,
            (Member("", 32, "packet_type", 0),),
        ),
        Key(n.OVS_KEY_ATTR_NSH, "nsh", NESTED),
        Key(n.OVS_KEY_ATTR_ENCAP, "encap", NESTED),
    )
}

# Structures that end in padding which a mask needn't have filled.
_PADDED = frozenset(
    (
        n.OVS_KEY_ATTR_ARP,
        n.OVS_KEY_ATTR_CT_ORIG_TUPLE_IPV4,
        n.OVS_KEY_ATTR_CT_ORIG_TUPLE_IPV6,
    )
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal

    _ByteOrder = Literal["little", "big"]


def key_name(number: int) -> str:
    """Return an attribute's name in text."""
    key = KEYS.get(number)
    if key is not None:
        return key.name
    if number == 0:
        return "unspec"
    if number == n.OVS_KEY_ATTR_TUNNEL_INFO:
        return "<error: kernel-only tunnel_info>"
    return f"key{number}"


def key_size(number: int) -> int:
    """Return an attribute's payload size, VARIABLE, NESTED or INVALID.

    Numbers in range that have no form (0 and the kernel's own) hold nothing.
    """
    key = KEYS.get(number)
    if key is not None:
        return key.size
    return 0 if number <= n.OVS_KEY_ATTR_MAX else INVALID
