# SPDX-License-Identifier: Apache-2.0
"""monitor, snoop: print the messages that a switch sends, until told to exit.

This is a daemon in the making: `--detach` and unixctl commands work, and all output
goes to stderr, which stays open.
"""

from __future__ import annotations

import asyncio
import os
import sys
from typing import TYPE_CHECKING

from ovswitch.openflow import raws
from ovswitch.openflow import version as versions
from ovswitch.openflow.messages.core import SetPacketInFormat
from ovswitch.openflow.messages.flow_monitor import FlowMonitorRequest
from ovswitch.openflow.parse.monitor import parse_flow_monitor
from ovswitch.openflow.parse.packet_out import parse_packet_out
from ovswitch.openflow.parse.tokens import atoi, hex_octets
from ovswitch.runtime import clock, fatal, loop, vlog_output
from ovswitch.runtime.unixctl import CommandError, commands, server
from ovswitch.tools.ofctl import names
from ovswitch.tools.ofctl.change import fetch_config, set_config
from ovswitch.tools.ofctl.connection import (
    Connection,
    dump,
    encode,
    encode_message,
    open_snoop,
    open_switch,
    print_message,
)
from ovswitch.tools.ofctl.protocol import die_of_formats
from ovswitch.tools.ofctl.settings import settings

if TYPE_CHECKING:
    from ovswitch.openflow.messages.packet_in import PacketIn

_HEADER_SIZE = 8
_ECHO_REQUEST, _PACKET_IN = 2, 10
_NXT, _NXT2 = 1, 2
_MAX_MISS_LEN = 0xFFFF
_WITH_INVALID_TTL = 1 << versions.OF10 | 1 << versions.OF11 | 1 << versions.OF12


# What `monitor`'s arguments ask for.


def _watch(connection: Connection, text: str, number: int) -> None:
    """Ask for news of flows, and print what is there already."""
    try:
        monitor, usable = parse_flow_monitor(
            text, number, names.names_to_accept(connection.name)
        )
    except ValueError as error:
        names.insist(connection.name)
        fatal.die(str(error))
    if not usable & settings.protocols:
        die_of_formats(usable)
    request = encode_message(FlowMonitorRequest([monitor]), connection.protocol)
    if settings.verbosity:
        print_message(request, None, 2)
    dump(connection, request)
    sys.stdout.flush()


def _set_miss_len(connection: Connection, size: int) -> None:
    config = fetch_config(connection)
    config.miss_send_len = size & _MAX_MISS_LEN
    set_config(connection, config)


def _want_invalid_ttl(connection: Connection) -> None:
    if fetch_config(connection).invalid_ttl_to_controller:
        return
    config = fetch_config(connection)
    config.invalid_ttl_to_controller = True
    set_config(connection, config)
    if not fetch_config(connection).invalid_ttl_to_controller:
        fatal.die(
            "setting invalid_ttl_to_controller failed (this switch probably doesn't "
            "support this flag)"
        )


def _restrict_versions(words: list[str]) -> None:
    if "invalid_ttl" not in words:
        return
    if not settings.versions & _WITH_INVALID_TTL:
        fatal.die(
            "invalid_ttl requires one of the OpenFlow versions "
            f"{versions.format_names(_WITH_INVALID_TTL)} but none is enabled (use -O)"
        )
    settings.restrict_versions(_WITH_INVALID_TTL)


def _set_packet_in_format(connection: Connection) -> None:
    """Ask for packet-ins in the user's format, or the best that the switch knows."""

    def request(packet_in_format: int) -> bytes:
        message = SetPacketInFormat(packet_in_format)
        return encode_message(message, connection.protocol)

    if settings.packet_in_format is not None:
        connection.tell([request(settings.packet_in_format)])
        return
    refused = connection.transact_noreply(request(_NXT2))
    if refused and connection.version == versions.OF10:
        connection.transact_noreply(request(_NXT))


def monitor(words: list[str]) -> None:
    """Print a switch's messages: monitor SWITCH [MISSLEN] [invalid_ttl] [watch:...]."""
    _restrict_versions(words[2:])
    connection = open_switch(words[1])
    resumes = False
    n_watches = 0
    for word in words[2:]:
        if word[:1].isdigit():
            _set_miss_len(connection, atoi(word))
        elif word == "invalid_ttl":
            _want_invalid_ttl(connection)
        elif word.startswith("watch:"):
            _watch(connection, word.removeprefix("watch:"), n_watches)
            n_watches += 1
        elif word == "resume":
            resumes = True
            _set_miss_len(connection, _MAX_MISS_LEN)
        else:
            fatal.die(f'{word}: unsupported "monitor" argument')
    _set_packet_in_format(connection)
    Monitor(connection, answers=True, resumes=resumes).run()


def snoop(words: list[str]) -> None:
    """Print what a switch and its controllers say: snoop SWITCH."""
    settings.names = False
    Monitor(open_snoop(words[1]), answers=False, resumes=False).run()


# Following the switch.


def _write(text: str) -> None:
    sys.stderr.write(text)


def _read_message(text: str) -> bytes:
    octets, rest = hex_octets(text)
    if rest:
        raise ValueError("Trailing garbage in hex data")
    if len(octets) < _HEADER_SIZE:
        raise ValueError("Message too short for OpenFlow")
    if len(octets) != int.from_bytes(octets[2:4], "big"):
        raise ValueError("Message size does not match length in OpenFlow header")
    return octets


class Monitor:
    """Prints what arrives on a connection and carries out unixctl commands.

    Args:
        connection: where messages come from.
        answers: whether echo requests are answered.
        resumes: whether packets with continuations are sent back.
    """

    def __init__(self, connection: Connection, *, answers: bool, resumes: bool) -> None:
        self._connection = connection
        self._answers = answers
        self._resumes = resumes
        self._blocked = False
        self._barrier: asyncio.Future[None] | None = None

    def run(self) -> None:
        """Do it until the `exit` command."""
        from ovswitch.tools.ovs_ofctl import make_daemon

        daemon = make_daemon()
        daemon.save_fd(2)
        sys.stdout.flush()
        daemon.start()

        async def main() -> None:
            self._exiting = asyncio.Event()
            try:
                control = await server.serve(settings.unixctl)
            except OSError as error:
                number = error.errno or 0
                fatal.die("failed to create unixctl server", error=number)
            self._register()
            daemon.complete()
            self._listen()
            await self._exiting.wait()
            self._deafen()
            if control is not None:
                await control.close()

        loop.run(main)
        self._connection.close()

    def _register(self) -> None:
        register = commands.register
        register("exit", "", 0, 0, self._exit)
        register("ofctl/send", "OFMSG...", 1, None, self._send)
        usage = '"in_port=<port> packet=<hex data> actions=..."'
        register("ofctl/packet-out", usage, 1, 1, self._packet_out)
        register("ofctl/barrier", "", 0, 0, self._wait_for_barrier)
        register("ofctl/set-output-file", "FILE", 1, 1, self._set_output_file)
        register("ofctl/block", "", 0, 0, self._block)
        register("ofctl/unblock", "", 0, 0, self._unblock)

    def _listen(self) -> None:
        event_loop = asyncio.get_running_loop()
        event_loop.add_reader(self._connection.fileno(), self._on_readable)
        self._take_all()

    def _deafen(self) -> None:
        asyncio.get_running_loop().remove_reader(self._connection.fileno())

    def _on_readable(self) -> None:
        self._connection.read_ready()
        self._take_all()

    def _take_all(self) -> None:
        while not self._blocked:
            message = self._connection.take()
            if message is None:
                return
            self._handle(message)

    def _print(self, message: bytes, verbosity: int = 2) -> None:
        shown = names.names_to_show(self._connection.target)
        print_message(message, None, verbosity, _write, names=shown)
        sys.stderr.flush()

    def _handle(self, message: bytes) -> None:
        if settings.timestamp:
            now = clock.wall()
            _write(vlog_output.format_time("%Y-%m-%d %H:%M:%S.###: ", now, utc=True))
        self._print(message)
        kind = message[1]
        if kind == _ECHO_REQUEST and self._answers:
            reply = raws.find("ECHO_REPLY", message[0])
            xid = int.from_bytes(message[4:8], "big")
            body = message[_HEADER_SIZE:]
            self._connection.send(raws.put(reply, message[0], xid, body))
            return
        is_barrier = kind == (19 if message[0] == versions.OF10 else 21)
        if is_barrier and self._barrier is not None:
            self._barrier.set_result(None)
            self._barrier = None
        elif self._resumes:
            self._resume(message)

    def _resume(self, message: bytes) -> None:
        """Send a packet-in's packet back, if its pipeline is paused."""
        from ovswitch.openflow import codec
        from ovswitch.openflow.errors import OpenFlowError
        from ovswitch.openflow.messages.packet_in import PacketIn, Resume

        try:
            if raws.parse(message).raw.type != "PACKET_IN":
                return
            packet_in = codec.decode(message)
        except OpenFlowError as error:
            _write(f"decoding packet-in failed: {error.name}")
            return
        assert isinstance(packet_in, PacketIn)
        if packet_in.continuation is None:
            return
        reply = encode_message(_copy(packet_in, Resume()), self._connection.protocol)
        _write("send: ")
        self._print(reply)
        self._connection.send(reply)

    # Commands.

    def _exit(self, _words: list[str]) -> None:
        self._exiting.set()

    def _send(self, words: list[str]) -> str:
        lines = []
        failed = False
        for word in words:
            try:
                message = _read_message(word)
            except ValueError as error:
                lines.append(f"{error}\n")
                failed = True
                continue
            _write("send: ")
            self._print(message, 0)
            self._connection.send(message)
            lines.append("sent\n")
        if failed:
            raise CommandError("".join(lines))
        return "".join(lines)

    def _packet_out(self, words: list[str]) -> None:
        connection = self._connection
        try:
            message, usable = parse_packet_out(
                words[0], names.names_to_accept(connection.target)
            )
        except ValueError as error:
            raise CommandError(f"{error}\n") from None
        if not usable & connection.protocol:
            raise CommandError(
                "PACKET_OUT actions are incompatible with the OpenFlow connection.\n"
            )
        octets = encode_message(message, connection.protocol)
        self._print(octets, 0)
        connection.send(octets)

    async def _wait_for_barrier(self, _words: list[str]) -> None:
        if self._barrier is not None:
            raise CommandError("already waiting for barrier reply")
        self._connection.send(encode("BARRIER_REQUEST", self._connection.version))
        self._barrier = asyncio.get_running_loop().create_future()
        await self._barrier

    def _set_output_file(self, words: list[str]) -> None:
        try:
            fd = os.open(words[0], os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o666)
        except OSError as error:
            raise CommandError(os.strerror(error.errno or 0)) from None
        sys.stderr.flush()
        os.dup2(fd, 2)
        os.close(fd)

    def _block(self, _words: list[str]) -> str:
        if self._blocked:
            return "already blocking"
        self._blocked = True
        self._deafen()
        return ""

    def _unblock(self, _words: list[str]) -> str:
        if not self._blocked:
            return "already unblocked"
        self._blocked = False
        self._listen()
        return ""


def _copy(packet_in: PacketIn, other: PacketIn) -> PacketIn:
    """Copy all of a packet-in."""
    for kind in type(packet_in).__mro__:
        for slot in getattr(kind, "__slots__", ()):
            setattr(other, slot, getattr(packet_in, slot))
    return other
