# SPDX-License-Identifier: Apache-2.0
"""probe, ping, benchmark: whether a peer answers, and how fast."""

from __future__ import annotations

import posix
import sys

from ovswitch.openflow.parse.tokens import atoi
from ovswitch.runtime import clock, fatal
from ovswitch.tools.ofctl.connection import encode, open_switch, xid_of
from ovswitch.tools.ofctl.settings import settings

_HEADER_SIZE = 8
_MAX_PAYLOAD = 65535 - _HEADER_SIZE
_N_PINGS = 10
_OFPT_ECHO_REPLY = 3


def _payload_size(text: str) -> int:
    size = atoi(text)
    if not 0 <= size <= _MAX_PAYLOAD:
        fatal.die(f"payload must be between 0 and {_MAX_PAYLOAD} bytes")
    return size


def probe(words: list[str]) -> None:
    """Tell whether TARGET is up: probe TARGET."""
    connection = open_switch(words[1])
    request = encode("ECHO_REQUEST", connection.version)
    reply = connection.transact(request, f"talking to {words[1]}")
    if len(reply) != _HEADER_SIZE:
        fatal.die("reply does not match request")
    connection.close()


def ping(words: list[str]) -> None:
    """Send ten echo requests of N octets: ping TARGET [N]."""
    size = _payload_size(words[2]) if len(words) > 2 else 64
    connection = open_switch(words[1])
    for _ in range(_N_PINGS):
        payload = posix.urandom(size)
        request = encode("ECHO_REQUEST", connection.version, payload)
        start = clock.seconds()
        reply = connection.transact(request, "transact")
        elapsed_ms = (clock.seconds() - start) * 1000
        if reply[1] != _OFPT_ECHO_REPLY or reply[_HEADER_SIZE:] != payload:
            _print_mismatch(request, reply)
        sys.stdout.write(
            f"{len(reply) - _HEADER_SIZE} bytes from {words[1]}: "
            f"xid={xid_of(reply):08x} time={elapsed_ms:.1f} ms\n"
        )
    connection.close()


def _print_mismatch(request: bytes, reply: bytes) -> None:
    from ovswitch.openflow.text import format_message

    verbosity = settings.verbosity + 2
    sys.stdout.write("Reply does not match request.  Request:\n")
    sys.stdout.write(format_message(request, verbosity))
    sys.stdout.write("Reply:\n")
    sys.stdout.write(format_message(reply, verbosity))


def benchmark(words: list[str]) -> None:
    """Send COUNT echo requests of N octets: benchmark TARGET N COUNT."""
    size, count = _payload_size(words[2]), atoi(words[3])
    message_size = size + _HEADER_SIZE
    sys.stdout.write(
        f"Sending {count} packets * {message_size} bytes (with header) = "
        f"{count * message_size & 0xFFFFFFFF} bytes total\n"
    )
    connection = open_switch(words[1])
    start = clock.seconds()
    for _ in range(count):
        request = encode("ECHO_REQUEST", connection.version, bytes(size))
        connection.transact(request, "transact")
    duration = (clock.seconds() - start) * 1000 or 0.001
    connection.close()
    sys.stdout.write(
        f"Finished in {duration:.1f} ms ({count / (duration / 1000):.0f} packets/s) "
        f"({count * message_size / (duration / 1000):.0f} bytes/s)\n"
    )
