# SPDX-License-Identifier: Apache-2.0
"""ofproto/trace: a packet's way through the pipeline, told line by line.

`Tracer` parses the command's arguments and writes the text; the translation itself
fills in the lines (`Context.report`). A flow alone has no side effects; with a packet
the switch learns from it, and controllers get their packet-ins.

Source: the reference's ofproto-dpif-trace.c for the format, and ovs-vswitchd(8).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovswitch.datapath import netlink
from ovswitch.datapath.odp import numbers as n
from ovswitch.datapath.odp.action_text import format_actions as format_odp
from ovswitch.datapath.odp.cookie import SLOW_PATH_REASONS
from ovswitch.datapath.odp.key_decode import KeyDecodeError, to_flow
from ovswitch.datapath.odp.key_parse import OdpError, parse_key
from ovswitch.flow import flags
from ovswitch.flow.layout import FLOW_MASK, HEADERS_MASK, SLOTS
from ovswitch.flow.match import Match
from ovswitch.flow.names import OFPP_MAX
from ovswitch.flow.text import format_flow, format_match
from ovswitch.flow.values import format_ipv4, format_ipv6
from ovswitch.ofproto.backer_error import NoSwitchError
from ovswitch.ofproto.exact_flow import parse_exact_flow
from ovswitch.ofproto.xlate import context as c
from ovswitch.ofproto.xlate import headers as h
from ovswitch.ofproto.xlate import pipeline
from ovswitch.openflow import actions as ofactions
from ovswitch.openflow.actions import types as t
from ovswitch.openflow.errors import OpenFlowError
from ovswitch.packet.compose import compose
from ovswitch.packet.extract import extract

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ovswitch.ofproto.backer import Backer
    from ovswitch.ofproto.ofproto import Ofproto

_WIDTH = 79
_DEFAULT_L7_SIZE = 64
_MAX_L7_SIZE = 64000
_ETH_HEADER_LEN = 14
_CT_STATE = SLOTS["ct_state"]
_CT_ZONE = SLOTS["ct_zone"]
_CS_NEW, _CS_ESTABLISHED, _CS_REPLY, _CS_INVALID, _CS_TRACKED = 1, 2, 8, 16, 32
_NAT_SRC, _NAT_DST = 1, 2
_PREFIXES = {c.DETAIL: " -> {}", c.WARN: " >> {}", c.ERROR: " >>>> {} <<<<"}
_BRANCHES = frozenset((c.BRIDGE, c.TABLE, c.THAW))


class TraceError(Exception):
    """The request makes no sense; the text is for the user."""


class Request:
    """What to trace.

    Attributes:
        flow: with the OpenFlow in_port.
        packet: its octets, or None for a flow only.
        ct_states: what the connection tracker finds, one recirculation after another.
        names: whether to show ports by name.
        consistent: whether trace-packet-out checks its actions strictly.
    """

    __slots__ = ("consistent", "ct_states", "flow", "names", "ofproto", "packet")

    def __init__(self) -> None:
        self.ofproto: Ofproto
        self.flow = 0
        self.packet: bytes | None = None
        self.ct_states: list[int] = []
        self.names = False
        self.consistent = False


class _Options:
    """What stands before and between the arguments."""

    __slots__ = ("arguments", "ct_states", "flags", "generate", "l7")

    def __init__(self) -> None:
        self.arguments: list[str] = []
        self.generate = False
        self.l7: bytes | None = None
        self.flags: set[str] = set()
        self.ct_states: list[int] = []

    @classmethod
    def parse(cls, arguments: list[str], known: tuple[str, ...]) -> _Options:
        """Take the options out of `arguments`; `known` are flags beside the usual."""
        options = cls()
        rest = iter(arguments)
        for argument in rest:
            name = "--" + argument.lstrip("-")
            if argument in {"-generate", "--generate"}:
                options.generate = True
            elif argument in {"--l7", "--l7-len", "--ct-next"}:
                value = next(rest, None)
                if value is None:
                    raise TraceError(f"Missing argument for option {argument}")
                options._set(argument, value)
            elif name in known and argument in {name, name[1:]}:
                options.flags.add(name)
            elif argument.startswith("-"):
                raise TraceError(f"{argument}: unknown option")
            elif len(options.arguments) >= 3:
                raise TraceError("too many arguments")
            else:
                options.arguments.append(argument)
        return options

    def _set(self, option: str, value: str) -> None:
        if option == "--l7":
            payload, rest = _parse_hex(value)
            if rest:
                raise TraceError("Trailing garbage in packet data")
            self.l7 = payload
        elif option == "--l7-len":
            size = _atoi(value)
            if not 0 <= size <= _MAX_L7_SIZE:
                raise TraceError(f"{value}: too much L7 data")
            self.l7 = _filler(size)
        else:
            self.ct_states.append(_parse_ct_state(value))


def _atoi(text: str) -> int:
    text = text.strip()
    end = 1 if text[:1] in {"-", "+"} else 0
    while end < len(text) and text[end] in "0123456789":
        end += 1
    return int(text[:end]) if text[:end].strip("+-") else 0


def _filler(size: int) -> bytes:
    return bytes(index & 0xFF for index in range(size))


def _parse_hex(text: str) -> tuple[bytes, str]:
    """Return the octets that `text` begins with, and what follows them."""
    octets = bytearray()
    at = 0
    while True:
        while at < len(text) and text[at] in " .:\t\r\n":
            at += 1
        pair = text[at : at + 2]
        if len(pair) < 2 or not all(char in _HEX_DIGITS for char in pair):
            return bytes(octets), text[at:]
        octets.append(int(pair, 16))
        at += 2


_HEX_DIGITS = frozenset("0123456789abcdefABCDEF")


def _parse_packet(text: str) -> bytes:
    octets, rest = _parse_hex(text)
    if rest:
        raise TraceError("Trailing garbage in packet data")
    if len(octets) < _ETH_HEADER_LEN:
        raise TraceError("Packet data too short for Ethernet")
    return octets


def _parse_ct_state(text: str) -> int:
    """Return the flags that "trk,est" names, if they go together."""
    bits = {name: bit for bit, name in flags.CT_STATE_NAMES.items()}
    state = 0
    for name in text.replace(",", " ").split():
        if name not in bits:
            raise TraceError(f"{name}: unknown connection tracking state flag")
        state |= bits[name]
    shown = flags.format_flags(flags.CT_STATE_NAMES, state) if state else ""
    wrong = ""
    for is_wrong, why in (
        (
            state and not state & _CS_TRACKED,
            'If "trk" is unset, no other flags are set',
        ),
        (
            state & _CS_INVALID and state & ~(_CS_TRACKED | _CS_INVALID),
            'when "inv" is set, only "trk" may also be set',
        ),
        (
            state & _CS_NEW and state & _CS_ESTABLISHED,
            '"new" and "est" are mutually exclusive',
        ),
        (
            state & _CS_NEW and state & _CS_REPLY,
            '"new" and "rpy" are mutually exclusive',
        ),
    ):
        if is_wrong:
            wrong += f"{shown}: invalid connection state: {why}\n"
    if wrong:
        raise TraceError(wrong)
    return state


class Tracer:
    """Traces through the switches of some backers.

    `backers` is by type ("dummy"); it may change between calls.
    """

    __slots__ = ("_backers",)

    def __init__(self, backers: Mapping[str, Backer]) -> None:
        self._backers = backers

    def command(self, arguments: list[str]) -> str:
        """Carry out `ofproto/trace`. Raises: TraceError."""
        request = self.parse(arguments, ("--names",))
        return trace(request)

    def packet_out_command(self, arguments: list[str]) -> str:
        """Carry out `ofproto/trace-packet-out`. Raises: TraceError."""
        *rest, text = arguments
        try:
            actions, protocols = ofactions.parse(text, instructions=False)
        except ValueError as error:
            raise TraceError(str(error)) from None
        request = self.parse(rest, ("--names", "--consistent"))
        in_port = h.IN_PORT.get(request.flow)
        if 0xFF00 <= in_port < OFPP_MAX:
            raise TraceError("invalid in_port")
        match = Match(request.flow, FLOW_MASK)
        try:
            actions = ofactions.check(
                actions, match, protocols if request.consistent else 0, table_id=0
            )
            request.ofproto.tables.check_actions(actions)
        except OpenFlowError as error:
            raise TraceError(f"Bad actions: {error.name}") from None
        return trace(request, actions)

    def parse(self, arguments: list[str], known: tuple[str, ...]) -> Request:
        """Return what the arguments ask for. Raises: TraceError."""
        options = _Options.parse(arguments, known)
        words = options.arguments
        request = Request()
        request.names = "--names" in options.flags
        request.consistent = "--consistent" in options.flags
        request.ct_states = options.ct_states
        packet = None
        if not options.generate and len(words) > 1:
            try:
                packet = _parse_packet(words[-1])
                words = words[:-1]
            except TraceError:
                if len(words) > 2:
                    raise
        backer = self._find_backer(words)
        self._parse_flow(request, words, backer)
        if options.generate:
            l7 = options.l7 if options.l7 is not None else _filler(_DEFAULT_L7_SIZE)
            request.packet = compose(request.flow, l7)
        elif packet is not None:
            request.packet = packet
            request.flow = extract(packet, request.flow & _METADATA)
        return request

    def _find_backer(self, words: list[str]) -> Backer | None:
        if len(words) == 2:
            return self._backers.get(words[0].removeprefix("ovs-"))
        if len(words) == 1:
            only = list(self._backers.values())
            return only[0] if len(only) == 1 else None
        raise TraceError("Syntax error")

    def _parse_flow(
        self, request: Request, words: list[str], backer: Backer | None
    ) -> None:
        """Read the flow, which is the datapath's or, with a bridge, OpenFlow's."""
        text = words[-1]
        ports = backer.port_numbers() if backer is not None else None
        try:
            key, _ = parse_key(text, ports)
        except OdpError as error:
            if len(words) != 2:
                raise TraceError(f"{error} (or the bridge name was omitted)") from None
            self._parse_bridge_flow(request, words[0], text)
            return
        if backer is None:
            raise TraceError("Cannot find the datapath")
        try:
            request.flow, _ = to_flow(key)
            request.ofproto, in_port = backer.find_ofproto(request.flow)
        except (KeyDecodeError, NoSwitchError) as error:
            raise TraceError(str(error)) from None
        request.flow = h.IN_PORT.put(request.flow, in_port)

    def _parse_bridge_flow(self, request: Request, name: str, text: str) -> None:
        ofproto = self.find(name)
        if ofproto is None:
            raise TraceError(f"{name}: unknown bridge")
        request.ofproto = ofproto
        ports = ofproto.names().ports
        try:
            request.flow = parse_exact_flow(text, ports, ofproto.tun_table)
        except ValueError as error:
            raise TraceError(f"Bad openflow flow syntax: {error}") from None

    def find(self, name: str) -> Ofproto | None:
        """Return the switch called `name`."""
        for backer in self._backers.values():
            ofproto = backer.ofprotos.get(name)
            if ofproto is not None:
                return ofproto
        return None


_METADATA = h.without(HEADERS_MASK)


def trace(request: Request, actions: tuple[t.Action, ...] | None = None) -> str:
    """Return the text of a trace, with all recirculations that follow from it."""
    forks: list[tuple[int, int, int, t.Action | None]] = []
    ofproto = request.ofproto
    text = _trace_once(request, request.flow, actions, forks)
    states = list(request.ct_states)
    while forks:
        flow, recirc_id, zone, nat = forks.pop(0)
        flow = h.RECIRC_ID.put(_CT_ZONE.put(flow, zone), recirc_id)
        flow, heading = _resume(flow, recirc_id, nat, states)
        text += heading
        text += _trace_once(request, flow, None if actions is None else actions, forks)
        ofproto.backer.recirc.unref(recirc_id, ofproto.clock())
    return text


def _trace_once(
    request: Request,
    flow: int,
    actions: tuple[t.Action, ...] | None,
    forks: list[tuple[int, int, int, t.Action | None]],
) -> str:
    ofproto = request.ofproto
    nodes: list[c.TraceNode] = []
    ctx = c.Context(
        ofproto,
        flow,
        ofproto.clock(),
        packet=request.packet,
        trace=nodes,
        tcp_flags=SLOTS["tcp_flags"].get(flow),
    )
    ctx.names = ofproto.names() if request.names else None
    ctx.forks = forks
    ports = ctx.names.ports if ctx.names is not None else None
    before = len(forks)
    initial = ctx.flow
    lines = [f"Flow: {format_flow(initial, ports)}\n"]
    pipeline.translate(ctx, actions)
    for _, recirc_id, _, _ in forks[before:]:
        ofproto.backer.recirc.ref(recirc_id)
    _print_nodes(lines, nodes, 0)
    final = "unchanged" if ctx.flow == initial else format_flow(ctx.flow, ports)
    lines.append(f"\nFinal flow: {final}\n")
    megaflow = format_match(Match(flow, ctx.wildcards), ports)
    lines.append(f"Megaflow: {megaflow}\n")
    odp_names = ofproto.backer.port_names() if request.names else None
    lines.append(f"Datapath actions: {format_odp(ctx.odp, odp_names)}")
    if ctx.error:
        reason = c.ERROR_TEXTS[ctx.error]
        lines.append(f"\nTranslation failed ({reason}), packet is dropped.\n")
    else:
        if ctx.slow:
            lines.append(_explain_slow_path(ctx.slow))
        if request.packet is not None:
            lines.append(_execute(ctx, request.packet, initial))
    ofproto.backer.recirc.release(ctx.recircs, ctx.now)
    return "".join(lines)


def _print_nodes(lines: list[str], nodes: list[c.TraceNode], level: int) -> None:
    for node in nodes:
        if node.kind == c.BRIDGE:
            lines.append("\n")
        more = node is not nodes[-1] or node.kind not in _BRANCHES
        indent = " " * (level + more) * 4
        text = _PREFIXES.get(node.kind, "{}").format(node.text)
        lines.append(f"{indent}{text}\n")
        if node.kind == c.BRIDGE:
            lines.append(f"{indent}{'-' * len(node.text)}\n")
        _print_nodes(lines, node.subs, level + more + more)


def _explain_slow_path(slow: int) -> str:
    text = "\nThis flow is handled by the userspace slow path because it:"
    for bit, (_, explanation) in enumerate(SLOW_PATH_REASONS):
        if slow >> bit & 1:
            text += f"\n  - {explanation}."
    return text


def _execute(ctx: c.Context, packet: bytes, flow: int) -> str:
    """Let the datapath do what has an effect outside it: tell controllers."""
    pruned = prune_outputs(b"".join(ctx.odp))
    error = ctx.ofproto.backer.udpif.execute_on(ctx.ofproto, packet, flow, pruned)
    return f"\nAction execution failed ({error})\n." if error else ""


def prune_outputs(actions: bytes) -> bytes:
    """Return datapath actions without outputs and recirculations."""
    kept = b""
    for kind, payload in netlink.walk(actions)[0]:
        if kind == n.OVS_ACTION_ATTR_CLONE:
            kept += netlink.attr(kind, prune_outputs(payload))
        elif kind not in {n.OVS_ACTION_ATTR_OUTPUT, n.OVS_ACTION_ATTR_RECIRC}:
            kept += netlink.attr(kind, payload)
    return kept


def _resume(
    flow: int, recirc_id: int, nat: t.Action | None, states: list[int]
) -> tuple[int, str]:
    """Return what the connection tracker makes of a flow, and the heading."""
    line = "=" * _WIDTH
    text = f"\n\n{line}\nrecirc({recirc_id:#x}) - resume conntrack with "
    if states:
        state = states.pop(0)
        shown = flags.format_flags(flags.CT_STATE_NAMES, state)
        text += f"ct_state={shown}"
    else:
        state = _CS_TRACKED | _CS_NEW
        text += "default ct_state=trk|new (use --ct-next to customize)"
    text += "\n"
    flow = _CT_STATE.put(flow, state)
    if isinstance(nat, t.Nat):
        text += "Replacing src/dst IP/ports to simulate NAT:\n"
        text += f" Initial flow: {_ip_flow(flow, nat.range_af)}\n"
        flow = _translate_address(flow, nat)
        text += f" Modified flow: {_ip_flow(flow, nat.range_af)}\n"
    return flow, f"{text}{line}\n\n"


def _translate_address(flow: int, nat: t.Nat) -> int:
    """Return the flow with the first address and port of a NAT range."""
    for bit, v4, v6, port in (
        (_NAT_SRC, h.NW_SRC, h.IPV6_SRC, h.TP_SRC),
        (_NAT_DST, h.NW_DST, h.IPV6_DST, h.TP_DST),
    ):
        if not nat.flags & bit:
            continue
        if nat.range_af == 4:
            flow = v4.put(flow, nat.addr_min)
        elif nat.range_af == 6:
            flow = v6.put(flow, nat.addr_min)
        if nat.range_af and nat.proto_min:
            flow = port.put(flow, nat.proto_min)
    return flow


def _ip_flow(flow: int, family: int) -> str:
    src_port, dst_port = h.TP_SRC.get(flow), h.TP_DST.get(flow)
    if family == 4:
        src, dst = format_ipv4(h.NW_SRC.get(flow)), format_ipv4(h.NW_DST.get(flow))
        return f"nw_src={src},tp_src={src_port},nw_dst={dst},tp_dst={dst_port}"
    if family == 6:
        src, dst = format_ipv6(h.IPV6_SRC.get(flow)), format_ipv6(h.IPV6_DST.get(flow))
        return f"ipv6_src=[{src}],tp_src={src_port},ipv6_dst=[{dst}],tp_dst={dst_port}"
    return ""
