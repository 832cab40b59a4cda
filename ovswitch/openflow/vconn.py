# SPDX-License-Identifier: Apache-2.0
"""One OpenFlow connection: framing, hello, the version of each message.

No socket: octets go in with `feed`, messages come out, and what must be sent gathers in
`take_output`. The peer's buffer holds at most one message (65,535 octets) beyond what
one `feed` brought.

HELLO       our hello is out, the peer's is awaited.
CONNECTED   a version is agreed on; messages pass.
CLOSED      `error` is an errno, and there may be a last message to send.

Source: OpenFlow 1.5.1 §6.3.1; texts as the reference logs them.
"""

from __future__ import annotations

import struct

from ovswitch.openflow import errors
from ovswitch.openflow.version import (
    ALL_VERSIONS,
    format_bitmap,
    highest,
)
from ovswitch.runtime import coverage, vlog

_HEADER = struct.Struct("!BBHI")
_ELEMENT = struct.Struct("!HH")
_HEADER_SIZE = 8

OFPT_HELLO, OFPT_ERROR, OFPT_ECHO_REQUEST, OFPT_ECHO_REPLY = range(4)
_ANY_VERSION = (OFPT_HELLO, OFPT_ERROR, OFPT_ECHO_REQUEST, OFPT_ECHO_REPLY)
_OFPHET_VERSIONBITMAP = 1

EPROTO, ECONNRESET = 71, 104

HELLO, CONNECTED, CLOSED = "HELLO", "CONNECTED", "CLOSED"

_log = vlog.Module("vconn")
_stream_log = vlog.Module("vconn_stream")
_limit = vlog.RateLimit(600, 600)
_bad_limit = vlog.RateLimit(1, 5)
_received = coverage.Counter("vconn_received")
_sent = coverage.Counter("vconn_sent")


def encode_hello(allowed: int, xid: int = 1) -> bytes:
    """Return a hello that offers the versions in the bitmap `allowed`.

    The bitmap itself is sent only where the highest version doesn't say it all.
    """
    body = b""
    if (allowed >> 1) & (allowed >> 1) + 1:
        body = _ELEMENT.pack(_OFPHET_VERSIONBITMAP, 8) + allowed.to_bytes(4, "big")
    return _HEADER.pack(highest(allowed), OFPT_HELLO, 8 + len(body), xid) + body


def decode_hello(message: bytes) -> tuple[int, bool]:
    """Return the versions that a hello offers, and whether all of it made sense."""
    version = message[0]
    offered = (1 << version + 1) - 2 if version < 32 else 0xFFFFFFFE
    offset = _HEADER_SIZE
    understood = True
    while offset < len(message):
        if len(message) - offset < _ELEMENT.size:
            return offered, False
        kind, size = _ELEMENT.unpack_from(message, offset)
        if size < _ELEMENT.size or offset + size > len(message):
            return offered, False
        if kind == _OFPHET_VERSIONBITMAP:
            bitmap = message[offset + 4 : offset + 8]
            value = int.from_bytes(bitmap, "big") & ~1 if len(bitmap) == 4 else 0
            if value:
                offered = value
            else:
                understood = False
        else:
            understood = False
        offset += size + 7 & ~7
    return offered, understood


def describe(versions: int) -> str:
    """Return a set of versions as the log and the peer are told of it."""
    if not versions:
        return "no versions"
    text = f"0x{highest(versions):02x}"
    if versions & versions - 1 == 0:
        return f"version {text}"
    if (versions >> 1) & (versions >> 1) + 1 == 0:
        return f"version {text} and earlier"
    return f"versions {format_bitmap(versions)}"


class Vconn:
    """One connection.

    Attributes:
        name: for logs.
        version: the wire version agreed on, 0 until then.
        state: HELLO, CONNECTED or CLOSED; `error` says why it closed.
    """

    __slots__ = (
        "_buffer",
        "_output",
        "allowed",
        "error",
        "name",
        "peer_versions",
        "state",
        "version",
    )

    def __init__(self, name: str, allowed: int = ALL_VERSIONS) -> None:
        self.name = name
        self.allowed = allowed or ALL_VERSIONS
        self.version = 0
        self.peer_versions = 0
        self.state = HELLO
        self.error = 0
        self._buffer = bytearray()
        self._output: list[bytes] = []
        self.send(encode_hello(self.allowed))

    def send(self, message: bytes) -> None:
        """Queue a message for sending."""
        if _log.is_dbg():
            self._log_message("sent (Success)", message)
        _sent.add()
        self._output.append(message)

    def take_output(self) -> bytes:
        """Return what must be sent, and forget it."""
        output = b"".join(self._output)
        self._output.clear()
        return output

    def feed(self, octets: bytes) -> list[bytes]:
        """Take what the peer sent; return the whole messages for our user."""
        if self.state is CLOSED:
            return []
        buffer = self._buffer
        buffer += octets
        messages: list[bytes] = []
        offset = 0
        while len(buffer) - offset >= _HEADER_SIZE and self.state is not CLOSED:
            size = buffer[offset + 2] << 8 | buffer[offset + 3]
            if size < _HEADER_SIZE:
                _stream_log.err_rl(
                    _bad_limit,
                    "received too-short ofp_header (%d bytes)",
                    size,
                )
                self._close(EPROTO)
                break
            if len(buffer) - offset < size:
                break
            self._take(bytes(buffer[offset : offset + size]), messages)
            offset += size
        del buffer[:offset]
        return messages

    def end_of_stream(self) -> None:
        """Note that the peer closed the connection."""
        if self.state is HELLO:
            self._close(ECONNRESET)
        elif self._buffer and self.state is CONNECTED:
            _stream_log.err_rl(_bad_limit, "connection dropped mid-packet")
            self._close(EPROTO)

    def _close(self, error: int) -> None:
        self.state = CLOSED
        self.error = error

    def _log_message(self, what: str, message: bytes) -> None:
        # Printing knows every message; only debugging needs it.
        from ovswitch.openflow.text import format_message

        text = format_message(message, verbosity=1)
        _log.dbg_rl(_limit, "%s: %s: %s", self.name, what, text)

    def _take(self, message: bytes, messages: list[bytes]) -> None:
        _received.add()
        if _log.is_dbg():
            self._log_message("received", message)
        if self.state is HELLO:
            self._take_hello(message)
        elif message[0] == self.version or message[1] in _ANY_VERSION:
            messages.append(message)
        else:
            _log.err_rl(
                _bad_limit,
                "%s: received OpenFlow version 0x%02x != expected %02x",
                self.name,
                message[0],
                self.version,
            )
            self.send(errors.encode_reply("OFPBRC_BAD_VERSION", message))

    def _take_hello(self, message: bytes) -> None:
        if message[1] != OFPT_HELLO:
            from ovswitch.openflow.text import format_message

            _log.warn_rl(
                _bad_limit,
                "%s: received message while expecting hello: %s",
                self.name,
                format_message(message, verbosity=1),
            )
            self._close(EPROTO)
            return
        self.peer_versions, understood = decode_hello(message)
        if not understood:
            _log.warn_rl(_bad_limit, "%s: unknown data in hello", self.name)
        common = self.peer_versions & self.allowed
        local, peer = describe(self.allowed), describe(self.peer_versions)
        if common:
            self.version = highest(common)
            self.state = CONNECTED
            _log.dbg(
                "%s: negotiated OpenFlow version 0x%02x (we support %s, peer "
                "supports %s)",
                *(self.name, self.version, local, peer),
            )
            return
        _log.warn_rl(
            _bad_limit,
            "%s: version negotiation failed (we support %s, peer supports %s)",
            *(self.name, local, peer),
        )
        text = f"We support {local}, you support {peer}, no common versions."
        self.send(
            errors.encode_hello(
                "OFPHFC_INCOMPATIBLE", highest(self.peer_versions), text
            )
        )
        self._close(EPROTO)
