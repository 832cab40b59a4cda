# SPDX-License-Identifier: Apache-2.0
"""Bundles: changes that a switch makes all at once, or not at all."""

from __future__ import annotations

import struct
import sys

from ovswitch.openflow import errors, raws
from ovswitch.openflow import protocol as protocols
from ovswitch.openflow.errors import OpenFlowError
from ovswitch.openflow.parse.files import open_lines, preprocessed_lines
from ovswitch.openflow.parse.flow import BY_TEXT, parse_flow_mod
from ovswitch.openflow.parse.packet_out import parse_packet_out
from ovswitch.openflow.parse.tokens import ParseError
from ovswitch.openflow.text import format_message
from ovswitch.runtime import fatal
from ovswitch.tools.ofctl import names
from ovswitch.tools.ofctl.connection import (
    Connection,
    encode,
    encode_message,
    xid_of,
)
from ovswitch.tools.ofctl.protocol import open_for_flows
from ovswitch.tools.ofctl.settings import settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ovswitch.flow.names import Names
    from ovswitch.openflow.messages.base import Message

_OPEN, _COMMIT, _DISCARD = 0, 4, 6
_FLAGS = 3  # atomic, ordered
_BUNDLE = 0
_CONTROL = struct.Struct("!IHH")
_ADD = struct.Struct("!I2xH")
_EPROTO = 71
_MAX_QUEUED = 65536  # octets
_BLANKS = " \t\r\n"


class _Bundle:
    """A bundle on a switch, and the errors that it met."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._version = connection.version
        self.errors: list[bytes] = []
        self._n_queued = 0  # octets that wait for the next send

    def _wait(self, xid: int) -> bytes:
        """Return the reply with an id; keep errors that come before it."""
        while True:
            message = self._connection.receive(f"talking to {self._connection.target}")
            if xid_of(message) == xid:
                return message
            if raws.parse(message, partial=True).raw.type == "ERROR":
                self.errors.append(message)

    def control(self, kind: int) -> bool:
        """Open, commit or discard; return whether the switch agreed."""
        body = _CONTROL.pack(_BUNDLE, kind, _FLAGS)
        request = encode("BUNDLE_CONTROL", self._version, body)
        self._connection.send(request)
        reply = self._wait(xid_of(request))
        try:
            header = raws.parse(reply, partial=True)
        except OpenFlowError:
            return False
        if header.raw.type == "ERROR":
            self.errors.append(reply)
            return False
        expected = _CONTROL.pack(_BUNDLE, kind + 1, 0)[:6]
        return header.raw.type == "BUNDLE_CONTROL" and (
            reply[header.body : header.body + 6] == expected
        )

    def add(self, message: bytes) -> None:
        """Add a message, whose id the request shares."""
        raw = raws.find("BUNDLE_ADD_MESSAGE", self._version)
        body = _ADD.pack(_BUNDLE, _FLAGS) + message
        request = raws.put(raw, self._version, xid_of(message), body)
        self._n_queued += len(request)
        if self._n_queued < _MAX_QUEUED:
            self._connection.queue(request)
        else:
            self._n_queued = 0
            self._connection.send(request)

    def settle(self) -> None:
        """Wait until the switch has read everything."""
        barrier = encode("BARRIER_REQUEST", self._version)
        self._connection.send(barrier)
        self._wait(xid_of(barrier))


def _print_errors(bundle: _Bundle, requests: Sequence[bytes], target: str) -> None:
    """Print each error and the message that it is about."""
    by_xid = {xid_of(request): request for request in requests}
    write = sys.stderr.write
    sys.stdout.flush()
    for message in bundle.errors:
        decoded = errors.decode(message)
        if decoded is None:
            write("***decode error***")
            continue
        name, payload = decoded
        about = by_xid.get(xid_of(message), payload)
        shown = names.names_to_show(target)
        text = format_message(about, settings.verbosity + 1, shown)
        write(f"Error {name} for: {text}")
    sys.stderr.flush()


def commit(connection: Connection, requests: Sequence[bytes]) -> None:
    """Make changes all at once; print what went wrong and die if anything did."""
    bundle = _Bundle(connection)
    done = bundle.control(_OPEN)
    if done:
        for request in requests:
            bundle.add(request)
        bundle.settle()
        done = not bundle.errors
        agreed = bundle.control(_COMMIT if done else _DISCARD)
        done = done and agreed
    _print_errors(bundle, requests, connection.target)
    if not done:
        fatal.die(f"talking to {connection.target}", error=_EPROTO)


def _parse_line(line: str, known: Names) -> tuple[Message, int]:
    """Return the message of a line, and the protocols that can say it."""
    line = line.lstrip(_BLANKS)
    size = 0
    while size < len(line) and line[size] not in ", \t\r\n":
        size += 1
    word, rest = line[:size], line[size:]
    if "flow".startswith(word):  # as the reference: a prefix will do
        return parse_flow_mod(rest, BY_TEXT, known)
    if "packet-out".startswith(word):
        return parse_packet_out(rest, known)
    raise ParseError(f"Unsupported bundle message type: {word}")


def parse_bundle_file(name: str, known: Names) -> tuple[list[Message], int]:
    """Return a file's messages, and the protocols that can say them all.

    Raises:
        ParseError: with the text for the user.
    """
    try:
        lines = open_lines(name)
    except OSError as error:
        text = fatal.retval_text(error.errno or 0)
        raise ParseError(f"{name}: open failed ({text})") from None
    messages = []
    usable = protocols.ANY
    for number, line in preprocessed_lines(lines):
        try:
            message, line_usable = _parse_line(line, known)
        except ValueError as error:
            raise ParseError(f"{name}:{number}: {error}") from None
        messages.append(message)
        usable &= line_usable
    return messages, usable


def bundle(words: list[str]) -> None:
    """Make the changes of a file at once: bundle SWITCH FILE."""
    try:
        messages, usable = parse_bundle_file(words[2], names.names_to_accept(words[1]))
    except ParseError as error:
        names.insist(words[1])
        fatal.die(str(error))
    settings.prefer_bundles()
    settings.restrict_versions(protocols.versions_of(protocols.OF13_UP))
    settings.protocols = protocols.of_versions(settings.versions)
    connection, protocol = open_for_flows(words[1], usable & protocols.OF13_UP)
    commit(connection, [encode_message(message, protocol) for message in messages])
    connection.close()
