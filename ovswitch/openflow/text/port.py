# SPDX-License-Identifier: Apache-2.0
"""Printing switches' features and ports."""

from __future__ import annotations

from ovswitch.flow.names import format_port
from ovswitch.openflow import action_bits
from ovswitch.openflow.codec import decode_body
from ovswitch.openflow.errors import OpenFlowError
from ovswitch.openflow.messages import features, port, port_stats
from ovswitch.openflow.messages.base import U32
from ovswitch.openflow.text.output import bit_names, duration, eth
from ovswitch.openflow.wire import Cursor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovswitch.openflow import raws
    from ovswitch.openflow.text.output import Out

_CONFIG = {
    port.PORT_DOWN: "PORT_DOWN",
    port.NO_STP: "NO_STP",
    port.NO_RECV: "NO_RECV",
    port.NO_RECV_STP: "NO_RECV_STP",
    port.NO_FLOOD: "NO_FLOOD",
    port.NO_FWD: "NO_FWD",
    port.NO_PACKET_IN: "NO_PACKET_IN",
}
_STATE = {
    port.LINK_DOWN: "LINK_DOWN",
    port.BLOCKED: "BLOCKED",
    port.LIVE: "LIVE",
}
_STP = {port.STP_LEARN: "STP_LEARN", port.STP_FORWARD: "STP_FORWARD"}


def _state(state: int) -> str:
    stp = state & port.STP_MASK
    if not stp:
        return bit_names(state, _STATE)
    # The reference puts nothing between the two.
    text = _STP.get(stp, "STP_BLOCK")
    rest = state & ~port.STP_MASK
    return text + (bit_names(rest, _STATE) if rest else "")


def _visible(name: str) -> str:
    """Return a port's name up to its first unprintable character."""
    for i, character in enumerate(name):
        if not " " <= character <= "~":
            return name[:i]
    return name


def format_phy_port(desc: port.PhyPort) -> str:
    """Return a port's description, several lines."""
    number, name = format_port(desc.port_no), _visible(desc.name)
    lines = [
        f" {number}({name}): addr:{eth(desc.hw_addr)}",
        f"     config:     {bit_names(desc.config, _CONFIG)}",
        f"     state:      {_state(desc.state)}",
    ]
    for title, links in (
        ("current:    ", desc.curr),
        ("advertised: ", desc.advertised),
        ("supported:  ", desc.supported),
        ("peer:       ", desc.peer),
    ):
        if links:
            lines.append(f"     {title}{bit_names(links, port.FEATURES)}")
    now, most = desc.curr_speed // 1000, desc.max_speed // 1000
    lines.append(f"     speed: {now} Mbps now, {most} Mbps max")
    return "\n".join(lines) + "\n"


def _ports(out: Out, version: int, cursor: Cursor) -> None:
    """Print descriptions by number; those before an error too."""
    ports = []
    error = None
    try:
        while cursor.left:
            ports.append(port.take_port(version, cursor))
    except OpenFlowError as e:
        error = e
    ports.sort(key=lambda desc: desc.port_no)
    for desc in ports:
        out.put(format_phy_port(desc))
    if error is not None:
        raise error


def _features(out: Out, header: raws.Header, cursor: Cursor) -> None:
    fixed = Cursor(cursor.octets, cursor.offset, cursor.offset + 24)
    reply = decode_body(header, fixed)
    assert isinstance(reply, features.FeaturesReply)
    cursor.skip(24)
    out.put(f" dpid:{reply.datapath_id:016x}\n")
    out.put(f"n_tables:{reply.n_tables}, n_buffers:{reply.n_buffers}")
    if reply.auxiliary_id:
        out.put(f", auxiliary_id:{reply.auxiliary_id}")
    names = bit_names(reply.capabilities, features.CAPABILITIES)
    out.put(f"\ncapabilities: {names}\n")
    if reply.actions:
        out.put(f"actions: {action_bits.format_names(reply.actions)}\n")
    _ports(out, header.version, cursor)


_STATUS_REASONS = ("ADD", "DEL", "MOD")


def _status(out: Out, header: raws.Header, cursor: Cursor) -> None:
    status = decode_body(header, cursor)
    assert isinstance(status, port.PortStatus)
    out.put(f" {_STATUS_REASONS[status.reason]}:{format_phy_port(status.desc)}")


def _mod(out: Out, header: raws.Header, cursor: Cursor) -> None:
    mod = decode_body(header, cursor)
    assert isinstance(mod, port.PortMod)
    out.put(f" port: {out.port(mod.port_no)}: addr:{eth(mod.hw_addr)}\n")
    out.put(f"     config: {bit_names(mod.config, _CONFIG)}\n")
    out.put(f"     mask:   {bit_names(mod.mask, _CONFIG)}\n")
    advertise = bit_names(mod.advertise, port.FEATURES)
    out.put(f"     advertise: {advertise if mod.advertise else 'UNCHANGED'}\n")


def _desc_request(out: Out, header: raws.Header, cursor: Cursor) -> None:
    request = decode_body(header, cursor)
    assert isinstance(request, port.PortDescRequest)
    out.put(f" port={out.port(request.port_no)}")


def _desc_reply(out: Out, header: raws.Header, cursor: Cursor) -> None:
    out.put("\n")
    _ports(out, header.version, cursor)


def _stats_request(out: Out, header: raws.Header, cursor: Cursor) -> None:
    request = decode_body(header, cursor)
    assert isinstance(request, port_stats.PortStatsRequest)
    out.put(f" port_no={out.port(request.port_no)}")


_RX = (
    ("pkts", "rx_packets"),
    ("bytes", "rx_bytes"),
    ("drop", "rx_dropped"),
    ("errs", "rx_errors"),
    ("frame", "rx_frame_errors"),
    ("over", "rx_over_errors"),
    ("crc", "rx_crc_errors"),
)
_TX = (
    ("pkts", "tx_packets"),
    ("bytes", "tx_bytes"),
    ("drop", "tx_dropped"),
    ("errs", "tx_errors"),
    ("coll", "collisions"),
)
_SIZES = (
    "1_to_64_packets",
    "65_to_127_packets",
    "128_to_255_packets",
    "256_to_511_packets",
    "512_to_1023_packets",
    "1024_to_1522_packets",
    "1523_to_max_packets",
)
_RFC2819_RX = (
    *((name, f"rx_{name}") for name in _SIZES),
    ("broadcast_packets", "rx_broadcast_packets"),
    ("undersized_errors", "rx_undersized_errors"),
    ("oversize_errors", "rx_oversize_errors"),
    ("rx_fragmented_errors", "rx_fragmented_errors"),
    ("rx_jabber_errors", "rx_jabber_errors"),
)
_RFC2819_TX = (
    *((name, f"tx_{name}") for name in _SIZES),
    ("multicast_packets", "tx_multicast_packets"),
    ("broadcast_packets", "tx_broadcast_packets"),
)
_INDENT = " " * 11


def format_port_stats(out: Out, stats: port_stats.PortStats) -> str:
    """Return a port's statistics, several lines."""

    def row(names: tuple[tuple[str, str], ...]) -> str:
        return ", ".join(f"{name}={stats.counters.get(c, '?')}" for name, c in names)

    space = " " if stats.port_no < 10 else ""
    text = f"  port {space}{out.port(stats.port_no)}: rx {row(_RX)}\n"
    text += f"{_INDENT}tx {row(_TX)}\n"
    if stats.duration_sec != U32:
        age = duration(stats.duration_sec, stats.duration_nsec)
        text += f"{_INDENT}duration={age}\n"
    for direction, names in (("rx", _RFC2819_RX), ("tx", _RFC2819_TX)):
        known = "".join(
            f"{name}={stats.counters[counter]}, "
            for name, counter in names
            if counter in stats.counters
        )
        if known:
            text += f"{_INDENT}{direction} rfc2819 {known}\n"
    if stats.custom:
        text += f"{_INDENT}CUSTOM Statistics"
        for i, (name, value) in enumerate(stats.custom):
            if name:
                text += " " if i % 3 else "\n" + " " * 22
                text += f"{name}={value},"
        text += "\n"
    return text


def _stats_reply(out: Out, header: raws.Header, cursor: Cursor) -> None:
    n_ports = 0
    ahead = Cursor(cursor.octets, cursor.offset)
    try:
        while ahead.left:
            port_stats.take(header, ahead)
            n_ports += 1
    except OpenFlowError:
        pass  # What can be read is counted; printing meets the error again.
    out.put(f" {n_ports} ports\n")
    while out.verbosity >= 1 and cursor.left:
        out.put(format_port_stats(out, port_stats.take(header, cursor)))


PRINTERS = {
    "FEATURES_REPLY": _features,
    "PORT_STATUS": _status,
    "PORT_MOD": _mod,
    "PORT_DESC_STATS_REQUEST": _desc_request,
    "PORT_DESC_STATS_REPLY": _desc_reply,
    "PORT_STATS_REQUEST": _stats_request,
    "PORT_STATS_REPLY": _stats_reply,
}
