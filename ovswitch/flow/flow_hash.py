# SPDX-License-Identifier: Apache-2.0
"""Hashes of a packet's flow, and choosing a link by one.

Symmetric hashes are equal for both directions of a connection. Each has its mask: what
of the flow the hash may depend on, so that no megaflow covers two hashes.
"""

from __future__ import annotations

from ovswitch.flow import hashes
from ovswitch.flow.layout import PACKET_TYPE_ETH, SLOTS, VLAN_CFI, VLAN_VID_MASK
from ovswitch.flow.prereqs import (
    ETH_TYPE_ARP,
    ETH_TYPE_IP,
    ETH_TYPE_IPV6,
    IPPROTO_ICMP,
    IPPROTO_ICMPV6,
    IPPROTO_SCTP,
    IPPROTO_TCP,
    IPPROTO_UDP,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_DL_SRC, _DL_DST, _DL_TYPE = SLOTS["dl_src"], SLOTS["dl_dst"], SLOTS["dl_type"]
_VLANS = (SLOTS["vlan_tci0"], SLOTS["vlan_tci1"])
_NW_SRC, _NW_DST = SLOTS["nw_src"], SLOTS["nw_dst"]
_IPV6_SRC, _IPV6_DST = SLOTS["ipv6_src"], SLOTS["ipv6_dst"]
_NW_PROTO, _NW_FRAG = SLOTS["nw_proto"], SLOTS["nw_frag"]
_TP_SRC, _TP_DST = SLOTS["tp_src"], SLOTS["tp_dst"]
_PACKET_TYPE = SLOTS["packet_type"]

_PORTS = _TP_SRC.mask | _TP_DST.mask
_ICMP_PORTS = 0xFF << _TP_SRC.shift | 0xFF << _TP_DST.shift
_VIDS = sum((VLAN_VID_MASK | VLAN_CFI) << tci.shift for tci in _VLANS)

_WITH_PORTS = (IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP, IPPROTO_ICMP, IPPROTO_ICMPV6)


def _addresses(flow: int) -> bytes:
    """Return both addresses xored, 4 or 16 octets; none if it isn't IP."""
    eth_type = _DL_TYPE.get(flow)
    if eth_type == ETH_TYPE_IP:
        return (_NW_SRC.get(flow) ^ _NW_DST.get(flow)).to_bytes(4, "big")
    if eth_type == ETH_TYPE_IPV6:
        return (_IPV6_SRC.get(flow) ^ _IPV6_DST.get(flow)).to_bytes(16, "big")
    return b""


def _ports(flow: int) -> bytes:
    return (_TP_SRC.get(flow) ^ _TP_DST.get(flow)).to_bytes(2, "big")


def _layer2(flow: int) -> tuple[bytes, bytes, bytes]:
    """Return the EtherType, the VLAN ids xored and the addresses xored."""
    vlan = (_VLANS[0].get(flow) ^ _VLANS[1].get(flow)) & VLAN_VID_MASK
    address = _DL_SRC.get(flow) ^ _DL_DST.get(flow)
    return (
        _DL_TYPE.get(flow).to_bytes(2, "big"),
        vlan.to_bytes(2, "big"),
        address.to_bytes(6, "big"),
    )


def five_tuple(flow: int, basis: int = 0) -> int:
    """Return the hash of addresses, protocol and ports, as a datapath computes it."""
    eth_type = _DL_TYPE.get(flow)
    value = basis
    if eth_type == ETH_TYPE_IPV6:
        octets = _IPV6_SRC.get(flow) << 128 | _IPV6_DST.get(flow)
        value = hashes.add_octets(value, octets.to_bytes(32, "big"))
    elif eth_type in (ETH_TYPE_IP, ETH_TYPE_ARP):
        octets = _NW_SRC.get(flow) << 32 | _NW_DST.get(flow)
        value = hashes.add_octets(value, octets.to_bytes(8, "big"))
    else:
        return hashes.finish(value, 42)
    protocol = _NW_PROTO.get(flow)
    value = hashes.add(value, protocol)
    if protocol in _WITH_PORTS:
        ports = _TP_SRC.get(flow) << 16 | _TP_DST.get(flow)
        value = hashes.add_octets(value, ports.to_bytes(4, "big"))
    return hashes.finish(value, 42)


def symmetric_l4(flow: int, basis: int = 0) -> int:
    """Return a symmetric hash of layers 2 to 4, but for UDP ports."""
    eth_type, vlan, address = _layer2(flow)
    network = _addresses(flow)
    protocol, ports = 0, b"\0\0"
    if network:
        protocol = _NW_PROTO.get(flow)
        if protocol in (IPPROTO_TCP, IPPROTO_SCTP):
            ports = _ports(flow)
    octets = network.ljust(16, b"\0") + eth_type + vlan + ports + address
    return hashes.jhash(octets + bytes((protocol, 0, 0, 0)), basis)


def symmetric_l2(flow: int, basis: int = 0) -> int:
    """Return a symmetric hash of layer 2; 0 for a packet without."""
    if _PACKET_TYPE.get(flow) != PACKET_TYPE_ETH:
        return 0
    value = hashes.add_octets(basis, b"".join(_layer2(flow)))
    return hashes.finish(value, basis)


def symmetric_l3l4(flow: int, basis: int = 0, with_udp: bool = False) -> int:
    """Return a symmetric hash of layers 3 and 4; of layer 2 if it isn't IP."""
    network = _addresses(flow)
    if not network:
        return symmetric_l2(flow, basis)
    value = hashes.add_octets(basis, network)
    protocol = _NW_PROTO.get(flow)
    value = hashes.add(value, protocol)
    if not _NW_FRAG.get(flow) & 3 and (
        protocol in (IPPROTO_TCP, IPPROTO_SCTP)
        or (with_udp and protocol == IPPROTO_UDP)
    ):
        value = hashes.add(value, hashes.words(_ports(flow))[0])
    return hashes.finish(value, basis)


def _symmetric_l3l4_udp(flow: int, basis: int) -> int:
    return symmetric_l3l4(flow, basis, with_udp=True)


def symmetric_l3(flow: int, basis: int = 0) -> int:
    """Return a symmetric hash of the network addresses."""
    eth_type = _DL_TYPE.get(flow).to_bytes(2, "big")
    octets = _addresses(flow).ljust(16, b"\0") + eth_type
    return hashes.jhash(octets + b"\0\0", basis)


def _eth_src(flow: int, basis: int) -> int:
    return hashes.jhash(_DL_SRC.get(flow).to_bytes(6, "big"), basis)


def _nw_src(flow: int, basis: int) -> int:
    eth_type = _DL_TYPE.get(flow)
    if eth_type == ETH_TYPE_IP:
        return hashes.jhash(_NW_SRC.get(flow).to_bytes(4, "big"), basis)
    if eth_type == ETH_TYPE_IPV6:
        return hashes.jhash(_IPV6_SRC.get(flow).to_bytes(16, "big"), basis)
    return basis


def _nw_dst(flow: int, basis: int) -> int:
    eth_type = _DL_TYPE.get(flow)
    if eth_type == ETH_TYPE_IP:
        return hashes.jhash(_NW_DST.get(flow).to_bytes(4, "big"), basis)
    if eth_type == ETH_TYPE_IPV6:
        return hashes.jhash(_IPV6_DST.get(flow).to_bytes(16, "big"), basis)
    return basis


def _mask_nw_src(flow: int) -> int:
    eth_type = _DL_TYPE.get(flow)
    if eth_type == ETH_TYPE_IP:
        return _NW_SRC.mask
    return _IPV6_SRC.mask if eth_type == ETH_TYPE_IPV6 else 0


def _mask_nw_dst(flow: int) -> int:
    eth_type = _DL_TYPE.get(flow)
    if eth_type == ETH_TYPE_IP:
        return _NW_DST.mask
    return _IPV6_DST.mask if eth_type == ETH_TYPE_IPV6 else 0


def _mask_l3(flow: int) -> int:
    return _mask_nw_src(flow) | _mask_nw_dst(flow)


def _mask_l4(flow: int) -> int:
    mask = _DL_SRC.mask | _DL_DST.mask | _VIDS
    network = _mask_l3(flow)
    if network:
        mask |= network | _NW_PROTO.mask
        protocol = _NW_PROTO.get(flow)
        if protocol == IPPROTO_ICMP:
            mask |= _ICMP_PORTS
        elif protocol != IPPROTO_UDP:
            mask |= _PORTS
    return mask


def _mask_l3l4(flow: int, protocols: tuple[int, ...] = ()) -> int:
    network = _mask_l3(flow)
    if not network:
        return 0
    mask = network | _NW_PROTO.mask
    protocol = _NW_PROTO.get(flow)
    has_ports = protocol in (IPPROTO_TCP, IPPROTO_SCTP) or protocol in protocols
    if has_ports and not _NW_FRAG.get(flow) & 3:
        mask |= _PORTS
    return mask


def _mask_l3l4_udp(flow: int) -> int:
    return _mask_l3l4(flow, (IPPROTO_UDP,))


#: By NX_HASH_FIELDS_*: the hash of (flow, basis), and the mask of what it looks at.
FIELDS: tuple[tuple[Callable[[int, int], int], Callable[[int], int]], ...] = (
    (_eth_src, lambda flow: _DL_SRC.mask),
    (symmetric_l4, _mask_l4),
    (symmetric_l3l4, _mask_l3l4),
    (_symmetric_l3l4_udp, _mask_l3l4_udp),
    (_nw_src, _mask_nw_src),
    (_nw_dst, _mask_nw_dst),
    (symmetric_l3, _mask_l3),
)


def by_fields(flow: int, fields: int, basis: int) -> int:
    """Return the hash of the fields that `fields`, NX_HASH_FIELDS_*, says."""
    return FIELDS[fields][0](flow, basis)


def mask(flow: int, fields: int) -> int:
    """Return the mask of what `by_fields` looked at."""
    return FIELDS[fields][1](flow)


def _highest_random_weight(value: int, n_links: int) -> int:
    # max() returns the first of equal ones, as it must be.
    return max(range(n_links), key=lambda link: hashes.hash_2words(value, link))


def _iterate(value: int, n_links: int, modulo: int) -> int:
    if modulo < n_links or modulo // 2 > n_links:
        modulo = 1 << (n_links - 1).bit_length()
    i = 0
    while True:
        link = hashes.hash_2words(value, i) % modulo
        if link < n_links:
            return link
        i += 1


def multipath_link(value: int, algorithm: int, n_links: int, arg: int = 0) -> int:
    """Return which of `n_links` links a hash chooses.

    Args:
        value: the hash.
        algorithm: NX_MP_ALG_*: modulo_n, hash_threshold, hrw, iter_hash.
        n_links: at least 1.
        arg: for iter_hash: the modulus to begin with.
    """
    if algorithm == 0:
        return value % n_links
    if algorithm == 1:
        return value // (hashes.U32 // n_links + 1) if n_links > 1 else 0
    if algorithm == 2 and n_links <= 64:
        return _highest_random_weight(value, n_links)
    return _iterate(value, n_links, arg if algorithm == 3 else 0)
