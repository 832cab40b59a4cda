# SPDX-License-Identifier: Apache-2.0
"""The tunnel() part of a key from text. What isn't named isn't an attribute at all."""

from __future__ import annotations

from ovswitch.datapath import netlink
from ovswitch.datapath.odp import numbers as n
from ovswitch.datapath.odp.scan import (
    ScanError,
    Scanner,
    parse_mask,
    parse_masked,
)
from ovswitch.datapath.odp.tunnel_text import FLAG_BITS, pack_erspan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Pair = tuple[bytes, bytes]

_MAX_GENEVE = 255  # octets of options, a multiple of 4 below
_MAX_OPTION = 124


def parse_tunnel(scanner: Scanner) -> Pair:
    """Take what is inside tunnel( and the closing parenthesis.

    Raises: ScanError.
    """
    key, mask = b"", b""
    more = True
    while more:
        for name, parse in _FIELDS:
            if scanner.literal(name):
                attributes, own = parse(scanner)
                key += attributes
                mask += own
                break
        else:
            scanner.need(")")
            break
        more = scanner.literal(",")
        if not more:
            scanner.need(")")
    return key, mask


def _number(kind: int, bits: int) -> Callable[[Scanner], Pair]:
    size = bits // 8

    def parse(scanner: Scanner) -> Pair:
        value, mask = parse_masked(scanner, bits)
        return (
            netlink.attr(kind, value.to_bytes(size, "big")),
            netlink.attr(kind, mask.to_bytes(size, "big")),
        )

    return parse


def _address(kind: int, bits: int) -> Callable[[Scanner], Pair]:
    size = bits // 8

    def parse(scanner: Scanner) -> Pair:
        take = scanner.ipv4 if bits == 32 else scanner.ipv6
        value = take()
        if value is None:
            raise ScanError
        mask = parse_mask(scanner, take, (1 << bits) - 1)
        return (
            netlink.attr(kind, value.to_bytes(size, "big")),
            netlink.attr(kind, mask.to_bytes(size, "big")),
        )

    return parse


def _parse_flags(scanner: Scanner) -> Pair:
    found = scanner.flags(n.TUNNEL_FLAGS, n.FLOW_TNL_F_MASK, masked=True)
    if found is None:
        raise ScanError
    scanner.need(")")
    return _flag_attributes(found[0]), _flag_attributes(found[1])


def _flag_attributes(flags: int) -> bytes:
    return b"".join(
        netlink.attr(kind) for kind, bit in FLAG_BITS.items() if flags & bit
    )


def _optional(scanner: Scanner, name: str, bits: int) -> tuple[int, int]:
    """Take "name=value/mask" if it is next; otherwise nothing counts."""
    return parse_masked(scanner, bits) if scanner.literal(name) else (0, 0)


def _parse_gbp(scanner: Scanner) -> Pair:
    ident, ident_mask = _optional(scanner, "id=", 16)
    scanner.literal(",")
    flags, flags_mask = _optional(scanner, "flags=", 8)
    scanner.need("))")
    return _gbp(flags << 16 | ident), _gbp(flags_mask << 16 | ident_mask)


def _gbp(value: int) -> bytes:
    return netlink.attr(
        n.OVS_TUNNEL_KEY_ATTR_VXLAN_OPTS,
        netlink.put_u32(n.OVS_VXLAN_EXT_GBP, value),
    )


def _parse_gtpu(scanner: Scanner) -> Pair:
    flags, flags_mask = _optional(scanner, "flags=", 8)
    scanner.literal(",")
    msgtype, msgtype_mask = _optional(scanner, "msgtype=", 8)
    scanner.need(")")
    kind = n.OVS_TUNNEL_KEY_ATTR_GTPU_OPTS
    return (
        netlink.attr(kind, bytes((flags, msgtype))),
        netlink.attr(kind, bytes((flags_mask, msgtype_mask))),
    )


def _parse_erspan(scanner: Scanner) -> Pair:
    version, _mask = _optional(scanner, "ver=", 8)
    scanner.literal(",")
    kind = n.OVS_TUNNEL_KEY_ATTR_ERSPAN_OPTS
    # A mask covers all that isn't one of the fields read below.
    if version == 1:
        index, index_mask = _optional(scanner, "idx=", 32)
        scanner.need(")")
        mask = b"\xff" * 4 + index_mask.to_bytes(4, "big") + b"\xff" * 4
        return (
            netlink.attr(kind, pack_erspan(1, index, 0, 0)),
            netlink.attr(kind, mask),
        )
    if version != 2:
        raise ScanError
    direction, direction_mask = _optional(scanner, "dir=", 8)
    scanner.literal(",")
    hwid, hwid_mask = _optional(scanner, "hwid=", 8)
    scanner.need(")")
    bits = 0x07 | (direction_mask & 1) << 3 | (hwid_mask & 15) << 4
    return (
        netlink.attr(kind, pack_erspan(2, 0, direction, hwid & 15)),
        netlink.attr(kind, b"\xff" * 11 + bytes((bits,))),
    )


def _parse_geneve(scanner: Scanner) -> Pair:
    key, mask = parse_geneve_options(scanner)
    kind = n.OVS_TUNNEL_KEY_ATTR_GENEVE_OPTS
    return netlink.attr(kind, key), netlink.attr(kind, mask)


def parse_geneve_options(scanner: Scanner) -> Pair:
    """Take options in braces and the parenthesis that ends them.

    Raises: ScanError.
    """
    key, mask = b"", b""
    while scanner.literal("{"):
        option, own = _parse_geneve_option(scanner)
        key += option
        mask += own
        if len(key) > _MAX_GENEVE:
            raise ScanError
    scanner.need(")")
    return key, mask


def _parse_geneve_option(scanner: Scanner) -> Pair:
    class_, class_mask = _optional(scanner, "class=", 16)
    scanner.literal(",")
    kind, kind_mask = _optional(scanner, "type=", 8)
    scanner.literal(",")
    size, size_mask = 0, 0
    if scanner.literal("len="):
        size, size_mask = parse_masked(scanner, 8)
        if size > _MAX_OPTION or size % 4:
            raise ScanError
    value, value_mask = 0, 0
    if scanner.literal(","):
        value, value_mask = _parse_option_value(scanner, size)
    scanner.need("}")
    head = class_.to_bytes(2, "big") + bytes((kind, size // 4))
    head_mask = class_mask.to_bytes(2, "big") + bytes((kind_mask, size_mask & 0x1F))
    return (
        head + value.to_bytes(size, "big"),
        head_mask + value_mask.to_bytes(size, "big"),
    )


def _parse_option_value(scanner: Scanner, size: int) -> tuple[int, int]:
    value = scanner.big_integer(size)
    if value is None:
        raise ScanError
    mask = (1 << 8 * size) - 1
    if scanner.literal("/"):
        own = scanner.big_integer(size)
        if own is None:
            raise ScanError
        mask = own
    return value, mask


_FIELDS: tuple[tuple[str, Callable[[Scanner], Pair]], ...] = (
    ("tun_id=", _number(n.OVS_TUNNEL_KEY_ATTR_ID, 64)),
    ("src=", _address(n.OVS_TUNNEL_KEY_ATTR_IPV4_SRC, 32)),
    ("dst=", _address(n.OVS_TUNNEL_KEY_ATTR_IPV4_DST, 32)),
    ("ipv6_src=", _address(n.OVS_TUNNEL_KEY_ATTR_IPV6_SRC, 128)),
    ("ipv6_dst=", _address(n.OVS_TUNNEL_KEY_ATTR_IPV6_DST, 128)),
    ("tos=", _number(n.OVS_TUNNEL_KEY_ATTR_TOS, 8)),
    ("ttl=", _number(n.OVS_TUNNEL_KEY_ATTR_TTL, 8)),
    ("tp_src=", _number(n.OVS_TUNNEL_KEY_ATTR_TP_SRC, 16)),
    ("tp_dst=", _number(n.OVS_TUNNEL_KEY_ATTR_TP_DST, 16)),
    ("erspan(", _parse_erspan),
    ("vxlan(gbp(", _parse_gbp),
    ("geneve(", _parse_geneve),
    ("gtpu(", _parse_gtpu),
    ("flags(", _parse_flags),
)
