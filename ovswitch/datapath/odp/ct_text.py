# SPDX-License-Identifier: Apache-2.0
"""The ct() action as text, both ways."""

from __future__ import annotations

from ovswitch.datapath import netlink
from ovswitch.datapath.odp import actions
from ovswitch.datapath.odp import numbers as n
from ovswitch.datapath.odp.key_parse import parse_u128
from ovswitch.datapath.odp.key_text import format_u128
from ovswitch.datapath.odp.member_text import alternate
from ovswitch.datapath.odp.scan import DELIMITERS, ScanError, Scanner
from ovswitch.packet.address import format_ipv4, format_ipv6

_MAX_HELPER = 15
_MAX_TIMEOUT = 31


def format_ct(payload: bytes) -> str:
    """Return the text of an OVS_ACTION_ATTR_CT payload."""
    inner = dict(netlink.walk(payload)[0])
    if not _is_valid(inner):
        return "ct(error)"
    words = []
    if n.OVS_CT_ATTR_COMMIT in inner:
        words.append("commit")
    if n.OVS_CT_ATTR_FORCE_COMMIT in inner:
        words.append("force_commit")
    zone = netlink.get_uint(inner.get(n.OVS_CT_ATTR_ZONE, b""))
    if zone:
        words.append(f"zone={zone}")
    mark = inner.get(n.OVS_CT_ATTR_MARK)
    if mark is not None:
        value, mask = netlink.get_uint(mark[:4]), netlink.get_uint(mark[4:8])
        words.append(f"mark={alternate(value)}/{alternate(mask)}")
    label = inner.get(n.OVS_CT_ATTR_LABELS)
    if label is not None:
        words.append("label=" + format_u128(label[:16], label[16:32], verbose=True))
    for number, name in (
        (n.OVS_CT_ATTR_HELPER, "helper"),
        (n.OVS_CT_ATTR_TIMEOUT, "timeout"),
    ):
        if number in inner:
            words.append(f"{name}={netlink.get_string(inner[number])}")
    nat = inner.get(n.OVS_CT_ATTR_NAT)
    if nat is not None:
        words.append(_format_nat(nat))
    return f"ct({','.join(words)})" if words else "ct"


def _is_valid(inner: dict[int, bytes]) -> bool:
    sizes = (
        (n.OVS_CT_ATTR_ZONE, 2, 2),
        (n.OVS_CT_ATTR_MARK, 8, netlink.MAX_ATTR_SIZE),
        (n.OVS_CT_ATTR_LABELS, 32, netlink.MAX_ATTR_SIZE),
        (n.OVS_CT_ATTR_HELPER, 1, 16),
        (n.OVS_CT_ATTR_TIMEOUT, 1, 32),
    )
    return all(
        low <= len(inner[number]) <= high
        for number, low, high in sizes
        if number in inner
    )


def _nat_fault(inner: dict[int, bytes]) -> str | None:
    """Return what is wrong with nat(), None if nothing is."""
    src, dst = n.OVS_NAT_ATTR_SRC in inner, n.OVS_NAT_ATTR_DST in inner
    low, high = inner.get(n.OVS_NAT_ATTR_IP_MIN), inner.get(n.OVS_NAT_ATTR_IP_MAX)
    has_proto_min = n.OVS_NAT_ATTR_PROTO_MIN in inner
    options = inner.keys() - {n.OVS_NAT_ATTR_SRC, n.OVS_NAT_ATTR_DST}
    if not src and not dst and options:
        return 'options allowed only with "src" or "dst"'
    if src and dst:
        return 'Only one of "src" or "dst" may be present.'
    if low is None and has_proto_min:
        return "proto but no IP."
    if (low is None and high is not None) or (
        not has_proto_min and n.OVS_NAT_ATTR_PROTO_MAX in inner
    ):
        return "range max without min."
    if low is not None and (
        len(low) not in (4, 16) or (high is not None and len(high) != len(low))
    ):
        return "IP address sizes do not match"
    return None


def _format_nat(payload: bytes) -> str:
    inner = dict(netlink.walk(payload)[0])
    fault = _nat_fault(inner)
    if fault is not None:
        return f"nat(error: {fault})"
    low = inner.get(n.OVS_NAT_ATTR_IP_MIN, b"")
    high = inner.get(n.OVS_NAT_ATTR_IP_MAX, b"")
    proto_min = netlink.get_uint(inner.get(n.OVS_NAT_ATTR_PROTO_MIN, b""))
    proto_max = netlink.get_uint(inner.get(n.OVS_NAT_ATTR_PROTO_MAX, b""))
    if (any(high) and low > high) or (proto_max and proto_min > proto_max):
        return "nat(range error)"
    if n.OVS_NAT_ATTR_SRC in inner:
        text = "nat(src"
    elif n.OVS_NAT_ATTR_DST in inner:
        text = "nat(dst"
    else:
        return "nat"
    if low:
        text += "=" + _format_range(low, high, proto_min, proto_max)
    for number, name in _NAT_FLAGS:
        if number in inner:
            text += "," + name
    return text + ")"


_NAT_FLAGS = (
    (n.OVS_NAT_ATTR_PERSISTENT, "persistent"),
    (n.OVS_NAT_ATTR_PROTO_HASH, "hash"),
    (n.OVS_NAT_ATTR_PROTO_RANDOM, "random"),
)


def _format_range(low: bytes, high: bytes, proto_min: int, proto_max: int) -> str:
    bracket = len(low) == 16 and proto_min
    text = _format_address(low, bracket=bool(bracket))
    if any(high) and high != low:
        text += "-" + _format_address(high, bracket=bool(bracket))
    if proto_min:
        text += f":{proto_min}"
        if proto_max and proto_max != proto_min:
            text += f"-{proto_max}"
    return text


def _format_address(packed: bytes, *, bracket: bool) -> str:
    value = int.from_bytes(packed, "big")
    if len(packed) == 4:
        return format_ipv4(value)
    return f"[{format_ipv6(value)}]" if bracket else format_ipv6(value)


def parse_ct(scanner: Scanner) -> bytes:
    """Take what follows "ct"; return the action.

    Raises: ScanError.
    """
    commit = force = False
    zone = 0
    mark, label = (0, 0), (0, 0)
    helper = timeout = ""
    nat = None
    if scanner.literal("("):
        if ")" not in scanner.rest():
            raise ScanError
        while not scanner.literal(")"):
            scanner.skip()
            if scanner.literal("commit"):
                commit = True
            elif scanner.literal("force_commit"):
                force = True
            elif scanner.literal("zone="):
                zone = _need(scanner.decimal(16))
            elif scanner.literal("mark="):
                mark = _parse_mark(scanner)
            elif scanner.literal("label="):
                label = parse_u128(scanner)
            elif scanner.literal("helper="):
                helper = _parse_word(scanner, _MAX_HELPER)
            elif scanner.literal("timeout="):
                timeout = _parse_word(scanner, _MAX_TIMEOUT)
            elif scanner.literal("nat"):
                nat = _parse_nat(scanner)
            else:
                raise ScanError
    if commit and force:
        raise ScanError
    return actions.ct(
        commit=commit,
        force=force,
        zone=zone,
        mark=mark,
        label=label,
        helper=helper,
        timeout=timeout,
        nat=nat,
    )


def _need(value: int | None) -> int:
    if value is None:
        raise ScanError
    return value


def _parse_mark(scanner: Scanner) -> tuple[int, int]:
    value = _need(scanner.hexadecimal(32))
    if scanner.literal("/"):
        return value, _need(scanner.hexadecimal(32))
    return value, 0xFFFFFFFF


def _parse_word(scanner: Scanner, limit: int) -> str:
    word = scanner.until(DELIMITERS + ")")
    if not word or len(word) > limit:
        raise ScanError
    return word


def _parse_nat(scanner: Scanner) -> actions.Nat:
    nat = actions.Nat()
    if not scanner.literal("("):
        return nat
    src = dst = False
    if ")" not in scanner.rest():
        raise ScanError
    while not scanner.literal(")"):
        scanner.skip()
        if scanner.literal("src"):
            src = True
            _parse_range(scanner, nat)
        elif scanner.literal("dst"):
            dst = True
            _parse_range(scanner, nat)
        elif scanner.literal("persistent"):
            nat.persistent = True
        elif scanner.literal("hash"):
            nat.proto_hash = True
        elif scanner.literal("random"):
            nat.proto_random = True
        else:
            raise ScanError
    if (src and dst) or (nat.proto_hash and nat.proto_random):
        raise ScanError
    if any(nat.address_max) and nat.address_max < nat.address_min:
        raise ScanError
    if nat.proto_max and nat.proto_max < nat.proto_min:
        raise ScanError
    nat.direction = n.OVS_NAT_ATTR_SRC if src else n.OVS_NAT_ATTR_DST if dst else 0
    return nat


def _parse_range(scanner: Scanner, nat: actions.Nat) -> None:
    if not scanner.literal("="):
        return
    low = _parse_address(scanner)
    nat.address_min = low
    nat.address_max = b""
    if scanner.literal("-"):
        nat.address_max = _parse_address(scanner)
        if len(nat.address_max) != len(low):
            raise ScanError
    start = scanner.at
    if scanner.literal(":"):
        low_port = scanner.decimal(16)
        if low_port is None:
            scanner.at = start
            return
        nat.proto_min = low_port
        if scanner.literal("-"):
            nat.proto_max = _need(scanner.decimal(16))


def _parse_address(scanner: Scanner) -> bytes:
    ipv4 = scanner.ipv4()
    if ipv4 is not None:
        return ipv4.to_bytes(4, "big")
    bracket = scanner.literal("[")
    ipv6 = _need(scanner.ipv6())
    if bracket:
        scanner.need("]")
    return ipv6.to_bytes(16, "big")
