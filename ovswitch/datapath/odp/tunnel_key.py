# SPDX-License-Identifier: Apache-2.0
"""The tunnel of a flow as OVS_KEY_ATTR_TUNNEL, both ways.

Geneve options are kept in the flow as they stand in the packet: `tun_metadata_len`
octets from the high end of `tun_metadata`.
"""

from __future__ import annotations

from ovswitch.datapath import netlink
from ovswitch.datapath.odp import numbers as n
from ovswitch.datapath.odp.tunnel_text import FLAG_BITS, SIZES
from ovswitch.flow.layout import SLOTS, TUN_METADATA_BYTES, TUNNEL_MASK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovswitch.flow.layout import Slot

#: Attributes that are one big-endian number, in the order in which they are put.
_PLAIN: tuple[tuple[int, Slot], ...] = (
    (n.OVS_TUNNEL_KEY_ATTR_IPV4_SRC, SLOTS["tun_src"]),
    (n.OVS_TUNNEL_KEY_ATTR_IPV4_DST, SLOTS["tun_dst"]),
    (n.OVS_TUNNEL_KEY_ATTR_IPV6_SRC, SLOTS["tun_ipv6_src"]),
    (n.OVS_TUNNEL_KEY_ATTR_IPV6_DST, SLOTS["tun_ipv6_dst"]),
    (n.OVS_TUNNEL_KEY_ATTR_TOS, SLOTS["tun_tos"]),
)
_PORTS: tuple[tuple[int, Slot], ...] = (
    (n.OVS_TUNNEL_KEY_ATTR_TP_SRC, SLOTS["tun_tp_src"]),
    (n.OVS_TUNNEL_KEY_ATTR_TP_DST, SLOTS["tun_tp_dst"]),
)
_BY_NUMBER = dict((*_PLAIN, *_PORTS))
_ID, _TTL, _FLAGS = SLOTS["tun_id"], SLOTS["tun_ttl"], SLOTS["tun_flags"]
_GBP_ID, _GBP_FLAGS = SLOTS["tun_gbp_id"], SLOTS["tun_gbp_flags"]
_METADATA, _METADATA_LEN = SLOTS["tun_metadata"], SLOTS["tun_metadata_len"]
_ERSPAN_VER, _ERSPAN_IDX = SLOTS["tun_erspan_ver"], SLOTS["tun_erspan_idx"]
_ERSPAN_DIR, _ERSPAN_HWID = SLOTS["tun_erspan_dir"], SLOTS["tun_erspan_hwid"]
_GTPU_FLAGS, _GTPU_MSGTYPE = SLOTS["tun_gtpu_flags"], SLOTS["tun_gtpu_msgtype"]
_ADDRESSES = (
    SLOTS["tun_src"].mask
    | SLOTS["tun_dst"].mask
    | SLOTS["tun_ipv6_src"].mask
    | SLOTS["tun_ipv6_dst"].mask
)


def has_tunnel(flow: int) -> bool:
    """Return whether the flow came through a tunnel."""
    return bool(flow & _ADDRESSES)


def encode(flow: int, key_flow: int | None = None, tnl_type: str = "") -> bytes:
    """Return the OVS_KEY_ATTR_TUNNEL attribute of a flow.

    Args:
        flow: the flow, or a mask.
        key_flow: for a mask the flow that it belongs to.
        tnl_type: the output tunnel's type: of the options only its own are put.
    """
    flags = _FLAGS.get(flow)
    inner = b""
    ident = _ID.get(flow)
    if ident or flags & n.FLOW_TNL_F_KEY:
        inner += netlink.attr(n.OVS_TUNNEL_KEY_ATTR_ID, ident.to_bytes(8, "big"))
    inner += _put_numbers(flow, _PLAIN)
    inner += netlink.put_u8(n.OVS_TUNNEL_KEY_ATTR_TTL, _TTL.get(flow))
    for kind in (n.OVS_TUNNEL_KEY_ATTR_DONT_FRAGMENT, n.OVS_TUNNEL_KEY_ATTR_CSUM):
        if flags & FLAG_BITS[kind]:
            inner += netlink.attr(kind)
    inner += _put_numbers(flow, _PORTS)
    if flags & n.FLOW_TNL_F_OAM:
        inner += netlink.attr(n.OVS_TUNNEL_KEY_ATTR_OAM)
    inner += _encode_options(flow, flow if key_flow is None else key_flow, tnl_type)
    return netlink.attr(n.OVS_KEY_ATTR_TUNNEL, inner)


def _put_numbers(flow: int, table: tuple[tuple[int, Slot], ...]) -> bytes:
    inner = b""
    for kind, slot in table:
        value = slot.get(flow)
        if value:
            inner += netlink.attr(kind, value.to_bytes(slot.width // 8, "big"))
    return inner


def _encode_options(flow: int, key_flow: int, tnl_type: str) -> bytes:
    inner = b""
    gbp = _GBP_FLAGS.get(flow) << 16 | _GBP_ID.get(flow)
    if gbp and tnl_type in ("", "vxlan"):
        inner += netlink.attr(
            n.OVS_TUNNEL_KEY_ATTR_VXLAN_OPTS,
            netlink.put_u32(n.OVS_VXLAN_EXT_GBP, gbp),
        )
    size = min(_METADATA_LEN.get(key_flow), TUN_METADATA_BYTES)
    if size and tnl_type in ("", "geneve"):
        options = _METADATA.get(flow).to_bytes(TUN_METADATA_BYTES, "big")[:size]
        inner += netlink.attr(n.OVS_TUNNEL_KEY_ATTR_GENEVE_OPTS, options)
    version = _ERSPAN_VER.get(flow)
    if version in (1, 2) and tnl_type in ("", "erspan", "ip6erspan"):
        inner += netlink.attr(
            n.OVS_TUNNEL_KEY_ATTR_ERSPAN_OPTS, _pack_erspan(flow, version)
        )
    gtpu_flags, msgtype = _GTPU_FLAGS.get(flow), _GTPU_MSGTYPE.get(flow)
    if gtpu_flags and msgtype and tnl_type in ("", "gtpu"):
        inner += netlink.attr(
            n.OVS_TUNNEL_KEY_ATTR_GTPU_OPTS, bytes((gtpu_flags, msgtype))
        )
    return inner


def _pack_erspan(flow: int, version: int) -> bytes:
    head = netlink.put_u32(0, version)[4:]
    if version == 1:
        return head + _ERSPAN_IDX.get(flow).to_bytes(4, "big") + bytes(4)
    hwid, direction = _ERSPAN_HWID.get(flow), _ERSPAN_DIR.get(flow)
    bits = bytes((hwid >> 4 & 3, (hwid & 15) << 4 | (direction & 1) << 3))
    return head + bytes(6) + bits


def decode(payload: bytes, *, is_mask: bool) -> tuple[int, bool, str | None]:
    """Return the tunnel's bits, whether all was understood, and what is wrong.

    An error leaves the bits without meaning.
    """
    flow = 0
    has_ttl = False
    complete = True
    for number, inner in netlink.walk(payload)[0]:
        size = SIZES.get(number)
        if size is not None and size >= 0 and len(inner) != size:
            text = f"tunnel key attribute {number} should have length {size}"
            return 0, False, f"{text} but actually has {len(inner)}"
        if number == n.OVS_TUNNEL_KEY_ATTR_ID:
            flow |= int.from_bytes(inner, "big") << _ID.shift
            flow |= n.FLOW_TNL_F_KEY << _FLAGS.shift
        elif number == n.OVS_TUNNEL_KEY_ATTR_TTL:
            flow |= inner[0] << _TTL.shift
            has_ttl = True
        elif number in _BY_NUMBER:
            flow |= int.from_bytes(inner, "big") << _BY_NUMBER[number].shift
        elif number in FLAG_BITS:
            flow |= FLAG_BITS[number] << _FLAGS.shift
        else:
            bits = _decode_option(number, inner, is_mask=is_mask)
            complete = complete and bits is not None
            flow |= bits or 0
    if not has_ttl:
        return 0, False, "tunnel options missing TTL"
    return flow & TUNNEL_MASK, complete, None


def _decode_option(number: int, inner: bytes, *, is_mask: bool) -> int | None:
    """Return the bits of a protocol's options, None where the kind is unknown."""
    if number == n.OVS_TUNNEL_KEY_ATTR_VXLAN_OPTS:
        found = dict(netlink.walk(inner)[0])
        gbp = netlink.get_uint(found.get(n.OVS_VXLAN_EXT_GBP, b"")[:4])
        bits = (gbp & 0xFFFF) << _GBP_ID.shift
        return bits | (gbp >> 16 & 0xFF) << _GBP_FLAGS.shift
    if number == n.OVS_TUNNEL_KEY_ATTR_GENEVE_OPTS:
        options = inner[:TUN_METADATA_BYTES].ljust(TUN_METADATA_BYTES, b"\0")
        # A mask counts the length whole: options that go on are others.
        size = 0xFF if is_mask else min(len(inner), 0xFF)
        bits = int.from_bytes(options, "big") << _METADATA.shift
        return bits | size << _METADATA_LEN.shift
    if number == n.OVS_TUNNEL_KEY_ATTR_ERSPAN_OPTS:
        return _unpack_erspan(inner)
    if number == n.OVS_TUNNEL_KEY_ATTR_GTPU_OPTS:
        octets = inner.ljust(2, b"\0")
        return octets[0] << _GTPU_FLAGS.shift | octets[1] << _GTPU_MSGTYPE.shift
    return None


def _unpack_erspan(inner: bytes) -> int:
    octets = inner.ljust(12, b"\0")
    version = netlink.get_uint(octets[:4]) & 0xFF
    bits = version << _ERSPAN_VER.shift
    if version == 1:
        bits |= int.from_bytes(octets[4:8], "big") << _ERSPAN_IDX.shift
    elif version == 2:
        hwid = (octets[10] & 3) << 4 | octets[11] >> 4
        bits |= (octets[11] >> 3 & 1) << _ERSPAN_DIR.shift | hwid << _ERSPAN_HWID.shift
    return bits
