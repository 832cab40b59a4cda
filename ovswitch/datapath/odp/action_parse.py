# SPDX-License-Identifier: Apache-2.0
"""Datapath actions from text, as dpctl/add-flow and dpctl/parse-actions take them."""

from __future__ import annotations

from ovswitch.datapath import netlink
from ovswitch.datapath.odp import actions as act
from ovswitch.datapath.odp import cookie as c
from ovswitch.datapath.odp import numbers as n
from ovswitch.datapath.odp.ct_text import parse_ct
from ovswitch.datapath.odp.key_parse import (
    MAX_NESTED,
    OdpError,
    check_size,
    pack_nsh,
    parse_attribute,
)
from ovswitch.datapath.odp.scan import DELIMITERS, ScanError, Scanner
from ovswitch.datapath.odp.tnl_push_text import parse_tnl_push

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ovswitch.datapath.odp.key_parse import PortNumbers

_MIN_USERDATA = 8  # what every datapath takes
_MAX_MD2 = 248  # octets of metadata of type 2
_MAX_MD2_DIGITS = 511
_HEX = frozenset("0123456789abcdefABCDEF")


def parse_actions(text: str, ports: PortNumbers | None = None) -> bytes:
    """Return the actions' attributes.

    Raises: OdpError: with an errno and no text of its own. The number is negative
        (-1 reads as "End of file") where an action is followed by no delimiter.
    """
    if text.lower() == "drop":
        return act.drop()
    scanner = Scanner(text)
    octets = b""
    try:
        while True:
            scanner.skip()
            if not scanner.peek():
                return octets
            start = scanner.at
            octets += _parse_one(scanner, ports, 1)
            check_size(len(octets))
            if scanner.peek() and scanner.peek() not in DELIMITERS:
                # The reference returns the action's length for an error number.
                raise ScanError(start - scanner.at)
    except ScanError as error:
        raise OdpError(error.errno, "") from error


def _parse_list(scanner: Scanner, ports: PortNumbers | None, depth: int) -> bytes:
    """Take actions up to a closing parenthesis, and that.

    Raises: ScanError.
    """
    octets = b""
    while True:
        scanner.skip()
        if scanner.literal(")"):
            return octets
        octets += _parse_one(scanner, ports, depth + 1)
        check_size(len(octets))


def _parse_one(scanner: Scanner, ports: PortNumbers | None, depth: int) -> bytes:
    """Take one action.

    Raises: ScanError.
    """
    if depth >= MAX_NESTED:
        raise ScanError
    port = scanner.integer(32)
    if port is not None:
        return act.output(port)
    if ports is not None:
        start = scanner.at
        name = scanner.until(DELIMITERS)
        if name in ports:
            return act.output(ports[name])
        scanner.at = start
    for word, parse in _PLAIN:
        if scanner.literal(word):
            return parse(scanner)
    for word, nested in _NESTED:
        if scanner.literal(word):
            return nested(scanner, ports, depth)
    raise ScanError


def _need(value: int | None) -> int:
    if value is None:
        raise ScanError
    return value


def _field(scanner: Scanner, name: str, bits: int) -> int:
    scanner.need(name)
    return _need(scanner.integer(bits))


def _constant(octets: bytes) -> Callable[[Scanner], bytes]:
    return lambda _scanner: octets


def _one_number(
    build: Callable[[int], bytes], bits: int = 32
) -> Callable[[Scanner], bytes]:
    def parse(scanner: Scanner) -> bytes:
        value = _need(scanner.integer(bits))
        scanner.need(")")
        return build(value)

    return parse


def _one_decimal(build: Callable[[int], bytes]) -> Callable[[Scanner], bytes]:
    def parse(scanner: Scanner) -> bytes:
        value = _need(scanner.decimal(32))
        scanner.need(")")
        return build(value)

    return parse


def _parse_push_vlan(scanner: Scanner) -> bytes:
    tpid = 0x8100
    if scanner.literal("tpid="):
        tpid = _need(scanner.integer(32))
        scanner.need(",")
    vid = _field(scanner, "vid=", 32)
    pcp = _field(scanner, ",pcp=", 32)
    cfi = _need(scanner.integer(32)) if scanner.literal(",cfi=") else 1
    scanner.need(")")
    if vid >> 12 or pcp >> 3:
        raise ScanError
    tci = vid | pcp << 13 | (0x1000 if cfi else 0)
    return act.push_vlan(tpid & 0xFFFF, tci)


def _parse_add_mpls(scanner: Scanner) -> bytes:
    label = _field(scanner, "label=", 32)
    tc = _decimal_field(scanner, ",tc=")
    ttl = _decimal_field(scanner, ",ttl=")
    bos = _decimal_field(scanner, ",bos=")
    scanner.need(",eth_type=0x")
    eth_type = _need(scanner.hexadecimal(16))
    scanner.need(")")
    lse = (label << 12 | tc << 9 | ttl | bos << 8) & 0xFFFFFFFF
    return act.add_mpls(lse, eth_type)


def _decimal_field(scanner: Scanner, name: str) -> int:
    scanner.need(name)
    return _need(scanner.decimal(8))


def _parse_push_nsh(scanner: Scanner) -> bytes:
    fields = {"flags": 0, "ttl": 63, "mdtype": 1, "np": 3, "spi": 0, "si": 255}
    contexts = [0, 0, 0, 0]
    metadata = b""
    while True:
        scanner.skip()
        if scanner.literal(")"):
            break
        if _parse_nsh_field(scanner, fields):
            continue
        if fields["mdtype"] == 1:
            _parse_context(scanner, contexts)
        elif scanner.literal("md2=0x"):
            digits = scanner.run(_HEX, _MAX_MD2_DIGITS)
            octets = bytes.fromhex(digits[: len(digits) & ~1])
            if len(octets) > _MAX_MD2:
                raise ScanError
            metadata = octets + bytes(-len(octets) % 4)
        else:
            raise ScanError
    head = bytes(fields[name] for name in ("flags", "ttl", "mdtype", "np"))
    path = (fields["spi"] & 0xFFFFFF) << 8 | fields["si"]
    base = head + path.to_bytes(4, "big")
    if fields["mdtype"] == 1:
        octets = b"".join(context.to_bytes(4, "big") for context in contexts)
        return act.push_nsh(pack_nsh(base, octets))
    inner = pack_nsh(base, b"")
    if metadata:
        inner += netlink.attr(n.OVS_NSH_KEY_ATTR_MD2, metadata)
    return act.push_nsh(inner)


def _parse_nsh_field(scanner: Scanner, fields: dict[str, int]) -> bool:
    for name in fields:
        if not scanner.literal(name + "="):
            continue
        if name == "spi":
            scanner.need("0x")
            fields[name] = _need(scanner.hexadecimal(32))
        else:
            fields[name] = _need(scanner.integer(8))
        if name == "mdtype" and fields[name] not in (1, 2):
            raise ScanError
        return True
    return False


def _parse_context(scanner: Scanner, contexts: list[int]) -> None:
    for i in range(4):
        if scanner.literal(f"c{i + 1}=0x"):
            contexts[i] = _need(scanner.hexadecimal(32))
            return
    raise ScanError


def _parse_userspace(scanner: Scanner) -> bytes:
    pid = _field(scanner, "pid=", 32)
    userdata = _parse_cookie(scanner)
    include_actions = scanner.literal(",actions")
    port = n.ODPP_NONE
    if scanner.literal(",tunnel_out_port="):
        port = _need(scanner.integer(32))
    scanner.need(")")
    return act.userspace(
        pid, userdata, tunnel_out_port=port, include_actions=include_actions
    )


def _parse_cookie(scanner: Scanner) -> bytes:
    """Take what the packet is for; without it the cookie is all zeros."""
    for word, parse in _COOKIES:
        start = scanner.at
        if scanner.literal(word):
            try:
                return parse(scanner)
            except ScanError:
                scanner.at = start
                raise
    return bytes(c.SIZE)


def _parse_sflow(scanner: Scanner) -> bytes:
    vid = _field(scanner, "vid=", 32)
    pcp = _field(scanner, ",pcp=", 32)
    output = _field(scanner, ",output=", 32)
    scanner.need(")")
    tci = (vid | pcp << 13) & 0xFFFF
    return c.sflow(tci | 0x1000 if tci else 0, output)


def _parse_slow_path(scanner: Scanner) -> bytes:
    names = tuple(name for name, _ in c.SLOW_PATH_REASONS)
    found = scanner.flags(names, (1 << len(names)) - 1, masked=False)
    if found is None:
        raise ScanError
    scanner.need(")")
    return c.slow_path(found[0])


def _parse_flow_sample(scanner: Scanner) -> bytes:
    probability = _field(scanner, "probability=", 32) & 0xFFFF
    collector = _field(scanner, ",collector_set_id=", 32)
    domain = _field(scanner, ",obs_domain_id=", 32)
    point = _field(scanner, ",obs_point_id=", 32)
    port = _field(scanner, ",output_port=", 32)
    direction = c.NX_ACTION_SAMPLE_DEFAULT
    if scanner.literal(",ingress"):
        direction = c.NX_ACTION_SAMPLE_INGRESS
    elif scanner.literal(",egress"):
        direction = c.NX_ACTION_SAMPLE_EGRESS
    scanner.need(")")
    return c.flow_sample(probability, collector, domain, point, port, direction)


def _parse_ipfix(scanner: Scanner) -> bytes:
    port = _field(scanner, "output_port=", 32)
    scanner.need(")")
    return c.ipfix(port)


def _parse_controller(scanner: Scanner) -> bytes:
    values = []
    for name, bits in (
        ("reason=", 16),
        (",dont_send=", 8),
        (",continuation=", 8),
        (",recirc_id=", 32),
        (",rule_cookie=", 64),
        (",controller_id=", 16),
        (",max_len=", 16),
    ):
        scanner.need(name)
        is_hex = name == ",rule_cookie="
        take = scanner.hexadecimal if is_hex else scanner.decimal
        values.append(_need(take(bits)))
    scanner.need(")")
    reason, dont_send, continuation, recirc_id, rule_cookie, ident, max_len = values
    return c.controller(
        reason, dont_send, continuation, recirc_id, rule_cookie, ident, max_len
    )


def _parse_userdata(scanner: Scanner) -> bytes:
    octets = scanner.hex_octets()
    scanner.need(")")
    return octets.ljust(_MIN_USERDATA, b"\0")


_COOKIES: tuple[tuple[str, Callable[[Scanner], bytes]], ...] = (
    (",sFlow(", _parse_sflow),
    (",slow_path(", _parse_slow_path),
    (",flow_sample(", _parse_flow_sample),
    (",ipfix(", _parse_ipfix),
    (",controller(", _parse_controller),
    (",userdata(", _parse_userdata),
)


def _parse_set(scanner: Scanner, ports: PortNumbers | None, depth: int) -> bytes:
    """Take a key attribute; one that isn't fully masked becomes a masked set."""
    attribute, mask = parse_attribute(scanner, ports, depth=depth + 1)
    scanner.need(")")
    [(number, payload)] = netlink.walk(attribute)[0]
    [(_, mask_payload)] = netlink.walk(mask)[0]
    if len(payload) == len(mask_payload) and mask_payload != b"\xff" * len(payload):
        return act.set_masked(number, payload, mask_payload)
    return act.set_key(number, payload)


def _parse_sample(scanner: Scanner, ports: PortNumbers | None, depth: int) -> bytes:
    word = scanner.until("%")
    try:
        percentage = float(word)
    except ValueError as error:
        raise ScanError from error
    scanner.need("%,actions(")
    if not 0.0 <= percentage <= 100.0:
        raise ScanError
    probability = int(0xFFFFFFFF * (percentage / 100.0) + 0.5)
    inner = _parse_list(scanner, ports, depth)
    scanner.need(")")
    return act.sample(min(probability, 0xFFFFFFFF), inner)


def _parse_clone(scanner: Scanner, ports: PortNumbers | None, depth: int) -> bytes:
    return act.clone(_parse_list(scanner, ports, depth))


def _parse_check_pkt_len(
    scanner: Scanner, ports: PortNumbers | None, depth: int
) -> bytes:
    size = _need(scanner.integer(16))
    scanner.need(",gt(")
    greater = _parse_branch(scanner, ports, depth)
    scanner.need(",le(")
    less_equal = _parse_branch(scanner, ports, depth)
    scanner.need(")")
    return act.check_pkt_len(size, greater, less_equal)


def _parse_branch(scanner: Scanner, ports: PortNumbers | None, depth: int) -> bytes:
    if scanner.rest()[:4].lower() == "drop":
        scanner.at += 4
        scanner.need(")")
        return b""
    return _parse_list(scanner, ports, depth)


_PLAIN: tuple[tuple[str, Callable[[Scanner], bytes]], ...] = (
    ("lb_output(", _one_decimal(act.lb_output)),
    ("trunc(", _one_number(act.trunc)),
    ("recirc(", _one_decimal(act.recirc)),
    ("userspace(", _parse_userspace),
    ("push_vlan(", _parse_push_vlan),
    ("pop_vlan", _constant(act.POP_VLAN)),
    ("meter(", _one_number(act.meter)),
    ("push_nsh(", _parse_push_nsh),
    ("pop_nsh()", _constant(act.POP_NSH)),
    ("tnl_pop(", _one_number(act.tnl_pop)),
    ("ct_clear", _constant(act.CT_CLEAR)),
    ("ct", parse_ct),
    ("add_mpls(", _parse_add_mpls),
    ("tnl_push(", parse_tnl_push),
)
_NESTED: tuple[tuple[str, Callable[[Scanner, PortNumbers | None, int], bytes]], ...] = (
    ("set(", _parse_set),
    ("sample(sample=", _parse_sample),
    ("clone(", _parse_clone),
    ("check_pkt_len(size=", _parse_check_pkt_len),
)
