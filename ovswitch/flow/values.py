# SPDX-License-Identifier: Apache-2.0
"""A field's value and mask as text, as OpenFlow's tools write them.

Values and masks here are as on the wire: numbers of the field's `n_bytes` octets
(`in_port_oxm` is a 32-bit port, `nw_tos` has its two low bits clear), a mask being all
ones for an exact match. Where they stand in a flow is `access`'s business.
"""

from __future__ import annotations

from ovswitch.flow import fields, flags, names, numbers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ovswitch.flow.fields import Field

_ETH_ONES = (1 << 48) - 1
_U32 = 0xFFFFFFFF
_U128 = (1 << 128) - 1

# Name, mask and value of the ways to match fragments; the first that fits is printed.
_ANY, _LATER = 1, 2
_FRAGMENTS = (
    ("no", _ANY | _LATER, 0),
    ("first", _ANY | _LATER, _ANY),
    ("later", _ANY | _LATER, _ANY | _LATER),
    ("no", _ANY, 0),
    ("yes", _ANY, _ANY),
    ("not_later", _LATER, 0),
    ("later", _LATER, _LATER),
)


def ones(field: Field) -> int:
    """Return the mask of an exact match, as on the wire."""
    return (1 << 8 * field.n_bytes) - 1


# Addresses.


def parse_eth(text: str) -> tuple[int, int]:
    """Return (address, mask) for `XX:XX:XX:XX:XX:XX[/XX:XX:XX:XX:XX:XX]`."""
    address, _, mask = text.partition("/")
    try:
        value = _eth(address)
        return value, _eth(mask) if _ else _ETH_ONES
    except (ValueError, OverflowError):
        raise ValueError(f"{text}: invalid Ethernet address") from None


def _eth(text: str) -> int:
    octets = text.split(":")
    if len(octets) != 6:
        raise ValueError(text)
    value = 0
    for octet in octets:
        number, end = numbers.scan(octet, 0, 16)
        if end != len(octet) or not end:
            raise ValueError(text)
        value = value << 8 | number & 0xFF
    return value


def format_eth(value: int, mask: int = _ETH_ONES) -> str:
    """Return an Ethernet address, with its mask unless exact."""
    text = value.to_bytes(6, "big").hex(":")
    if mask == _ETH_ONES:
        return text
    return f"{text}/{mask.to_bytes(6, 'big').hex(':')}"


def _scan_ipv4(text: str, start: int) -> tuple[int, int]:
    """Read a dotted quad; return (address, end), end == start if there is none."""
    value, at = 0, start
    for i in range(4):
        if i:
            if text[at : at + 1] != ".":
                return 0, start
            at += 1
        octet, end = numbers.scan(text, at, 10)
        if end == at:
            return 0, start
        value, at = value << 8 | octet & 0xFF, end
    return value, at


def prefix_mask(prefix: int, width: int = 32) -> int:
    """Return the mask of the first `prefix` of `width` bits."""
    return (1 << width) - (1 << width - prefix)


def prefix_length(mask: int, width: int = 32) -> int | None:
    """Return how many leading ones `mask` has, None if others follow a zero."""
    inverse = mask ^ (1 << width) - 1
    return None if inverse & inverse + 1 else width - inverse.bit_length()


def parse_ipv4(text: str) -> tuple[int, int]:
    """Return (address, mask) for `A.B.C.D[/PREFIX|/A.B.C.D]`."""
    value, end = _scan_ipv4(text, 0)
    if not end:
        raise ValueError(f"{text}: invalid IP address")
    if end == len(text):
        return value, _U32
    if text[end] == "/":
        mask, stop = _scan_ipv4(text, end + 1)
        if stop > end + 1 and stop == len(text):
            return value, mask
        prefix, stop = numbers.scan(text, end + 1, 10)
        if stop > end + 1:
            if not 0 <= prefix <= 32:
                raise ValueError(
                    f"{text}: IPv4 network prefix bits not between 0 and 32, inclusive"
                )
            if stop == len(text):
                return value, prefix_mask(prefix)
    raise ValueError(f"{text}: invalid IP address")


def format_ipv4(value: int, mask: int = _U32) -> str:
    """Return an IPv4 address, with its prefix length or mask unless exact."""
    text = f"{value >> 24}.{value >> 16 & 255}.{value >> 8 & 255}.{value & 255}"
    if mask == _U32:
        return text
    prefix = prefix_length(mask)
    return f"{text}/{format_ipv4(mask) if prefix is None else prefix}"


def _ipv6(text: str) -> int | None:
    # The socket module is small in itself and does just what the C library does.
    import _socket

    try:
        return int.from_bytes(_socket.inet_pton(_socket.AF_INET6, text), "big")
    except (OSError, ValueError):
        return None


def parse_ipv6(text: str) -> tuple[int, int]:
    """Return (address, mask) for `ADDRESS[/PREFIX|/ADDRESS]`."""
    address, slash, rest = text.lstrip(" ").partition("/")
    value = _ipv6(address)
    if value is None:
        raise ValueError(f"{text}: invalid IPv6 address")
    if not slash:
        return value, _U128
    prefix, end = numbers.scan(rest, 0, 10)
    if end and not 0 <= prefix <= 128:
        raise ValueError(
            f"{text}: IPv6 network prefix bits not between 0 and 128, inclusive"
        )
    if end and end == len(rest):
        return value, prefix_mask(prefix, 128)
    if end or not rest or rest[0] not in "0123456789abcdefABCDEF:.":
        raise ValueError(f"{text}: invalid IPv6 address")
    mask = _ipv6(rest)
    if mask is None:
        raise ValueError(f"{text}: Invalid IPv6 mask")
    return value, mask


def format_ipv6(value: int, mask: int = _U128) -> str:
    """Return an IPv6 address, with its prefix length or mask unless exact."""
    import _socket

    text = _socket.inet_ntop(_socket.AF_INET6, value.to_bytes(16, "big"))
    if mask == _U128:
        return text
    prefix = prefix_length(mask, 128)
    return f"{text}/{format_ipv6(mask) if prefix is None else prefix}"


# The kinds of fields. Parsers return (value, mask), the mask being all ones of the
# field's size or wider.


def _parse_integer(
    field: Field, text: str, ports: names.NameMap | None
) -> tuple[int, int]:
    size = field.n_bytes
    if text.isalnum() and text.isascii():
        try:
            value = int(text, 0)
        except ValueError:
            pass  # Perhaps octal in C's notation.
        else:
            if not value >> 8 * size:
                return value, ones(field)
    what = "value"
    try:
        value, end = numbers.scan_sized(text, 0, size)
        if end == len(text):
            return value, ones(field)
        if text[end] == "/":
            what = "mask"
            mask, end = numbers.scan_sized(text, end + 1, size)
            if end == len(text):
                return value, mask
    except numbers.RangeError:
        raise ValueError(
            f"{text}: {what} too large for {size}-byte field {field.name}"
        ) from None
    except ValueError:
        pass
    raise ValueError(f"{text}: bad syntax for {field.name} {what}")


def _parse_port(
    field: Field, text: str, ports: names.NameMap | None
) -> tuple[int, int]:
    port = names.parse_port(text, ports)
    if port is None:
        raise ValueError(f"{text}: invalid or unknown port for {field.name}")
    return port, 0xFFFF


def _parse_port_oxm(
    field: Field, text: str, ports: names.NameMap | None
) -> tuple[int, int]:
    port = names.parse_port(text, ports)
    if port is None:
        raise ValueError(f"{text}: port value out of range for {field.name}")
    return names.port_to_ofp11(port), _U32


def _parse_frag(
    field: Field, text: str, ports: names.NameMap | None
) -> tuple[int, int]:
    wanted = text.lower()
    for name, mask, value in _FRAGMENTS:
        if name == wanted:
            # The unused bits are on so that "no" counts as an exact match.
            return value, mask | 0xFC
    raise ValueError(
        f'{text}: unknown fragment type (valid types are "no", "yes", "first", '
        '"later", "not_later"'
    )


def _parse_packet_type(
    field: Field, text: str, ports: names.NameMap | None
) -> tuple[int, int]:
    def bad(rest: str, what: str) -> ValueError:
        return ValueError(f"{rest}: bad syntax for packet type {what}")

    if text[:1] != "(":
        raise bad(text, "missing '('")
    rest = text[1:]
    try:
        space, end = numbers.scan_sized(rest, 0, 2)
    except ValueError:
        raise bad(rest, "ns") from None
    if rest[end : end + 1] != ",":
        raise bad(rest, "missing ','")
    rest = rest[end + 1 :]
    try:
        number, end = numbers.scan_sized(rest, 0, 2)
    except ValueError:
        raise bad(rest, "ns_type") from None
    if rest[end : end + 1] != ")":
        raise bad(rest, "missing ')'")
    return space << 16 | number, _U32


if TYPE_CHECKING:
    _Parser = Callable[[Field, str, names.NameMap | None], tuple[int, int]]
    _Formatter = Callable[[Field, int, int, names.NameMap | None], str]

_PARSERS: dict[str, _Parser] = {
    fields.DEC: _parse_integer,
    fields.HEX: _parse_integer,
    fields.ETHERNET: lambda field, text, ports: parse_eth(text),
    fields.IPV4: lambda field, text, ports: parse_ipv4(text),
    fields.IPV6: lambda field, text, ports: parse_ipv6(text),
    fields.OFP_PORT: _parse_port,
    fields.OFP_PORT_OXM: _parse_port_oxm,
    fields.FRAG: _parse_frag,
    fields.TNL_FLAGS: lambda field, text, ports: flags.parse(
        text, flags.TUNNEL_FLAG_NAMES, "tunnel", flags.TUNNEL_PUBLIC_MASK
    ),
    fields.TCP_FLAGS: lambda field, text, ports: flags.parse(
        text, flags.TCP_FLAG_NAMES, "TCP", flags.TCP_FLAGS_MASK
    ),
    fields.CT_STATE: lambda field, text, ports: flags.parse(
        text, flags.CT_STATE_NAMES, "ct_state", flags.CT_STATE_SUPPORTED
    ),
    fields.PACKET_TYPE: _parse_packet_type,
}


def parse(
    field: Field, text: str, ports: names.NameMap | None = None
) -> tuple[int, int]:
    """Return the value and mask that `text` means for `field`.

    Raises:
        ValueError: with the text for the user.
    """
    if text == "*":
        return 0, 0
    value, mask = _PARSERS[field.text](field, text, ports)
    full = ones(field)
    mask &= full
    if mask and mask != full and not field.maskable:
        raise ValueError(f"{text}: invalid mask for field {field.name}")
    return value, mask


def parse_value(field: Field, text: str, ports: names.NameMap | None = None) -> int:
    """Return the value that `text` means for `field`; no mask is allowed.

    Raises:
        ValueError: with the text for the user.
    """
    value, mask = parse(field, text, ports)
    if mask != ones(field):
        raise ValueError(f"{text}: wildcards not allowed here")
    return value


def _put_u16(value: int, mask: int) -> str:
    if not mask:
        return "*"
    text = f"{value:#x}" if value > 9 else str(value)
    return text if mask == 0xFFFF else f"{text}/{mask:#x}"


def format_packet_type(value: int, mask: int = _U32) -> str:
    """Return a match on the packet type, with the field's name: "eth" or another."""
    if not value and mask == _U32:
        return "eth"
    space = _put_u16(value >> 16, mask >> 16)
    return f"packet_type=({space},{_put_u16(value & 0xFFFF, mask & 0xFFFF)})"


def _format_integer(
    field: Field, value: int, mask: int, ports: names.NameMap | None
) -> str:
    text = numbers.put_hex(value) if field.text == fields.HEX else str(value)
    if mask == ones(field):
        return text
    return f"{text}/{numbers.put_hex(mask)}"


def _format_port(
    field: Field, value: int, mask: int, ports: names.NameMap | None
) -> str:
    if mask != ones(field):
        return _format_integer(field, value, mask, ports)
    if field.text == fields.OFP_PORT_OXM:
        port = names.port_from_ofp11(value)
        value = names.OFPP_NONE if port is None else port
    return names.format_port(value, ports)


def _format_frag(
    field: Field, value: int, mask: int, ports: names.NameMap | None
) -> str:
    mask &= _ANY | _LATER
    for name, bits, wanted in _FRAGMENTS:
        if mask == bits and value & mask == wanted:
            return name
    return "<error>"


_FORMATTERS: dict[str, _Formatter] = {
    fields.DEC: _format_integer,
    fields.HEX: _format_integer,
    fields.ETHERNET: lambda field, value, mask, ports: format_eth(value, mask),
    fields.IPV4: lambda field, value, mask, ports: format_ipv4(value, mask),
    fields.IPV6: lambda field, value, mask, ports: format_ipv6(value, mask),
    fields.OFP_PORT: _format_port,
    fields.OFP_PORT_OXM: _format_port,
    fields.FRAG: _format_frag,
    fields.TNL_FLAGS: lambda field, value, mask, ports: flags.format_masked(
        flags.TUNNEL_FLAG_NAMES, value, mask & 1, flags.TUNNEL_PUBLIC_MASK
    ),
    fields.TCP_FLAGS: lambda field, value, mask, ports: flags.format_masked(
        flags.TCP_FLAG_NAMES,
        value,
        mask & flags.TCP_FLAGS_MASK,
        flags.TCP_FLAGS_MASK,
    ),
    fields.CT_STATE: lambda field, value, mask, ports: flags.format_masked(
        flags.CT_STATE_NAMES, value, mask, 0xFFFF
    ),
    fields.PACKET_TYPE: lambda field, value, mask, ports: format_packet_type(
        value, mask
    ),
}


def format_value(
    field: Field,
    value: int,
    mask: int | None = None,
    ports: names.NameMap | None = None,
) -> str:
    """Return a value, and its mask unless exact (None: exact), as text."""
    if mask is None:
        mask = ones(field)
    elif not mask:
        return "ANY"
    return _FORMATTERS[field.text](field, value, mask, ports)


_SINGLE: dict[str, Callable[[int], bool]] = {
    "in_port_oxm": lambda value: names.port_from_ofp11(value) is not None,
    "actset_output": lambda value: names.port_from_ofp11(value) is not None,
    "nw_tos": lambda value: not value & 3,
    "vlan_vid": lambda value: not value & 0xE000,
    "nsh_ttl": lambda value: value <= 63,
    "nsh_mdtype": lambda value: value in (1, 2),
    "tun_erspan_idx": lambda value: True,
    "tun_erspan_ver": lambda value: True,
    "tun_erspan_dir": lambda value: True,
    "tun_erspan_hwid": lambda value: True,
    "arp_op": lambda value: not value & 0xFF00,
    "ct_state": lambda value: not value & ~flags.CT_STATE_SUPPORTED,
}


def is_valid(field: Field, value: int) -> bool:
    """Return whether it makes sense to match on `value` in `field`, or to set it."""
    check = _SINGLE.get(field.name)
    if check is not None:
        return check(value)
    return not value >> field.n_bits
