# SPDX-License-Identifier: Apache-2.0
"""Pieces of flow text to matches: `tcp`, `nw_src=10.0.0.0/8`.

Whoever splits a flow into keys and values asks here for those that are about matching.
"""

from __future__ import annotations

from ovswitch.flow import access, prereqs, values
from ovswitch.flow.fields import NONE, Field
from ovswitch.flow.layout import SLOTS
from ovswitch.flow.match import Match

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovswitch.flow.names import NameMap

_PACKET_TYPE = SLOTS["packet_type"].mask
_DL_TYPE = SLOTS["dl_type"]
_NW_PROTO = SLOTS["nw_proto"]

#: Words that stand for an Ethernet type and perhaps a protocol.
PROTOCOLS: dict[str, tuple[int, int]] = {
    "ip": (prereqs.ETH_TYPE_IP, 0),
    "ipv4": (prereqs.ETH_TYPE_IP, 0),
    "ip4": (prereqs.ETH_TYPE_IP, 0),
    "arp": (prereqs.ETH_TYPE_ARP, 0),
    "icmp": (prereqs.ETH_TYPE_IP, prereqs.IPPROTO_ICMP),
    "tcp": (prereqs.ETH_TYPE_IP, prereqs.IPPROTO_TCP),
    "udp": (prereqs.ETH_TYPE_IP, prereqs.IPPROTO_UDP),
    "sctp": (prereqs.ETH_TYPE_IP, prereqs.IPPROTO_SCTP),
    "ipv6": (prereqs.ETH_TYPE_IPV6, 0),
    "ip6": (prereqs.ETH_TYPE_IPV6, 0),
    "icmp6": (prereqs.ETH_TYPE_IPV6, prereqs.IPPROTO_ICMPV6),
    "tcp6": (prereqs.ETH_TYPE_IPV6, prereqs.IPPROTO_TCP),
    "udp6": (prereqs.ETH_TYPE_IPV6, prereqs.IPPROTO_UDP),
    "sctp6": (prereqs.ETH_TYPE_IPV6, prereqs.IPPROTO_SCTP),
    "rarp": (prereqs.ETH_TYPE_RARP, 0),
    "mpls": (prereqs.ETH_TYPE_MPLS, 0),
    "mplsm": (prereqs.ETH_TYPE_MPLS_MCAST, 0),
}


def _protocol_bits(eth_type: int, protocol: int) -> tuple[int, int]:
    value, mask = eth_type << _DL_TYPE.shift, _DL_TYPE.mask
    if protocol:
        value |= protocol << _NW_PROTO.shift
        mask |= _NW_PROTO.mask
    return value, mask


_PROTOCOL_BITS = {name: _protocol_bits(*row) for name, row in PROTOCOLS.items()}
_PROTOCOL_BITS["eth"] = (0, _PACKET_TYPE)


def set_protocol(match: Match, name: str) -> Match | None:
    """Return `match` with what a protocol's word says, None if `name` is no such."""
    bits = _PROTOCOL_BITS.get(name)
    if bits is None:
        return None
    value, mask = bits
    kept = match.mask & ~mask
    if name == "eth":
        return Match(match.value & kept, kept | mask, match.tun)
    # Whatever packet type was asked for before stays.
    return Match(match.value & kept | value, kept | mask | _PACKET_TYPE, match.tun)


def _with_ethernet(match: Match, field: Field) -> Match:
    """Return `match` on Ethernet packets, if the field is of the packet's."""
    if field.prereq is NONE or match.mask & _PACKET_TYPE:
        return match
    return Match(match.value, match.mask | _PACKET_TYPE, match.tun)


def set_field(
    match: Match, field: Field, text: str, ports: NameMap | None = None
) -> tuple[Match, int]:
    """Return `match` with `field` matched as `text` says, and the mask on the wire.

    An empty text asks for nothing, or for the presence of tunnel metadata. The mask
    decides which protocols can say the match.

    Raises:
        ValueError: with the text for the user.
    """
    value, mask = values.parse(field, text or "0/0", ports)
    match = access.set_match(field, match, value, mask)
    return _with_ethernet(match, field), mask


def set_bits(match: Match, field: Field, start: int, n_bits: int, bits: int) -> Match:
    """Return `match` with `n_bits` of a field, from `start` up, equal to `bits`."""
    value, mask = access.get_match(field, match)
    ones = (1 << n_bits) - 1 << start
    value = value & ~ones | bits << start
    match = access.set_match(field, match, value, mask | ones)
    return _with_ethernet(match, field)
