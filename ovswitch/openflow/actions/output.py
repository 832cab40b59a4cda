# SPDX-License-Identifier: Apache-2.0
"""Where packets go: ports, queues, controllers, groups."""

from __future__ import annotations

import struct

from ovswitch.flow.names import (
    OFPP_CONTROLLER,
    OFPP_IN_PORT,
    OFPP_LOCAL,
    OFPP_MAX,
    port_from_ofp11,
    port_to_ofp11,
)
from ovswitch.openflow.actions import fieldcodec, raws, subfield
from ovswitch.openflow.actions.action import Action
from ovswitch.openflow.actions.colors import colors
from ovswitch.openflow.actions.subfield import Subfield
from ovswitch.openflow.errors import OpenFlowError
from ovswitch.openflow.parse.tokens import ParseError, key_values, u32
from ovswitch.openflow.wire import Cursor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovswitch.openflow.actions.action import Decoder, Parser
    from ovswitch.openflow.actions.context import Checking, Parsing, Printing

MIN_TRUNC = 14  # an Ethernet header

_U16_2 = struct.Struct("!HH")
_OUTPUT11 = struct.Struct("!IH")
_ENQUEUE = struct.Struct("!H6xI")
_OUTPUT_REG = struct.Struct("!HIH")
_TRUNC = struct.Struct("!HI")


def is_output_port(port: int, max_ports: int = OFPP_MAX) -> bool:
    """Return whether packets may be sent to `port`."""
    return port < max_ports or OFPP_IN_PORT <= port <= OFPP_LOCAL


def check_port(port: int, max_ports: int = OFPP_MAX) -> None:
    """Raise OFPBAC_BAD_OUT_PORT unless packets may be sent to `port`."""
    if not is_output_port(port, max_ports):
        raise OpenFlowError("OFPBAC_BAD_OUT_PORT")


class Output(Action):
    """Send the packet to `port`; `max_len` octets of it to a controller."""

    __slots__ = ("max_len", "port")
    keyword = "output"

    def __init__(self, port: int, max_len: int = 0) -> None:
        self.port = port
        self.max_len = max_len

    def encode(self, version: int) -> bytes:  # noqa: D102
        if version == 1:
            return raws.put("output10", 1, _U16_2.pack(self.port, self.max_len))
        body = _OUTPUT11.pack(port_to_ofp11(self.port), self.max_len)
        return raws.put("output11", version, body)

    def format(self, printing: Printing) -> str:  # noqa: D102
        port = printing.port(self.port)
        if self.port < OFPP_MAX:
            return f"{colors.special}output:{colors.end}{port}"
        return f"{port}:{self.max_len}" if self.port == OFPP_CONTROLLER else port

    def check(self, checking: Checking) -> Action:  # noqa: D102
        check_port(self.port, checking.max_ports)
        return self


class OutputReg(Action):
    """Send the packet to the port whose number is in `src`.

    Attributes:
        form: 2 if it came in the newer of two wire forms.
    """

    __slots__ = ("form", "max_len", "src")
    keyword = "output_reg"

    def __init__(self, src: Subfield, max_len: int = 0xFFFF, form: int = 0) -> None:
        self.src = src
        self.max_len = max_len
        self.form = form

    def encode(self, version: int) -> bytes:  # noqa: D102
        ofs_nbits = self.src.put_ofs_nbits()
        header = fieldcodec.nxm_header(self.src.field)
        if self.form == 2 or not header:
            body = _U16_2.pack(ofs_nbits, self.max_len)
            body += fieldcodec.put_header(self.src.field, 0)
            return raws.put("output_reg2", version, body)
        body = _OUTPUT_REG.pack(ofs_nbits, header, self.max_len)
        return raws.put("output_reg", version, body)

    def format(self, printing: Printing) -> str:  # noqa: D102
        return f"{colors.special}output:{colors.end}{self.src}"

    def check(self, checking: Checking) -> Action:  # noqa: D102
        self.src.check_source(checking)
        return self


class OutputTrunc(Action):
    """Send the packet's first `max_len` octets to `port`."""

    __slots__ = ("max_len", "port")
    keyword = "output_trunc"

    def __init__(self, port: int, max_len: int) -> None:
        self.port = port
        self.max_len = max_len

    def encode(self, version: int) -> bytes:  # noqa: D102
        body = _TRUNC.pack(self.port, self.max_len)
        return raws.put("output_trunc", version, body)

    def format(self, printing: Printing) -> str:  # noqa: D102
        port = printing.port(self.port)
        return f"{colors.special}output{colors.end}(port={port},max_len={self.max_len})"

    def check(self, checking: Checking) -> Action:  # noqa: D102
        check_port(self.port, checking.max_ports)
        return self


class Enqueue(Action):
    """Send the packet to `port` through one of its queues."""

    __slots__ = ("port", "queue")
    keyword = "enqueue"

    def __init__(self, port: int, queue: int) -> None:
        self.port = port
        self.queue = queue

    def encode(self, version: int) -> bytes:  # noqa: D102
        if version == 1:
            return raws.put("enqueue", 1, _ENQUEUE.pack(self.port, self.queue))
        return (
            raws.put_number("set_queue", version, self.queue)
            + Output(self.port, 0xFFFF).encode(version)
            + raws.put("pop_queue", version)
        )

    def format(self, printing: Printing) -> str:  # noqa: D102
        port = printing.port(self.port)
        return f"{colors.param}enqueue:{colors.end}{port}:{self.queue}"

    def check(self, checking: Checking) -> Action:  # noqa: D102
        _check_queue_port(self.port, checking.max_ports)
        return self


class Group(Action):
    """Process the packet in a group."""

    __slots__ = ("group_id",)
    keyword = "group"

    def __init__(self, group_id: int) -> None:
        self.group_id = group_id

    def encode(self, version: int) -> bytes:  # noqa: D102
        return raws.put_number("group", version, self.group_id)

    def format(self, printing: Printing) -> str:  # noqa: D102
        return f"{colors.special}group:{colors.end}{self.group_id}"


class SetQueue(Action):
    """Choose the queue of later outputs."""

    __slots__ = ("queue_id",)
    keyword = "set_queue"

    def __init__(self, queue_id: int) -> None:
        self.queue_id = queue_id

    def encode(self, version: int) -> bytes:  # noqa: D102
        return raws.put_number("set_queue", version, self.queue_id)

    def format(self, printing: Printing) -> str:  # noqa: D102
        return f"{colors.param}set_queue:{colors.end}{self.queue_id}"


class PopQueue(Action):
    """Go back to the default queue."""

    __slots__ = ()
    keyword = "pop_queue"

    def encode(self, version: int) -> bytes:  # noqa: D102
        return raws.put("pop_queue", version)

    def format(self, printing: Printing) -> str:  # noqa: D102
        return f"{colors.value}pop_queue{colors.end}"


def _check_queue_port(port: int, max_ports: int) -> None:
    if port >= max_ports and port not in (OFPP_IN_PORT, OFPP_LOCAL):
        raise OpenFlowError("OFPBAC_BAD_OUT_PORT")


def _parse_output(text: str, parsing: Parsing) -> Action:
    if "port" in text and "max_len" in text:
        return _parse_trunc(text, parsing)
    port = parsing.port(text)
    if port is not None:
        return Output(port, 0xFFFF if port == OFPP_CONTROLLER else 0)
    try:
        return OutputReg(subfield.parse(text))
    except ParseError:
        raise ParseError(f"{text}: output to unknown port") from None


def _parse_trunc(text: str, parsing: Parsing) -> Action:
    port: int | None = 0
    max_len = 0
    for key, value in key_values(text):
        if key == "port":
            port = parsing.port(value)
            if port is None:
                raise ParseError(f"output to unknown truncate port: {value}")
            if port > OFPP_MAX and port not in (OFPP_LOCAL, OFPP_IN_PORT):
                raise ParseError(f"output to unsupported truncate port: {value}")
        elif key == "max_len":
            max_len = u32(value)
            if max_len < MIN_TRUNC:
                raise ParseError(
                    f"max_len {max_len} is less than the minimum value {MIN_TRUNC}"
                )
        else:
            raise ParseError(f"invalid key '{key}' in output_trunc argument")
    assert port is not None
    return OutputTrunc(port, max_len)


def _parse_enqueue(text: str, parsing: Parsing) -> Action:
    text = text.lstrip(":q,")
    end = min((at for at in map(text.find, ":q,") if at >= 0), default=len(text))
    port_text, queue = text[:end], text[end + 1 :]
    if not port_text or not queue:
        raise ParseError(
            '"enqueue" syntax is "enqueue:PORT:QUEUE" or "enqueue(PORT,QUEUE)"'
        )
    port = parsing.port(port_text)
    if port is None:
        raise ParseError(f"{port_text}: enqueue to unknown port")
    return Enqueue(port, u32(queue))


def _parse_unnamed_trunc(text: str, parsing: Parsing) -> Action:
    raise ParseError(f"unknown action {text}")


PARSERS: dict[str, Parser] = {
    "output": _parse_output,
    "output_reg": _parse_output,
    "output_trunc": _parse_unnamed_trunc,
    "enqueue": _parse_enqueue,
    "group": lambda text, parsing: Group(u32(text)),
    "set_queue": lambda text, parsing: SetQueue(u32(text)),
    "pop_queue": lambda text, parsing: PopQueue(),
}


def _decode_output10(octets: bytes, number: int, version: int) -> Action:
    port, max_len = _U16_2.unpack_from(octets, 4)
    check_port(port)
    return Output(port, max_len)


def _decode_output11(octets: bytes, number: int, version: int) -> Action:
    number, max_len = _OUTPUT11.unpack_from(octets, 4)
    port = port_from_ofp11(number)
    if port is None:
        raise OpenFlowError("OFPBAC_BAD_OUT_PORT")
    check_port(port)
    return Output(port, max_len)


def _decode_enqueue(octets: bytes, number: int, version: int) -> Action:
    port, queue = _ENQUEUE.unpack_from(octets, 4)
    _check_queue_port(port, OFPP_MAX)
    return Enqueue(port, queue)


def _decode_output_reg(octets: bytes, number: int, version: int) -> Action:
    ofs_nbits, header, max_len = _OUTPUT_REG.unpack_from(octets, 10)
    if any(octets[18:]):
        raise OpenFlowError("OFPBAC_BAD_ARGUMENT")
    field = fieldcodec.pull_nxm_header(header)
    src = subfield.from_ofs_nbits(field, ofs_nbits)
    src.check_source()
    return OutputReg(src, max_len)


def _decode_output_reg2(octets: bytes, number: int, version: int) -> Action:
    cursor = Cursor(octets, 10)
    ofs_nbits, max_len = cursor.u16(), cursor.u16()
    field = fieldcodec.pull_header(cursor)
    if any(cursor.rest()):
        raise OpenFlowError("NXBRC_MUST_BE_ZERO")
    src = subfield.from_ofs_nbits(field, ofs_nbits)
    src.check_source()
    return OutputReg(src, max_len, 2)


def _decode_trunc(octets: bytes, number: int, version: int) -> Action:
    port, max_len = _TRUNC.unpack_from(octets, 10)
    if max_len < MIN_TRUNC:
        raise OpenFlowError("OFPBAC_BAD_ARGUMENT")
    return OutputTrunc(port, max_len)


DECODERS: dict[str, Decoder] = {
    "output10": _decode_output10,
    "output11": _decode_output11,
    "enqueue": _decode_enqueue,
    "output_reg": _decode_output_reg,
    "output_reg2": _decode_output_reg2,
    "output_trunc": _decode_trunc,
    "group": lambda octets, number, version: Group(number),
    "set_queue": lambda octets, number, version: SetQueue(number),
    "pop_queue": lambda octets, number, version: PopQueue(),
}
