# SPDX-License-Identifier: Apache-2.0
"""Flows and masks as OVS_KEY_ATTR_* attributes.

Every attribute is put that a datapath with the given `Support` wants, in the order of
the reference's odp-util.c; a mask has the attributes of its flow.
"""

from __future__ import annotations

from ovswitch.datapath import netlink
from ovswitch.datapath.odp import attributes as a
from ovswitch.datapath.odp import numbers as n
from ovswitch.datapath.odp import tunnel_key
from ovswitch.flow.layout import (
    N_MPLS,
    N_VLANS,
    NW_FRAG_LATER,
    SLOTS,
    TUNNEL_MASK,
)
from ovswitch.packet import headers as h

_GET = {name: slot.get for name, slot in SLOTS.items()}
_DL_TYPE, _PACKET_TYPE = SLOTS["dl_type"], SLOTS["packet_type"]
_NW_PROTO, _NW_FRAG = SLOTS["nw_proto"], SLOTS["nw_frag"]
_TCP_FLAGS = SLOTS["tcp_flags"]
_TP_SRC, _TP_DST = SLOTS["tp_src"], SLOTS["tp_dst"]
ICMP_EXACT = 0xFF << _TP_SRC.shift | 0xFF << _TP_DST.shift
_TP_MASK = _TP_SRC.mask | _TP_DST.mask
_NSH_FIRST, _NSH_LAST = SLOTS["nsh_flags"], SLOTS["nsh_c4"]
_ONES16 = b"\xff\xff"


TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Support(Protocol):
        """What a datapath can match on; `ofproto.features` probes it."""

        max_vlan_headers: int
        max_mpls_depth: int
        recirc: bool
        ct_state: bool
        ct_zone: bool
        ct_mark: bool
        ct_label: bool
        ct_orig_tuple: bool
        ct_orig_tuple6: bool
        nd_ext: bool


class _AllSupported:
    """A datapath that knows every field."""

    __slots__ = (
        "ct_label",
        "ct_mark",
        "ct_orig_tuple",
        "ct_orig_tuple6",
        "ct_state",
        "ct_zone",
        "max_mpls_depth",
        "max_vlan_headers",
        "nd_ext",
        "recirc",
    )

    def __init__(self) -> None:
        self.max_vlan_headers = N_VLANS
        self.max_mpls_depth = N_MPLS
        self.recirc = True
        self.ct_state = self.ct_zone = self.ct_mark = self.ct_label = True
        self.ct_orig_tuple = self.ct_orig_tuple6 = True
        self.nd_ext = True


ALL_SUPPORTED: Support = _AllSupported()


def from_flow(flow: int, support: Support = ALL_SUPPORTED, mask: int = 0) -> bytes:
    """Return the attributes of a flow; its mask, if known, calls for TCP flags of 0."""
    force = bool(mask & _TCP_FLAGS.mask)
    return b"".join(_Encoder(flow, flow, support, tcp_flags=force).encode())


def from_mask(mask: int, flow: int, support: Support = ALL_SUPPORTED) -> bytes:
    """Return the attributes of the mask of `flow`."""
    return b"".join(_Encoder(mask, flow, support, is_mask=True).encode())


_CT_WORDS = (
    (n.OVS_KEY_ATTR_CT_STATE, "ct_state"),
    (n.OVS_KEY_ATTR_CT_ZONE, "ct_zone"),
    (n.OVS_KEY_ATTR_CT_MARK, "ct_mark"),
    (n.OVS_KEY_ATTR_CT_LABELS, "ct_label"),
)


class _Encoder:
    """Puts the attributes of `bits` (a flow or its mask) that `flow` has."""

    __slots__ = (
        "bits",
        "flow",
        "is_mask",
        "max_vlans",
        "parts",
        "support",
        "tcp_flags",
    )

    def __init__(
        self,
        bits: int,
        flow: int,
        support: Support,
        *,
        is_mask: bool = False,
        tcp_flags: bool = False,
    ) -> None:
        self.bits = bits
        self.flow = flow
        self.support = support
        self.is_mask = is_mask
        self.tcp_flags = tcp_flags
        self.max_vlans = min(support.max_vlan_headers, N_VLANS)

    def put(self, number: int) -> bytes:
        """Return one attribute whose members the table has."""
        payload = a.KEYS[number].pack(self.bits, is_mask=self.is_mask)
        return netlink.attr(number, payload)

    def encode(self) -> list[bytes]:
        """Return all attributes."""
        parts = [self.put(n.OVS_KEY_ATTR_PRIORITY)]
        if tunnel_key.has_tunnel(self.flow) or (
            self.is_mask and self.bits & TUNNEL_MASK
        ):
            parts.append(tunnel_key.encode(self.bits, self.flow))
        parts.append(self.put(n.OVS_KEY_ATTR_SKB_MARK))
        parts += [
            self.put(number)
            for number, name in _CT_WORDS
            if getattr(self.support, name)
        ]
        parts += self._ct_tuple()
        if self.support.recirc:
            parts.append(self.put(n.OVS_KEY_ATTR_RECIRC_ID))
            parts.append(self.put(n.OVS_KEY_ATTR_DP_HASH))
        if self.is_mask or _GET["in_port"](self.flow) != n.ODPP_NONE:
            parts.append(self.put(n.OVS_KEY_ATTR_IN_PORT))
        parts.append(self.put(n.OVS_KEY_ATTR_PACKET_TYPE))
        if _PACKET_TYPE.get(self.flow) == h.PT_ETH:
            parts.append(self.put(n.OVS_KEY_ATTR_ETHERNET))
            return parts + self._vlan_onward(0)
        return parts + self._type_onward()

    def _ct_tuple(self) -> list[bytes]:
        if not _GET["ct_nw_proto"](self.flow):
            return []
        dl_type = _DL_TYPE.get(self.flow)
        if dl_type == h.ETH_TYPE_IP and self.support.ct_orig_tuple:
            return [self.put(n.OVS_KEY_ATTR_CT_ORIG_TUPLE_IPV4)]
        if dl_type == h.ETH_TYPE_IPV6 and self.support.ct_orig_tuple6:
            return [self.put(n.OVS_KEY_ATTR_CT_ORIG_TUPLE_IPV6)]
        return []

    def _vlan_onward(self, depth: int) -> list[bytes]:
        """Return a VLAN header with all that it encapsulates, or what is without."""
        if depth >= self.max_vlans:
            return self._type_onward()
        tpid = _GET[f"vlan_tpid{depth}"](self.flow)
        tci = _GET[f"vlan_tci{depth}"](self.flow)
        if not tci:
            if not h.is_vlan(_DL_TYPE.get(self.flow)):
                return self._type_onward()
            tpid = _DL_TYPE.get(self.flow)  # of a header that was cut off
        own_tci = _GET[f"vlan_tci{depth}"](self.bits)
        inner = b"".join(self._vlan_onward(depth + 1)) if tci else b""
        own_type = _ONES16 if self.is_mask else tpid.to_bytes(2, "big")
        return [
            netlink.attr(n.OVS_KEY_ATTR_ETHERTYPE, own_type),
            netlink.attr(n.OVS_KEY_ATTR_VLAN, own_tci.to_bytes(2, "big")),
            netlink.attr(n.OVS_KEY_ATTR_ENCAP, inner),
        ]

    def _type_onward(self) -> list[bytes]:
        dl_type = _DL_TYPE.get(self.flow)
        if dl_type < h.ETH_TYPE_MIN:
            # No attribute for "no type", but a full mask for it.
            return (
                [netlink.attr(n.OVS_KEY_ATTR_ETHERTYPE, _ONES16)]
                if self.is_mask
                else []
            )
        parts = [self.put(n.OVS_KEY_ATTR_ETHERTYPE)]
        if dl_type == h.ETH_TYPE_IP:
            parts.append(self.put(n.OVS_KEY_ATTR_IPV4))
        elif dl_type == h.ETH_TYPE_IPV6:
            parts.append(self.put(n.OVS_KEY_ATTR_IPV6))
        elif dl_type in (h.ETH_TYPE_ARP, h.ETH_TYPE_RARP):
            parts.append(self.put(n.OVS_KEY_ATTR_ARP))
        elif h.is_mpls(dl_type):
            parts.append(self._mpls())
        elif dl_type == h.ETH_TYPE_NSH:
            parts.append(encode_nsh(self.bits, is_mask=self.is_mask))
        return parts + self._l4()

    def _mpls(self) -> bytes:
        count = count_mpls_labels(self.flow)
        if self.is_mask:
            count = min(count, self.support.max_mpls_depth)
        octets = b"".join(
            _GET[f"mpls_lse{i}"](self.bits).to_bytes(4, "big") for i in range(count)
        )
        return netlink.attr(n.OVS_KEY_ATTR_MPLS, octets)

    def _l4(self) -> list[bytes]:
        number = l4_attribute(self.flow)
        if not number:
            return []
        parts = [self.put(number)]
        if number == n.OVS_KEY_ATTR_TCP:
            if self.tcp_flags or self.bits & _TCP_FLAGS.mask:
                parts.append(self.put(n.OVS_KEY_ATTR_TCP_FLAGS))
        elif is_nd(self.flow) and (
            not self.is_mask or self.bits & _TP_MASK == ICMP_EXACT
        ):
            parts.append(self.put(n.OVS_KEY_ATTR_ND))
            extended = _GET["igmp_group_ip4"](self.bits) or self.bits & _TCP_FLAGS.mask
            if self.support.nd_ext and extended:
                parts.append(self.put(n.OVS_KEY_ATTR_ND_EXTENSIONS))
        return parts


def count_mpls_labels(flow: int) -> int:
    """Return how many MPLS labels an MPLS flow has, as far as it knows."""
    count = 0
    for i in range(N_MPLS):
        lse = _GET[f"mpls_lse{i}"](flow)
        if lse & h.MPLS_BOS_MASK:
            return i + 1
        if lse:
            count += 1
    return count


def encode_nsh(bits: int, *, is_mask: bool) -> bytes:
    """Return the OVS_KEY_ATTR_NSH attribute of a flow or mask."""
    first = _NSH_LAST.shift
    width = _NSH_FIRST.shift + _NSH_FIRST.width - first
    octets = (bits >> first & (1 << width) - 1).to_bytes(width // 8, "big")
    inner = netlink.attr(n.OVS_NSH_KEY_ATTR_BASE, octets[:8])
    if is_mask or octets[2] == h.NSH_M_TYPE1:
        inner += netlink.attr(n.OVS_NSH_KEY_ATTR_MD1, octets[8:])
    return netlink.attr(n.OVS_KEY_ATTR_NSH, inner)


#: Protocols with an attribute of their own: (dl_type or 0 for both, nw_proto).
_L4_ATTRIBUTES = {
    h.IPPROTO_TCP: (0, n.OVS_KEY_ATTR_TCP),
    h.IPPROTO_UDP: (0, n.OVS_KEY_ATTR_UDP),
    h.IPPROTO_SCTP: (0, n.OVS_KEY_ATTR_SCTP),
    h.IPPROTO_ICMP: (h.ETH_TYPE_IP, n.OVS_KEY_ATTR_ICMP),
    h.IPPROTO_ICMPV6: (h.ETH_TYPE_IPV6, n.OVS_KEY_ATTR_ICMPV6),
}


def l4_attribute(flow: int) -> int:
    """Return the number of the attribute for the flow's layer 4, 0 for none."""
    dl_type = _DL_TYPE.get(flow)
    if not h.is_ip_any(dl_type) or _NW_FRAG.get(flow) & NW_FRAG_LATER:
        return 0
    wanted, number = _L4_ATTRIBUTES.get(_NW_PROTO.get(flow), (0, 0))
    return number if wanted in (0, dl_type) else 0


def is_nd(flow: int) -> bool:
    """Return whether the flow is neighbour discovery with fields of its own."""
    return (
        l4_attribute(flow) == n.OVS_KEY_ATTR_ICMPV6
        and _TP_DST.get(flow) == 0
        and _TP_SRC.get(flow) in (h.ND_NEIGHBOR_SOLICIT, h.ND_NEIGHBOR_ADVERT)
    )
