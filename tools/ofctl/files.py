# SPDX-License-Identifier: Apache-2.0
"""Commands that read messages and packets from files, or make packets."""

from __future__ import annotations

import sys

from ovswitch.openflow.parse.tokens import atoi, hex_octets
from ovswitch.runtime import clock, fatal, vlog_output
from ovswitch.tools.ofctl.parsing import hex_lines
from ovswitch.tools.ofctl.settings import settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_HEADER_SIZE = 8
_PORTS = (6653, 6633)
_ETH_TYPE_IP, _IPPROTO_TCP = 0x0800, 6
_SYN, _FIN = 0x02, 0x01
_MAX_PACKET = 65535


def _read(name: str) -> bytes:
    """Return a file's octets, or the standard input's for "-".

    Raises:
        OSError: the file can't be read.
    """
    if name == "-":
        return sys.stdin.buffer.read()
    with open(name, "rb") as file:
        return file.read()


def ofp_parse(words: list[str]) -> None:
    """ofp-parse FILE: print the OpenFlow messages of a stream."""
    from ovswitch.openflow.text import format_message

    name = words[1]
    try:
        octets = _read(name)
    except OSError as error:
        fatal.die(f"{name}: open", error=error.errno or 0)
    at = 0
    while at < len(octets):
        size = int.from_bytes(octets[at + 2 : at + 4], "big")
        is_whole = at + _HEADER_SIZE <= len(octets)
        if is_whole and size < _HEADER_SIZE:
            sys.stdout.flush()
            fatal.die(f"{name}: {size}-byte message is too short for OpenFlow")
        if not is_whole or at + size > len(octets):
            sys.stdout.flush()
            fatal.die(f"{name}: unexpected end of file mid-message")
        text = format_message(octets[at : at + size], settings.verbosity + 2)
        sys.stdout.write(text)
        at += size


class _TcpStream:
    """One direction of a TCP connection."""

    __slots__ = ("next", "payload")

    def __init__(self, sequence: int) -> None:
        self.next = sequence
        self.payload = b""


def _tcp_segment(packet: bytes, start: int, end: int) -> tuple[int, int, bytes]:
    """Return a segment's sequence number, flags and payload."""
    sequence = int.from_bytes(packet[start + 4 : start + 8], "big")
    header_size = packet[start + 12] >> 4 << 2
    return sequence, packet[start + 13], packet[start + header_size : end]


def _tcp_payloads(
    octets: bytes, ports: list[str]
) -> Iterator[tuple[int, int, _TcpStream]]:
    """Yield (time in microseconds, flow, stream) when a stream has something new."""
    from ovswitch.flow.layout import SLOTS
    from ovswitch.packet import extract, pcap

    wanted = [atoi(port) for port in ports] or _PORTS
    key_slots = [SLOTS[name] for name in ("nw_src", "nw_dst", "tp_src", "tp_dst")]
    dl_type, nw_proto = SLOTS["dl_type"], SLOTS["nw_proto"]
    streams: dict[tuple[int, ...], _TcpStream] = {}
    for when, packet in pcap.read(octets):
        parsed = extract.parse(packet)
        flow = parsed.flow
        if dl_type.get(flow) != _ETH_TYPE_IP or nw_proto.get(flow) != _IPPROTO_TCP:
            continue
        key = tuple(slot.get(flow) for slot in key_slots)
        if parsed.l4 < 0 or not (key[2] in wanted or key[3] in wanted):
            continue
        sequence, flags, payload = _tcp_segment(packet, parsed.l4, parsed.end)
        if flags & _SYN:
            streams[key] = _TcpStream(sequence + 1 & 0xFFFFFFFF)
            continue
        stream = streams.get(key)
        if stream is None:
            stream = streams[key] = _TcpStream(sequence)
        if flags & _FIN:
            del streams[key]
        if sequence == stream.next:
            stream.payload += payload
            stream.next = stream.next + len(payload) & 0xFFFFFFFF
            yield when, flow, stream


def ofp_parse_pcap(words: list[str]) -> None:
    """ofp-parse-pcap FILE [PORT...]: print the OpenFlow messages of a capture."""
    from ovswitch.packet.pcap import PcapError

    try:
        octets = _read(words[1])
    except OSError as error:
        fatal.die(f"{words[1]}: open failed", error=error.errno or 0)
    is_first = True
    try:
        for when, flow, stream in _tcp_payloads(octets, words[2:]):
            while _print_first(stream, when, flow, is_first):
                is_first = False
    except PcapError as error:
        from ovswitch.runtime import vlog

        vlog.Module("pcap").warn("%s", error)
        if error.in_header:
            fatal.die(f"{words[1]}: open failed", error=error.number)


def _print_first(stream: _TcpStream, when: int, flow: int, is_first: bool) -> bool:
    """Print and take a stream's first message, if all of it is there."""
    from ovswitch.flow.layout import SLOTS
    from ovswitch.flow.values import format_ipv4
    from ovswitch.openflow.text import format_message

    size = int.from_bytes(stream.payload[2:4], "big")
    if len(stream.payload) < max(size, _HEADER_SIZE) or size < _HEADER_SIZE:
        return False
    message, stream.payload = stream.payload[:size], stream.payload[size:]
    if not is_first:
        sys.stdout.write("\n")
    if settings.timestamp:
        text = vlog_output.format_time("%H:%M:%S.### ", when // 1000, utc=True)
        sys.stdout.write(text)
    source, destination = (
        f"{format_ipv4(SLOTS['nw_' + end].get(flow))}.{SLOTS['tp_' + end].get(flow)}"
        for end in ("src", "dst")
    )
    sys.stdout.write(f"{source} > {destination}:\n")
    sys.stdout.write(format_message(message, settings.verbosity + 1))
    return True


def parse_pcap(words: list[str]) -> int:
    """parse-pcap FILE...: print the flow of each packet."""
    status = 0
    for name in words[1:]:
        status = _print_flows(name) or status
    return status & 0xFF


def _print_flows(name: str) -> int:
    """Print the flows of a capture's packets; return an error number or 0."""
    from ovswitch.flow.layout import SLOTS
    from ovswitch.flow.names import OFPP_NONE
    from ovswitch.flow.text import format_flow
    from ovswitch.packet import extract, pcap
    from ovswitch.runtime import vlog

    log = vlog.Module("pcap")
    in_port = SLOTS["in_port"].put(0, OFPP_NONE)
    try:
        octets = _read(name)
    except OSError as error:
        number = error.errno or 0
        text = fatal.retval_text(number)
        log.warn("%s: failed to open pcap file for reading (%s)", name, text)
        fatal.report(f"{name}: open failed", number)
        return number
    try:
        for _, packet in pcap.read(octets):
            flow = extract.extract(packet, in_port)
            sys.stdout.write(format_flow(flow) + "\n")
    except pcap.PcapError as error:
        sys.stdout.flush()
        log.warn("%s", error)
        if error.in_header:
            fatal.report(f"{name}: open failed", error.number)
        elif error.number == pcap.EOF:
            return 0
        else:
            fatal.report(f"{name}: read failed", error.number)
        return error.number
    return 0


def compose_packet(words: list[str]) -> int:
    """compose-packet FLOW [PAYLOAD]: print a packet with a flow."""
    from ovswitch.flow.layout import SLOTS
    from ovswitch.flow.names import OFPP_NONE
    from ovswitch.flow.text import format_flow
    from ovswitch.ofproto.exact_flow import parse_exact_flow
    from ovswitch.packet import compose, extract, pcap

    if settings.pcap and sys.stdout.isatty():
        fatal.die(
            "not writing pcap data to stdout; redirect to a file or pipe to tcpdump "
            "instead"
        )
    try:
        flow = parse_exact_flow(words[1])
    except ValueError as error:
        fatal.die(str(error))
    payload = None
    if len(words) > 2:
        payload, rest = hex_octets(words[2])
        if rest:
            fatal.die(f"{words[2]}: trailing garbage in packet data")
    packet = compose.compose(flow, payload)
    if settings.pcap:
        sys.stdout.buffer.write(
            pcap.file_header() + pcap.record(clock.wall() * 1000, packet)
        )
        sys.stdout.buffer.flush()
    else:
        sys.stdout.write(hex_lines(packet))
    found = extract.extract(packet, SLOTS["in_port"].put(0, OFPP_NONE))
    if found == flow:
        return 0
    sys.stdout.flush()
    sys.stderr.write(
        "specified and extracted flows differ:\n"
        f"specified: {format_flow(flow)}\nextracted: {format_flow(found)}"
    )
    return 1


def parse_packet(_words: list[str]) -> None:
    """parse-packet < PACKET."""
    from ovswitch.openflow.text.packet import format_packet

    sys.stdout.write(format_packet(sys.stdin.buffer.read(_MAX_PACKET)))
