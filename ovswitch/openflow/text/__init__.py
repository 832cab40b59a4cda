# SPDX-License-Identifier: Apache-2.0
"""OpenFlow messages as text, octet for octet as the reference's ofp-print prints them.

    format_message(octets, verbosity, names) -> str      any octets, even broken ones

A module a family of messages, loaded when needed. Printers print as they decode: what
comes before an error is shown, then the error, then the octets.
"""

from __future__ import annotations

from ovswitch.openflow import families, raws
from ovswitch.openflow.errors import OpenFlowError
from ovswitch.openflow.text.output import Out, hex_dump
from ovswitch.openflow.version import OF13, label
from ovswitch.openflow.wire import Cursor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ovswitch.flow.names import Names

    Printer = Callable[[Out, raws.Header, Cursor], None]

__all__ = ["Out", "format_message", "hex_dump"]

_printers: families.Functions[Printer] = families.printers()


def _title(header: raws.Header) -> str:
    return f"{header.raw.name}{label(header.version)} (xid={header.xid:#x}):"


def _stats_flags(out: Out, header: raws.Header) -> None:
    flags = header.flags
    if not flags:
        return
    out.put(" flags=")
    can_say_more = header.raw.is_reply or header.version >= OF13
    if can_say_more and flags & raws.REPLY_MORE:
        out.put("[more]")
        flags &= ~raws.REPLY_MORE
    if flags:
        out.put(f"[***unknown flags 0x{flags:04x}***]")


def _add_newline(text: str) -> str:
    return text if not text or text.endswith("\n") else text + "\n"


def _format_whole(octets: bytes, verbosity: int, names: Names | None) -> str:
    """Return the text of octets whose size is what their header says."""
    error = ""
    text = ""
    try:
        header = raws.parse(octets)
    except OpenFlowError as e:
        error = e.name
    else:
        text = _title(header)
        out = Out(verbosity, names)
        _stats_flags(out, header)
        printer = _printers.find(header.raw.type)
        try:
            if printer is not None:
                printer(out, header, Cursor(octets, header.body))
        except OpenFlowError as e:
            error = e.name
        body = out.text()
        if not error:
            text = (text + body).removesuffix(" ")
        elif body:
            text = _add_newline((text + body).removesuffix(" "))
        else:
            text += " "
    if error:
        text += f"***decode error: {error}***\n"
    if verbosity >= 5 or error:
        text = _add_newline(text) + hex_dump(octets)
    return _add_newline(text)


def format_message(
    octets: bytes, verbosity: int = 0, names: Names | None = None
) -> str:
    """Return a message as text, which ends in a newline.

    Args:
        octets: a message, or what claims to be one.
        verbosity: 0 and up; more prints packets, then octets.
        names: to use for ports and tables.
    """
    size = len(octets)
    if not size:
        return "OpenFlow message is empty\n"
    if size < raws.HEADER_SIZE:
        text = f"OpenFlow packet too short (only {size} bytes):\n"
        return text + hex_dump(octets)
    claimed = int.from_bytes(octets[2:4], "big")
    if claimed == size:
        return _format_whole(octets, verbosity, names)
    if claimed > size:
        try:
            text = _title(raws.parse(octets, partial=True)) + "\n"
        except OpenFlowError:
            text = ""
        text += f"(***truncated to {size} bytes from {claimed}***)\n"
    else:
        text = f"(***only uses {claimed} bytes out of {size}***)\n"
    return text + hex_dump(octets)
