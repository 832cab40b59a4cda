# SPDX-License-Identifier: Apache-2.0
"""Flow keys and masks from text, as dpctl/add-flow and set() actions take them.

Each attribute gives a payload for the key and one for the mask; members that aren't
named are wildcarded. Whether the attributes make sense together isn't checked here:
`key_decode.to_flow()` does that.
Source: the reference's odp-util.c for what is accepted.
"""

from __future__ import annotations

from ovswitch.datapath import netlink
from ovswitch.datapath.odp import attributes as a
from ovswitch.datapath.odp import numbers as n
from ovswitch.datapath.odp.scan import (
    DELIMITERS,
    ScanError,
    Scanner,
    parse_mask,
    parse_masked,
)
from ovswitch.datapath.odp.tunnel_parse import parse_tunnel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    #: Numbers of ports by name.
    PortNumbers = Mapping[str, int]
    Pair = tuple[bytes, bytes]  # key and mask

MAX_NESTED = 32
_EINVAL = 22
_E2BIG = 7
_LOWER = frozenset("abcdefghijklmnopqrstuvwxyz")
_UFID_SIZE = 36
_FRAGS = {"no": 0, "first": 1, "later": 2}
_VLAN_FIELDS = (("vid=", 12, 0), ("pcp=", 3, 13), ("cfi=", 1, 12))
_MPLS_FIELDS = (("label=", 20, 12), ("tc=", 3, 9), ("ttl=", 8, 0), ("bos=", 1, 8))
_N_MPLS = 3


class OdpError(ValueError):
    """A key or action can't be read; `errno` as the reference has it."""

    def __init__(self, errno: int, text: str) -> None:
        super().__init__(text)
        self.errno = errno


def parse_key(text: str, ports: PortNumbers | None = None) -> Pair:
    """Return the attributes of the key and of its mask.

    Raises: OdpError: "syntax error at ...".
    """
    scanner = Scanner(text)
    key: list[bytes] = []
    mask: list[bytes] = []
    size = 0
    while True:
        scanner.skip()
        if not scanner.peek():
            return b"".join(key), b"".join(mask)
        start = scanner.at
        try:
            if skip_ufid(scanner):
                start = scanner.at
            attribute, attribute_mask = parse_attribute(scanner, ports, depth=1)
            size += len(attribute)
            check_size(size)
        except ScanError as error:
            text = f"syntax error at {text[start:]}"
            raise OdpError(error.errno, text) from error
        key.append(attribute)
        mask.append(attribute_mask)


def check_size(size: int) -> None:
    """Check that attributes of `size` octets can stand in one.

    Raises: ScanError: they can't.
    """
    if size + 4 > netlink.MAX_ATTR_SIZE:
        raise ScanError(_E2BIG)


def parse_ufid(text: str) -> bytes | None:
    """Return the identifier that "ufid:..." starts with, None when there is none.

    Raises: ScanError: what follows "ufid:" is no UUID.
    """
    if not text.startswith("ufid:"):
        return None
    word = text[5 : 5 + _UFID_SIZE]
    parts = word.split("-")
    digits = "".join(parts)
    if [len(part) for part in parts] != [8, 4, 4, 4, 12]:
        raise ScanError
    if not all(char in "0123456789abcdefABCDEF" for char in digits):
        raise ScanError
    words = [int(digits[at : at + 8], 16) for at in range(0, 32, 8)]
    return b"".join(netlink.put_u32(0, value)[4:] for value in words)


def skip_ufid(scanner: Scanner) -> bool:
    """Move over a flow identifier, which doesn't belong to the key."""
    if parse_ufid(scanner.rest()) is None:
        return False
    scanner.at += 5 + _UFID_SIZE
    scanner.literal(" ")
    return True


def parse_attribute(scanner: Scanner, ports: PortNumbers | None, *, depth: int) -> Pair:
    """Take one "name(...)"; return its attribute and its mask's.

    Raises: ScanError.
    """
    if depth >= MAX_NESTED:
        raise ScanError
    for number, key in a.KEYS.items():
        # The reference prints nsh() but never accepts it.
        if number == n.OVS_KEY_ATTR_NSH or not scanner.literal(key.name + "("):
            continue
        if number == n.OVS_KEY_ATTR_ENCAP:
            payload, mask = _parse_encap(scanner, ports, depth=depth)
        elif number == n.OVS_KEY_ATTR_IN_PORT:
            payload, mask = _parse_in_port(scanner, ports)
        elif number in _SPECIAL:
            payload, mask = _SPECIAL[number](scanner)
        else:
            payload, mask = _parse_members(scanner, key)
        return netlink.attr(number, payload), netlink.attr(number, mask)
    raise ScanError


def _finish(scanner: Scanner) -> bool:
    """Move over what ends a member; return whether another may follow.

    Raises: ScanError: it is neither "," nor ")".
    """
    if scanner.literal(","):
        return True
    scanner.need(")")
    return False


def _parse_members(scanner: Scanner, key: a.Key) -> Pair:
    value = mask = 0
    more = True
    while more:
        for member in key.written:
            if scanner.literal(member.parsed + "="):
                bits, own = _parse_member(scanner, member)
                ones = (1 << member.width) - 1 << member.shift
                value = value & ~ones | bits << member.shift
                mask = mask & ~ones | own << member.shift
                break
        else:
            scanner.need(")")
            break
        more = _finish(scanner)
    return value.to_bytes(key.size, "big"), mask.to_bytes(key.size, "big")


def _parse_member(scanner: Scanner, member: a.Member) -> tuple[int, int]:
    """Take "value" or "value/mask".

    Raises: ScanError.
    """
    ones = (1 << member.width) - 1
    kind = member.kind
    if kind == a.FRAG:
        frag = _FRAGS.get(scanner.run(_LOWER, 7))
        if frag is None:
            raise ScanError
        return frag, ones
    if kind == a.LABEL:
        return _parse_label(scanner)
    take: Callable[[], int | None]
    if kind == a.ETH:
        take = scanner.mac
    elif kind == a.IPV4:
        take = scanner.ipv4
    elif kind == a.IPV6:
        take = scanner.ipv6
    else:
        return parse_masked(scanner, member.width)
    value = take()
    if value is None:
        raise ScanError
    return value, parse_mask(scanner, take, ones)


def _parse_label(scanner: Scanner) -> tuple[int, int]:
    value = scanner.integer(32)
    if value is None or value >> 20:
        raise ScanError
    start = scanner.at
    mask = parse_mask(scanner, lambda: scanner.integer(32), 0xFFFFF)
    if mask >> 20:
        scanner.at = start
        mask = 0xFFFFF
    return value, mask


def _parse_bits(
    scanner: Scanner, width: int, shift: int, value: int, mask: int, bits: int
) -> tuple[int, int]:
    """Take a bit field of a word of `bits`; return the word and its mask.

    Raises: ScanError: there is no number, or it is too large.
    """
    field = scanner.integer(bits)
    if field is None or field >> width:
        raise ScanError
    ones = (1 << width) - 1
    own = parse_mask(scanner, lambda: scanner.integer(bits), ones)
    if own >> width:
        raise ScanError
    return value & ~(ones << shift) | field << shift, (
        mask & ~(ones << shift) | own << shift
    )


def _parse_vlan(scanner: Scanner) -> Pair:
    tci = mask = 0x1000
    more = True
    while more:
        for name, width, shift in _VLAN_FIELDS:
            if scanner.literal(name):
                tci, mask = _parse_bits(scanner, width, shift, tci, mask, 16)
                break
        else:
            scanner.need(")")
            break
        more = _finish(scanner)
    return tci.to_bytes(2, "big"), mask.to_bytes(2, "big")


def _parse_mpls(scanner: Scanner) -> Pair:
    """Take labels: a field that comes again begins the next one."""
    entries = [[0, 0]]
    seen: set[str] = set()
    more = True
    while more:
        for name, width, shift in _MPLS_FIELDS:
            if not scanner.literal(name):
                continue
            if name in seen:
                seen.clear()
                if len(entries) == _N_MPLS:
                    raise ScanError
                entries.append([0, 0])
            seen.add(name)
            entries[-1] = list(
                _parse_bits(scanner, width, shift, entries[-1][0], entries[-1][1], 32)
            )
            break
        else:
            scanner.need(")")
            break
        more = _finish(scanner)
    return (
        b"".join(value.to_bytes(4, "big") for value, _ in entries),
        b"".join(mask.to_bytes(4, "big") for _, mask in entries),
    )


def _parse_packet_type(scanner: Scanner) -> Pair:
    value = mask = 0
    more = True
    while more:
        shift = 16 if scanner.literal("ns=") else 0 if scanner.literal("id=") else None
        if shift is None:
            scanner.need(")")
            break
        bits, own = parse_masked(scanner, 16)
        value = value & ~(0xFFFF << shift) | bits << shift
        mask = mask & ~(0xFFFF << shift) | own << shift
        more = _finish(scanner)
    return value.to_bytes(4, "big"), mask.to_bytes(4, "big")


def _word_parser(size: int) -> Callable[[Scanner], Pair]:
    def parse(scanner: Scanner) -> Pair:
        value, mask = parse_masked(scanner, 8 * size)
        scanner.need(")")
        return host_octets(value, size), host_octets(mask, size)

    return parse


def host_octets(value: int, size: int) -> bytes:
    """Return a number in host order."""
    if size == 16:
        return netlink.u128_octets(value)
    return {2: netlink.put_u16, 4: netlink.put_u32}[size](0, value)[4 : 4 + size]


def _parse_recirc_id(scanner: Scanner) -> Pair:
    value = scanner.integer(32)
    if value is None:
        raise ScanError
    scanner.need(")")
    return host_octets(value, 4), b"\xff" * 4


def _parse_ct_state(scanner: Scanner) -> Pair:
    found = scanner.flags(n.CT_STATE_FLAGS, 0xFF, masked=True)
    if found is None:
        raise ScanError
    scanner.need(")")
    return host_octets(found[0], 4), host_octets(found[1], 4)


def parse_u128(scanner: Scanner) -> tuple[int, int]:
    """Take connection labels and perhaps a mask.

    Raises: ScanError.
    """
    value = scanner.big_integer(16)
    if value is None:
        raise ScanError
    mask = (1 << 128) - 1
    if scanner.literal("/"):
        own = scanner.big_integer(16)
        if own is None:
            raise ScanError
        mask = own
    return value, mask


def _parse_labels(scanner: Scanner) -> Pair:
    value, mask = parse_u128(scanner)
    scanner.need(")")
    return host_octets(value, 16), host_octets(mask, 16)


def _parse_eth_type(scanner: Scanner) -> Pair:
    value, mask = parse_masked(scanner, 16)
    scanner.need(")")
    return value.to_bytes(2, "big"), mask.to_bytes(2, "big")


def _parse_tcp_flags(scanner: Scanner) -> Pair:
    found = scanner.flags(n.TCP_FLAGS, 0xFFF, masked=True)
    if found is None:
        raise ScanError
    scanner.need(")")
    value, mask = (part & 0xFFFF for part in found)
    return value.to_bytes(2, "big"), mask.to_bytes(2, "big")


def _parse_in_port(scanner: Scanner, ports: PortNumbers | None) -> Pair:
    start = scanner.at
    try:
        value, mask = parse_masked(scanner, 32)
    except ScanError:
        scanner.at = start
        name = scanner.until(")")
        if ports is None or name not in ports:
            raise
        value, mask = ports[name], 0xFFFFFFFF
    scanner.need(")")
    return host_octets(value, 4), host_octets(mask, 4)


def pack_nsh(base: bytes, contexts: bytes) -> bytes:
    """Return nested OVS_NSH_KEY_ATTR_* attributes."""
    inner = netlink.attr(n.OVS_NSH_KEY_ATTR_BASE, base)
    if contexts:
        inner += netlink.attr(n.OVS_NSH_KEY_ATTR_MD1, contexts)
    return inner


def _parse_encap(scanner: Scanner, ports: PortNumbers | None, *, depth: int) -> Pair:
    key, mask = b"", b""
    while True:
        scanner.skip(DELIMITERS)
        if scanner.literal(")"):
            return key, mask
        attribute, own = parse_attribute(scanner, ports, depth=depth + 1)
        key += attribute
        mask += own
        check_size(len(key))


_SPECIAL: dict[int, Callable[[Scanner], Pair]] = {
    n.OVS_KEY_ATTR_PRIORITY: _word_parser(4),
    n.OVS_KEY_ATTR_SKB_MARK: _word_parser(4),
    n.OVS_KEY_ATTR_DP_HASH: _word_parser(4),
    n.OVS_KEY_ATTR_RECIRC_ID: _parse_recirc_id,
    n.OVS_KEY_ATTR_CT_STATE: _parse_ct_state,
    n.OVS_KEY_ATTR_CT_ZONE: _word_parser(2),
    n.OVS_KEY_ATTR_CT_MARK: _word_parser(4),
    n.OVS_KEY_ATTR_CT_LABELS: _parse_labels,
    n.OVS_KEY_ATTR_TUNNEL: parse_tunnel,
    n.OVS_KEY_ATTR_VLAN: _parse_vlan,
    n.OVS_KEY_ATTR_ETHERTYPE: _parse_eth_type,
    n.OVS_KEY_ATTR_MPLS: _parse_mpls,
    n.OVS_KEY_ATTR_TCP_FLAGS: _parse_tcp_flags,
    n.OVS_KEY_ATTR_PACKET_TYPE: _parse_packet_type,
}
