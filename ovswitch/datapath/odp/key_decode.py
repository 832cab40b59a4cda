# SPDX-License-Identifier: Apache-2.0
"""OVS_KEY_ATTR_* attributes as flows and masks, with a verdict on how well they fit.

A datapath may know more or fewer fields than we do. Attributes that a flow of its
kind should have but hasn't make it "too little", ones that nobody expects there
"too much"; what contradicts itself is an error, with a text.
Source: the reference's odp-util.c, odp_flow_key_to_flow(), for rules and texts.
"""

from __future__ import annotations

from ovswitch.datapath import netlink
from ovswitch.datapath.odp import attributes as a
from ovswitch.datapath.odp import key_encode as ke
from ovswitch.datapath.odp import numbers as n
from ovswitch.datapath.odp import tunnel_key
from ovswitch.flow.layout import (
    N_MPLS,
    N_VLANS,
    NW_FRAG_ANY,
    NW_FRAG_LATER,
    SLOTS,
    VLAN_CFI,
)
from ovswitch.packet import headers as h

FIT_PERFECT = 0
FIT_TOO_MUCH = 1
FIT_TOO_LITTLE = 2
FIT_ERROR = 3

_DL_TYPE, _PACKET_TYPE = SLOTS["dl_type"], SLOTS["packet_type"]
_NW_PROTO, _NW_FRAG = SLOTS["nw_proto"], SLOTS["nw_frag"]
_RECIRC_ID, _IN_PORT = SLOTS["recirc_id"], SLOTS["in_port"]
_TP_SRC, _TP_DST = SLOTS["tp_src"], SLOTS["tp_dst"]
_TP_MASK = _TP_SRC.mask | _TP_DST.mask
_MPLS = tuple(SLOTS[f"mpls_lse{i}"] for i in range(N_MPLS))
_TPIDS = tuple(SLOTS[f"vlan_tpid{i}"] for i in range(N_VLANS))
_TCIS = tuple(SLOTS[f"vlan_tci{i}"] for i in range(N_VLANS))
_NSH_BASE_SHIFT = SLOTS["nsh_path_hdr"].shift
_NSH_CONTEXT_SHIFT = SLOTS["nsh_c4"].shift
_MAX_FRAG = NW_FRAG_ANY | NW_FRAG_LATER

#: Metadata that is taken as it comes.
_METADATA = (
    n.OVS_KEY_ATTR_DP_HASH,
    n.OVS_KEY_ATTR_PRIORITY,
    n.OVS_KEY_ATTR_SKB_MARK,
    n.OVS_KEY_ATTR_CT_STATE,
    n.OVS_KEY_ATTR_CT_ZONE,
    n.OVS_KEY_ATTR_CT_MARK,
    n.OVS_KEY_ATTR_CT_LABELS,
    n.OVS_KEY_ATTR_CT_ORIG_TUPLE_IPV4,
    n.OVS_KEY_ATTR_CT_ORIG_TUPLE_IPV6,
)


class KeyDecodeError(ValueError):
    """The attributes contradict themselves or the protocol."""


class _MisfitError(Exception):
    """Decoding ended early with a verdict."""

    def __init__(self, fitness: int) -> None:
        super().__init__(fitness)
        self.fitness = fitness


def to_flow(key: bytes, vlan_limit: int = N_VLANS) -> tuple[int, int]:
    """Return the flow and its fitness.

    Raises: KeyDecodeError: FIT_ERROR, with the reference's text of what is wrong.
    """
    return _Decoder(None, vlan_limit).decode(key)


def to_mask(mask: bytes, flow: int, vlan_limit: int = N_VLANS) -> tuple[int, int]:
    """Return the mask over `flow`'s fields, and its fitness.

    Raises: KeyDecodeError.
    """
    return _Decoder(flow, vlan_limit).decode(mask)


class _Decoder:
    """Takes attributes one layer after the other.

    `source` is the flow that tells which fields there are: the one being decoded, or
    for a mask its flow. `expected` are the numbers that belong there.
    """

    __slots__ = ("attrs", "expected", "flow", "is_mask", "key_flow", "vlan_limit")

    def __init__(self, key_flow: int | None, vlan_limit: int) -> None:
        self.is_mask = key_flow is not None
        self.key_flow = key_flow or 0
        self.vlan_limit = min(vlan_limit, N_VLANS)
        self.flow = 0
        self.attrs: dict[int, bytes] = {}
        self.expected: set[int] = set()

    @property
    def source(self) -> int:
        """The flow that tells which fields there are."""
        return self.key_flow if self.is_mask else self.flow

    def decode(self, octets: bytes) -> tuple[int, int]:
        """Return (flow or mask, fitness)."""
        try:
            self._load(octets)
            self._metadata()
            self._ethernet()
            self._ethertype()
            fitness = self._headers()
        except _MisfitError as misfit:
            fitness = misfit.fitness
        return self.flow, fitness

    def _load(self, octets: bytes) -> None:
        """Split attributes, check sizes and that none comes twice."""
        found, rest = netlink.walk(octets)
        self.attrs = {}
        self.expected = set()
        for number, payload in found:
            size = a.key_size(number)
            if size >= 0 and len(payload) != size:
                raise KeyDecodeError(
                    f"attribute {a.key_name(number)} has length {len(payload)} "
                    f"but should have length {size}"
                )
            if number > n.OVS_KEY_ATTR_MAX:
                continue  # of a newer datapath
            if number in self.attrs:
                raise KeyDecodeError(
                    f"duplicate {a.key_name(number)} attribute in flow key"
                )
            self.attrs[number] = payload
        if rest:
            raise KeyDecodeError("trailing garbage in flow key")

    def _take(self, number: int) -> bool:
        """Add an attribute's members to the flow if it is there."""
        payload = self.attrs.get(number)
        if payload is None:
            return False
        self.flow |= a.KEYS[number].unpack(payload, is_mask=self.is_mask)
        return True

    def _check(self) -> int:
        """Return how the attributes at hand fit the expected ones."""
        if self.expected - self.attrs.keys():
            return FIT_TOO_LITTLE
        return FIT_TOO_MUCH if self.attrs.keys() - self.expected else FIT_PERFECT

    def _metadata(self) -> None:
        if self._take(n.OVS_KEY_ATTR_RECIRC_ID):
            self.expected.add(n.OVS_KEY_ATTR_RECIRC_ID)
        elif self.is_mask:
            self.flow |= _RECIRC_ID.mask  # always exact unless said otherwise
        for number in _METADATA:
            if self._take(number):
                self.expected.add(number)
        tunnel = self.attrs.get(n.OVS_KEY_ATTR_TUNNEL)
        if tunnel is not None:
            bits, complete, error = tunnel_key.decode(tunnel, is_mask=self.is_mask)
            if error is not None:
                raise KeyDecodeError(error)
            self.flow |= bits
            if complete:
                self.expected.add(n.OVS_KEY_ATTR_TUNNEL)
        if self._take(n.OVS_KEY_ATTR_IN_PORT):
            self.expected.add(n.OVS_KEY_ATTR_IN_PORT)
        elif not self.is_mask:
            self.flow |= _IN_PORT.mask
        if self._take(n.OVS_KEY_ATTR_PACKET_TYPE):
            self.expected.add(n.OVS_KEY_ATTR_PACKET_TYPE)
            if _PACKET_TYPE.get(self.source) >> 16 == h.OFPHTN_ETHERTYPE:
                self._put_type(_PACKET_TYPE.get(self.flow) & 0xFFFF)

    def _put_type(self, dl_type: int) -> None:
        self.flow = _DL_TYPE.put(self.flow, dl_type)

    def _ethernet(self) -> None:
        if self._take(n.OVS_KEY_ATTR_ETHERNET):
            if not self.is_mask:
                self.flow &= ~_PACKET_TYPE.mask
            self.expected.add(n.OVS_KEY_ATTR_ETHERNET)
        elif n.OVS_KEY_ATTR_ETHERTYPE in self.attrs:
            if not self.is_mask:
                dl_type = int.from_bytes(self.attrs[n.OVS_KEY_ATTR_ETHERTYPE], "big")
                packet_type = h.OFPHTN_ETHERTYPE << 16 | dl_type
                self.flow = _PACKET_TYPE.put(self.flow, packet_type)
            self.expected.add(n.OVS_KEY_ATTR_ETHERTYPE)

    def _ethertype(self) -> None:
        """Take the type, which may be a VLAN header's."""
        payload = self.attrs.get(n.OVS_KEY_ATTR_ETHERTYPE)
        source_type = _DL_TYPE.get(self.source)
        if payload is not None:
            dl_type = int.from_bytes(payload, "big")
            self._put_type(dl_type)
            if not self.is_mask and dl_type < h.ETH_TYPE_MIN:
                raise KeyDecodeError(f"invalid Ethertype {dl_type} in flow key")
            if self.is_mask and source_type < h.ETH_TYPE_MIN and dl_type != 0xFFFF:
                raise KeyDecodeError(
                    "can't bitwise match non-Ethernet II "
                    f'"Ethertype" {source_type:#x} (with mask {dl_type:#x})'
                )
            self.expected.add(n.OVS_KEY_ATTR_ETHERTYPE)
        elif not self.is_mask:
            self._put_type(self._default_type())
        elif _PACKET_TYPE.get(self.source) != h.PT_ETH:
            self._put_type(0xFFFF)
        elif source_type < h.ETH_TYPE_MIN:
            raise KeyDecodeError("mask expected for non-Ethernet II frame")

    def _default_type(self) -> int:
        for number, dl_type in (
            (n.OVS_KEY_ATTR_IPV4, h.ETH_TYPE_IP),
            (n.OVS_KEY_ATTR_IPV6, h.ETH_TYPE_IPV6),
            (n.OVS_KEY_ATTR_MPLS, h.ETH_TYPE_MPLS),
        ):
            if number in self.attrs:
                return dl_type
        return h.FLOW_DL_TYPE_NONE

    def _headers(self) -> int:
        if self._has_vlan(0):
            return self._vlans()
        if self.is_mask:
            # No mask for a VLAN means that there must be none.
            self.flow |= _TPIDS[0].mask | _TCIS[0].mask
            tci = self.attrs.get(n.OVS_KEY_ATTR_VLAN)
            if tci is not None:
                self.flow = _TCIS[0].put(self.flow, int.from_bytes(tci, "big"))
                self.expected.add(n.OVS_KEY_ATTR_VLAN)
        self._l2_5_onward()
        return self._check()

    def _has_vlan(self, depth: int) -> bool:
        if self.is_mask:
            return bool(_TCIS[depth].get(self.key_flow) & VLAN_CFI)
        return h.is_vlan(_DL_TYPE.get(self.flow))

    def _vlans(self) -> int:
        """Take VLAN headers, each with what it encapsulates."""
        depth = 0
        while depth < self.vlan_limit and self._has_vlan(depth):
            fitness = self._vlan(depth)
            encap = self.attrs.get(n.OVS_KEY_ATTR_ENCAP)
            if encap is None:
                return fitness
            self._load(encap)
            self._ethertype()
            self._l2_5_onward()
            depth += 1
        return self._check()

    def _vlan(self, depth: int) -> int:
        """Take one VLAN header; return how its level fits."""
        pair = {n.OVS_KEY_ATTR_VLAN, n.OVS_KEY_ATTR_ENCAP}
        self.expected |= pair & self.attrs.keys() if self.is_mask else pair
        fitness = self._check()
        # What stood for the type is the header's; the real one comes inside.
        tpid = _DL_TYPE.get(self.flow)
        self._put_type(0)
        tci = int.from_bytes(self.attrs.get(n.OVS_KEY_ATTR_VLAN, b""), "big")
        self.flow = _TPIDS[depth].put(self.flow, tpid)
        self.flow = _TCIS[depth].put(self.flow, tci)
        if self.is_mask:
            return fitness
        if not pair <= self.attrs.keys():
            raise _MisfitError(FIT_TOO_LITTLE)
        if tci == 0:  # a header that was cut off
            inside = self.attrs[n.OVS_KEY_ATTR_ENCAP]
            if fitness == FIT_PERFECT and inside:
                raise _MisfitError(FIT_TOO_MUCH)
            raise _MisfitError(fitness)
        if not tci & VLAN_CFI:
            raise KeyDecodeError(
                f"OVS_KEY_ATTR_VLAN 0x{tci:04x} is nonzero but CFI bit is not set"
            )
        return fitness

    def _l2_5_onward(self) -> None:
        dl_type = _DL_TYPE.get(self.source)
        if h.is_mpls(dl_type):
            self._mpls()
        elif dl_type == h.ETH_TYPE_IP:
            self._ip(n.OVS_KEY_ATTR_IPV4, "OVS_KEY_ATTR_IPV4")
        elif dl_type == h.ETH_TYPE_IPV6:
            self._ip(n.OVS_KEY_ATTR_IPV6, "OVS_KEY_ATTR_IPV6")
        elif dl_type in (h.ETH_TYPE_ARP, h.ETH_TYPE_RARP):
            self._arp()
        elif dl_type == h.ETH_TYPE_NSH:
            self._nsh()

    def _expect_l3(self, number: int) -> None:
        """Note that a layer 3 attribute belongs here; a mask needs an exact type."""
        payload = self.attrs.get(number)
        if not self.is_mask:
            self.expected.add(number)
        elif payload is not None:
            dl_type = _DL_TYPE.get(self.flow)
            if any(payload) and dl_type != 0xFFFF:
                raise KeyDecodeError(
                    "unexpected L3 matching with masked Ethertype "
                    f"{_DL_TYPE.get(self.key_flow):#x}/{dl_type:#x}"
                )
            self.expected.add(number)

    def _ip(self, number: int, name: str) -> None:
        if self._take(number):
            nw_frag = _NW_FRAG.get(self.flow)
            if nw_frag > _MAX_FRAG:
                raise KeyDecodeError(f"{name} has invalid nw_frag {nw_frag:#x}")
        self._expect_l3(number)
        self._l4()

    def _arp(self) -> None:
        payload = self.attrs.get(n.OVS_KEY_ATTR_ARP)
        if payload is not None and not self.is_mask and payload[8]:
            op = int.from_bytes(payload[8:10], "big")
            raise KeyDecodeError(f"unsupported ARP opcode {op} in flow key")
        self._take(n.OVS_KEY_ATTR_ARP)
        self._expect_l3(n.OVS_KEY_ATTR_ARP)

    def _nsh(self) -> None:
        payload = self.attrs.get(n.OVS_KEY_ATTR_NSH)
        for number, inner in netlink.walk(payload or b"")[0]:
            size = {n.OVS_NSH_KEY_ATTR_BASE: 8, n.OVS_NSH_KEY_ATTR_MD1: 16}.get(number)
            if size is None:
                continue
            if len(inner) != size:
                raise KeyDecodeError(
                    f"NSH key attribute {number} should have length {size} "
                    f"but actually has {len(inner)}"
                )
            shift = _NSH_BASE_SHIFT if size == 8 else _NSH_CONTEXT_SHIFT
            self.flow |= int.from_bytes(inner, "big") << shift
            mdtype = SLOTS["nsh_mdtype"].get(self.flow)
            if size == 16 and not self.is_mask and mdtype != h.NSH_M_TYPE1:
                raise KeyDecodeError(
                    "OVS_NSH_KEY_ATTR_MD1 present but declared mdtype "
                    f"{mdtype} is not 1 (NSH_M_TYPE1)"
                )
        self._expect_l3(n.OVS_KEY_ATTR_NSH)

    def _mpls(self) -> None:
        payload = self.attrs.get(n.OVS_KEY_ATTR_MPLS)
        if not self.is_mask or payload is not None:
            self.expected.add(n.OVS_KEY_ATTR_MPLS)
        if payload is None:
            return
        if not payload or len(payload) % 4:
            raise KeyDecodeError(f"MPLS LSEs have invalid length {len(payload)}")
        entries = [
            int.from_bytes(payload[at : at + 4], "big")
            for at in range(0, len(payload), 4)
        ]
        for slot, lse in zip(_MPLS, entries, strict=False):
            self.flow = slot.put(self.flow, lse)
        if len(entries) > N_MPLS:
            raise _MisfitError(FIT_TOO_MUCH)
        if self.is_mask:
            return
        if any(lse & h.MPLS_BOS_MASK for lse in entries[:-1]):
            raise KeyDecodeError("MPLS BOS set in non-innermost label")
        if len(entries) < N_MPLS and not entries[-1] & h.MPLS_BOS_MASK:
            raise _MisfitError(FIT_TOO_LITTLE)

    def _l4(self) -> None:
        number = ke.l4_attribute(self.source)
        if not number:
            return
        if not self.is_mask:
            self.expected.add(number)
        found = self._take(number)
        if number == n.OVS_KEY_ATTR_TCP and self._take(n.OVS_KEY_ATTR_TCP_FLAGS):
            self.expected.add(n.OVS_KEY_ATTR_TCP_FLAGS)
        if number == n.OVS_KEY_ATTR_ICMPV6 and found and ke.is_nd(self.source):
            self._nd()
        if self.is_mask and found:
            if self.flow & _TP_MASK and _NW_PROTO.get(self.flow) != 0xFF:
                raise KeyDecodeError(
                    "flow matches on L4 ports but does not define an L4 protocol"
                )
            self.expected.add(number)

    def _nd(self) -> None:
        if not self.is_mask:
            self.expected.add(n.OVS_KEY_ATTR_ND)
        ports = self.flow & _TP_MASK
        for number in (n.OVS_KEY_ATTR_ND, n.OVS_KEY_ATTR_ND_EXTENSIONS):
            if not self._take(number):
                continue
            if self.is_mask and any(self.attrs[number]) and ports != ke.ICMP_EXACT:
                raise KeyDecodeError(
                    "ICMP (src,dst) masks should be (0xff,0xff) but are actually "
                    f"({_TP_SRC.get(ports):#x},{_TP_DST.get(ports):#x})"
                )
            self.expected.add(number)
