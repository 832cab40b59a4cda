# SPDX-License-Identifier: Apache-2.0
"""The tunnel() part of a key as text, with the options of its protocols."""

from __future__ import annotations

from ovswitch.datapath import netlink
from ovswitch.datapath.odp import attributes as a
from ovswitch.datapath.odp import numbers as n
from ovswitch.datapath.odp.member_text import alternate, format_member
from ovswitch.datapath.odp.scan import format_flags, format_flags_masked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

#: Payload sizes, a.VARIABLE or a.NESTED, by attribute number.
SIZES = {
    n.OVS_TUNNEL_KEY_ATTR_ID: 8,
    n.OVS_TUNNEL_KEY_ATTR_IPV4_SRC: 4,
    n.OVS_TUNNEL_KEY_ATTR_IPV4_DST: 4,
    n.OVS_TUNNEL_KEY_ATTR_TOS: 1,
    n.OVS_TUNNEL_KEY_ATTR_TTL: 1,
    n.OVS_TUNNEL_KEY_ATTR_DONT_FRAGMENT: 0,
    n.OVS_TUNNEL_KEY_ATTR_CSUM: 0,
    n.OVS_TUNNEL_KEY_ATTR_OAM: 0,
    n.OVS_TUNNEL_KEY_ATTR_GENEVE_OPTS: a.VARIABLE,
    n.OVS_TUNNEL_KEY_ATTR_TP_SRC: 2,
    n.OVS_TUNNEL_KEY_ATTR_TP_DST: 2,
    n.OVS_TUNNEL_KEY_ATTR_VXLAN_OPTS: a.NESTED,
    n.OVS_TUNNEL_KEY_ATTR_IPV6_SRC: 16,
    n.OVS_TUNNEL_KEY_ATTR_IPV6_DST: 16,
    n.OVS_TUNNEL_KEY_ATTR_PAD: 0,
    n.OVS_TUNNEL_KEY_ATTR_ERSPAN_OPTS: a.VARIABLE,
    n.OVS_TUNNEL_KEY_ATTR_GTPU_OPTS: a.VARIABLE,
}

#: Attributes that are one number: text, form of value and mask.
MEMBERS = {
    n.OVS_TUNNEL_KEY_ATTR_ID: ("tun_id", 0),
    n.OVS_TUNNEL_KEY_ATTR_IPV4_SRC: ("src", a.IPV4),
    n.OVS_TUNNEL_KEY_ATTR_IPV4_DST: ("dst", a.IPV4),
    n.OVS_TUNNEL_KEY_ATTR_IPV6_SRC: ("ipv6_src", a.IPV6),
    n.OVS_TUNNEL_KEY_ATTR_IPV6_DST: ("ipv6_dst", a.IPV6),
    n.OVS_TUNNEL_KEY_ATTR_TOS: ("tos", a.U8X),
    n.OVS_TUNNEL_KEY_ATTR_TTL: ("ttl", a.U8U),
    n.OVS_TUNNEL_KEY_ATTR_TP_SRC: ("tp_src", a.BE16),
    n.OVS_TUNNEL_KEY_ATTR_TP_DST: ("tp_dst", a.BE16),
}

FLAG_BITS = {
    n.OVS_TUNNEL_KEY_ATTR_DONT_FRAGMENT: n.FLOW_TNL_F_DONT_FRAGMENT,
    n.OVS_TUNNEL_KEY_ATTR_CSUM: n.FLOW_TNL_F_CSUM,
    n.OVS_TUNNEL_KEY_ATTR_OAM: n.FLOW_TNL_F_OAM,
}
# The 12 octets of ERSPAN metadata: host-order version, then index or, for version 2,
# timestamp, group tag and two octets of bit fields.
ERSPAN_SIZE = 12


def empty_mask(payload: bytes) -> bytes:
    """Return the mask that matches any tunnel, of the form of a tunnel key."""
    return b"".join(
        netlink.attr(number, _empty(number, inner))
        for number, inner in netlink.walk(payload)[0]
    )


def _empty(number: int, payload: bytes) -> bytes:
    if SIZES.get(number) == a.NESTED:
        return b"".join(
            netlink.attr(inner, bytes(len(octets)))
            for inner, octets in netlink.walk(payload)[0]
        )
    return bytes(len(payload))


def format_tunnel(payload: bytes, mask: bytes | None, verbose: bool) -> str:
    """Return what stands inside tunnel()."""
    masks = None if mask is None else dict(netlink.walk(mask)[0])
    words = []
    flags = flags_mask = 0
    for number, inner in netlink.walk(payload)[0]:
        own = None
        if masks is not None:
            own = masks[number] if number in masks else _empty(number, inner)
        bad = _bad_size(number, inner, own)
        if bad is not None:
            words.append(bad)
            continue
        flags |= FLAG_BITS.get(number, 0)
        if number == n.OVS_TUNNEL_KEY_ATTR_ID:
            flags |= n.FLOW_TNL_F_KEY
            flags_mask |= n.FLOW_TNL_F_KEY if own is not None else 0
        word = _format_inner(number, inner, own, verbose=verbose)
        if word is not None:
            words.append(word)
    for number in masks or ():
        flags_mask |= FLAG_BITS.get(number, 0)
    words += _format_flags(flags, None if masks is None else flags_mask, verbose)
    return ",".join(words)


def _format_flags(flags: int, mask: int | None, verbose: bool) -> list[str]:
    if mask is None:
        return [f"flags({format_flags(n.TUNNEL_FLAGS, flags, '|')})"]
    if not mask and not verbose:
        return []
    text = format_flags_masked(
        n.TUNNEL_FLAGS, flags, mask & n.FLOW_TNL_F_MASK, n.FLOW_TNL_F_MASK
    )
    return [f"flags({text})"]


def _bad_size(number: int, payload: bytes, mask: bytes | None) -> str | None:
    size = SIZES.get(number)
    if size is None or size in (a.VARIABLE, a.NESTED):
        return None
    bad_mask = mask is not None and len(mask) != size
    if len(payload) == size and not bad_mask:
        return None
    text = f"key{number}"
    if len(payload) != size:
        text += f"(bad key length {len(payload)}, expected {size})("
    text += payload.hex(" ")
    if mask is not None:
        text += "/"
        if bad_mask:
            text += f"(bad mask length {len(mask)}, expected {size})("
        text += mask.hex(" ")
    return text + ")"


def _format_inner(
    number: int, payload: bytes, mask: bytes | None, *, verbose: bool
) -> str | None:
    if number in MEMBERS:
        name, kind = MEMBERS[number]
        word = _format_number(kind, payload, mask, verbose=verbose)
        return None if word is None else f"{name}={word}"
    if number in FLAG_BITS or number == n.OVS_TUNNEL_KEY_ATTR_PAD:
        return None
    options = _OPTIONS.get(number)
    if options is not None:
        name, form = options
        return f"{name}({form(payload, mask, verbose)})"
    return format_unknown(number, payload, mask)


def format_unknown(number: int, payload: bytes, mask: bytes | None) -> str:
    """Return an attribute that nobody knows, in hexadecimal."""
    text = f"key{number}({payload.hex(' ')}"
    if mask is not None:
        text += f"/{mask.hex(' ')}"
    return text + ")"


def _format_number(
    kind: int, payload: bytes, mask: bytes | None, *, verbose: bool
) -> str | None:
    ones = (1 << 8 * len(payload)) - 1
    value = int.from_bytes(payload, "big")
    own = ones if mask is None else int.from_bytes(mask, "big")
    if kind:
        return format_member(kind, value, own, ones, verbose=verbose)
    # tun_id: the one whose value keeps its 0x when it is zero; without a mask it is
    # shown only by the verbose form.
    if not verbose and (mask is None or not own):
        return None
    text = f"0x{value:x}"
    return text if own == ones else f"{text}/{alternate(own)}"


def _format_vxlan(payload: bytes, mask: bytes | None, verbose: bool) -> str:
    masks = None if mask is None else dict(netlink.walk(mask)[0])
    words = []
    for number, inner in netlink.walk(payload)[0]:
        own = None if masks is None else masks.get(number, bytes(len(inner)))
        if number != n.OVS_VXLAN_EXT_GBP:
            words.append(format_unknown(number, inner, own))
            continue
        if len(inner) != 4 or (own is not None and len(own) != 4):
            words.append(format_unknown(number, inner, own))
            continue
        words.append(f"gbp({_format_gbp(inner, own, verbose)})")
    return ",".join(words)


def _format_gbp(payload: bytes, mask: bytes | None, verbose: bool) -> str:
    value = netlink.get_uint(payload)
    own = 0xFFFFFFFF if mask is None else netlink.get_uint(mask)
    return _format_pairs(
        (
            ("id", a.BE16, value & 0xFFFF, own & 0xFFFF, 0xFFFF),
            ("flags", a.U8X, value >> 16 & 0xFF, own >> 16 & 0xFF, 0xFF),
        ),
        verbose=verbose,
    )


def _format_pairs(
    pairs: tuple[tuple[str, int, int, int, int], ...], *, verbose: bool
) -> str:
    words = []
    for name, kind, value, mask, ones in pairs:
        word = format_member(kind, value, mask, ones, verbose=verbose)
        if word is not None:
            words.append(f"{name}={word}")
    return ",".join(words)


def split_erspan(payload: bytes) -> tuple[int, int, int, int]:
    """Return version, index, direction and hardware id of ERSPAN metadata.

    Of the id these are the lower four bits, all that the reference shows.
    """
    payload = payload.ljust(ERSPAN_SIZE, b"\0")
    version = netlink.get_uint(payload[:4])
    index = int.from_bytes(payload[4:8], "big")
    direction = payload[11] >> 3 & 1
    hwid = payload[11] >> 4
    return version, index, direction, hwid


def pack_erspan(version: int, index: int, direction: int, hwid: int) -> bytes:
    """Return ERSPAN metadata; the index counts for version 1 only."""
    head = netlink.put_u32(0, version)[4:]
    if version == 1:
        return head + index.to_bytes(4, "big") + bytes(4)
    bits = bytes((hwid >> 4 & 3, (hwid & 15) << 4 | (direction & 1) << 3))
    return head + bytes(6) + bits


def _format_erspan(payload: bytes, mask: bytes | None, verbose: bool) -> str:
    version, index, direction, hwid = split_erspan(payload)
    own = (0xFF, 0xFFFFFFFF, 0xFF, 0xFF) if mask is None else split_erspan(mask)
    pairs = [("ver", a.U8U, version & 0xFF, own[0] & 0xFF, 0xFF)]
    if version == 1:
        text = _format_pairs(tuple(pairs), verbose=verbose)
        index_text = f"idx={alternate(index)}"
        if mask is not None:
            index_text += f"/{alternate(own[1])}"
        return f"{text},{index_text}" if text else index_text
    if version == 2:
        pairs.append(("dir", a.U8U, direction, own[2], 0xFF))
        pairs.append(("hwid", a.U8X, hwid, own[3], 0xFF))
    return _format_pairs(tuple(pairs), verbose=verbose)


def _format_gtpu(payload: bytes, mask: bytes | None, verbose: bool) -> str:
    payload = payload.ljust(2, b"\0")
    own = b"\xff\xff" if mask is None else mask.ljust(2, b"\0")
    return _format_pairs(
        (
            ("flags", a.U8X, payload[0], own[0], 0xFF),
            ("msgtype", a.U8U, payload[1], own[1], 0xFF),
        ),
        verbose=verbose,
    )


def _format_geneve(payload: bytes, mask: bytes | None, verbose: bool) -> str:
    if mask is not None and len(mask) != len(payload):
        return f"value len {len(payload)} different from mask len {len(mask)}"
    return format_geneve_options(payload, mask, verbose=verbose)


def format_geneve_options(options: bytes, masks: bytes | None, *, verbose: bool) -> str:
    """Return Geneve options, each in braces."""
    text = ""
    at = 0
    while at < len(options):
        left = len(options) - at
        if left < 4:
            return text + f"opt len {left} less than minimum 4"
        size = 4 + (options[at + 3] & 0x1F) * 4
        if size > left:
            return text + f"opt len {size} greater than remaining {left}"
        own = None if masks is None else masks[at : at + size]
        text += _format_geneve_option(options[at : at + size], own, verbose=verbose)
        at += size
    return text


def _format_geneve_option(option: bytes, mask: bytes | None, *, verbose: bool) -> str:
    size = len(option) - 4
    own = b"\xff" * len(option) if mask is None else mask
    size_mask = own[3] & 0x1F
    head = _format_pairs(
        (
            (
                "class",
                a.BE16X,
                int.from_bytes(option[:2], "big"),
                int.from_bytes(own[:2], "big"),
                0xFFFF,
            ),
            ("type", a.U8X, option[2], own[2], 0xFF),
            ("len", a.U8U, size, 0xFF if size_mask == 0x1F else size_mask, 0xFF),
        ),
        verbose=verbose,
    )
    text = "{" + head
    if size and (verbose or any(own[4:])):
        text += "," if head else ""
        text += alternate(int.from_bytes(option[4:], "big"))
        if own[4:] != b"\xff" * size:
            text += "/" + alternate(int.from_bytes(own[4:], "big"))
    return text + "}"


_OPTIONS: dict[int, tuple[str, Callable[[bytes, bytes | None, bool], str]]] = {
    n.OVS_TUNNEL_KEY_ATTR_VXLAN_OPTS: ("vxlan", _format_vxlan),
    n.OVS_TUNNEL_KEY_ATTR_GENEVE_OPTS: ("geneve", _format_geneve),
    n.OVS_TUNNEL_KEY_ATTR_ERSPAN_OPTS: ("erspan", _format_erspan),
    n.OVS_TUNNEL_KEY_ATTR_GTPU_OPTS: ("gtpu", _format_gtpu),
}
