# SPDX-License-Identifier: Apache-2.0
"""A command's connection to a switch: opening by name, asking, telling, printing.

All connections of one run share one sequence of transaction ids, as users see them in
what is printed: a hello takes one, and so does each request and barrier.
"""

from __future__ import annotations

import sys

from ovswitch.openflow import protocol as protocols
from ovswitch.openflow import raws, vconn
from ovswitch.runtime import dirs, fatal, target
from ovswitch.tools.ofctl.settings import settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ovswitch.flow.names import Names
    from ovswitch.openflow.messages.base import Message

ENOENT, ECONNRESET = 2, 104
_MGMT, _SNOOP = "mgmt", "snoop"
_EOF = -1
_OFPT_ERROR = 1
_REPLY_MORE = 1

_last_xid = 0


def next_xid() -> int:
    """Return the next transaction id."""
    global _last_xid
    _last_xid += 1
    return _last_xid


def skip_xids(count: int) -> None:
    """Leave out ids that the reference would have spent here."""
    global _last_xid
    _last_xid += count


def xid_of(message: bytes) -> int:
    """Return a message's transaction id."""
    return int.from_bytes(message[4:8], "big")


class _AnyVersion(vconn.Vconn):
    """A peer whose messages may be of any version once it has greeted."""

    def _take(self, message: bytes, messages: list[bytes]) -> None:
        if self.state is vconn.HELLO:
            super()._take(message, messages)
        else:
            messages.append(message)


class Connection:
    """An open connection to a switch or a controller.

    Attributes:
        name: what the user called it.
        version: the wire version in use.
        protocol: how flows are said at first.
        target: the connection's name in messages: "unix:/run/.../br0.mgmt".
    """

    __slots__ = ("_core", "_messages", "_stream", "name", "protocol", "target")

    def __init__(
        self, name: str, stream: target.Stream, any_version: bool = False
    ) -> None:
        self.name = name
        self.target = stream.name
        self._stream = stream
        core = _AnyVersion if any_version else vconn.Vconn
        self._core = core(stream.name, settings.versions)
        self._messages: list[bytes] = []
        self.protocol = 0
        next_xid()  # the hello's

    @property
    def version(self) -> int:
        """The wire version in use."""
        return self._core.version

    def handshake(self) -> None:
        """Agree on a version; die if that fails."""
        try:
            self._flush()
            while self._core.state is vconn.HELLO:
                self._read()
        except BrokenPipeError:
            self._die_connecting(ECONNRESET)  # the peer closed before our greeting
        except OSError as error:
            self._die_connecting(error.errno or 0)
        if self._core.state is vconn.CLOSED:
            try:
                self._flush()  # tells the peer why
            except OSError as error:
                self._die_connecting(error.errno or 0)
            self._die_connecting(self._core.error)
        self.protocol = protocols.first_of_version(self.version)

    def _die_connecting(self, error: int) -> None:
        text = fatal.retval_text(error)
        fatal.die(f"{self.name}: failed to connect to socket ({text})")

    def _flush(self) -> None:
        octets = self._core.take_output()
        if octets:
            self._stream.send(octets)

    def _read(self) -> None:
        octets = self._stream.recv()
        if octets:
            self._messages += self._core.feed(octets)
            return
        self._core.end_of_stream()
        if self._core.state is not vconn.CLOSED:
            raise EndOfStreamError

    def fileno(self) -> int:
        """Return the file descriptor."""
        return self._stream.fileno()

    def close(self) -> None:
        """Close the connection."""
        self._stream.close()

    def send(self, message: bytes) -> None:
        """Send a message; die if that fails."""
        self._core.send(message)
        try:
            self._flush()
        except OSError as error:
            fatal.die("failed to send packet to switch", error=error.errno or 0)

    def queue(self, message: bytes) -> None:
        """Let a message go with the next one that is sent."""
        self._core.send(message)

    def receive(self, what: str) -> bytes:
        """Return the next message.

        Args:
            what: what to say before dying when there is none.
        """
        try:
            while not self._messages:
                if self._core.state is vconn.CLOSED:
                    fatal.die(what, error=self._core.error)
                self._read()
                self._flush()
        except EndOfStreamError:
            fatal.die(what, error=_EOF)
        except OSError as error:
            fatal.die(what, error=error.errno or 0)
        return self._messages.pop(0)

    def read_ready(self) -> None:
        """Take what has arrived, now that something has; die if that fails."""
        what = "vconn_recv"
        try:
            self._read()
            self._flush()
        except EndOfStreamError:
            fatal.die(what, error=_EOF)
        except OSError as error:
            fatal.die(what, error=error.errno or 0)
        if self._core.state is vconn.CLOSED and not self._messages:
            fatal.die(what, error=self._core.error)

    def take(self) -> bytes | None:
        """Return a message that has arrived, or None."""
        return self._messages.pop(0) if self._messages else None

    def transact(self, request: bytes, what: str = "") -> bytes:
        """Send a request and return the reply, which has its transaction id."""
        self.send(request)
        return self.receive_reply(xid_of(request), what)

    def receive_reply(self, xid: int, what: str = "") -> bytes:
        """Return the next message with a transaction id; drop others."""
        while True:
            message = self.receive(what or f"talking to {self.target}")
            if xid_of(message) == xid:
                return message

    def transact_noreply(self, request: bytes) -> bytes | None:
        """Send a request that is answered only if it fails; return that answer."""
        barrier = encode("BARRIER_REQUEST", self.version)
        self._core.send(request)
        self.send(barrier)
        request_xid, barrier_xid = xid_of(request), xid_of(barrier)
        reply = None
        while True:
            message = self.receive(f"talking to {self.target}")
            xid = xid_of(message)
            if xid == request_xid:
                reply = message
            elif xid == barrier_xid:
                return reply

    def replies(self, request: bytes) -> Iterator[bytes]:
        """Send a request for statistics and yield the messages of the reply."""
        self.send(request)
        xid = xid_of(request)
        while True:
            reply = self.receive_reply(xid, "OpenFlow packet receive failed")
            yield reply
            if not has_more(reply):
                return

    def tell(self, requests: Iterable[bytes]) -> None:
        """Send requests one after the other; print the first error and die."""
        for request in requests:
            reply = self.transact_noreply(request)
            if reply is not None:
                sys.stdout.flush()
                print_message(reply, self, 2, sys.stderr.write)
                sys.stderr.flush()
                raise SystemExit(1)


class EndOfStreamError(Exception):
    """The peer closed the connection."""


def has_more(message: bytes) -> bool:
    """Return whether more parts of a statistics reply will follow this one."""
    is_reply = message[1] == (17 if message[0] == 1 else 19)
    return is_reply and len(message) >= 12 and bool(message[11] & _REPLY_MORE)


def encode(kind: str, version: int, body: bytes = b"") -> bytes:
    """Return a message of a type whose body is given, with the next id."""
    return raws.put(raws.find(kind, version), version, next_xid(), body)


def encode_message(message: Message, protocol: int) -> bytes:
    """Return a message's octets, with the next id."""
    return message.encode(protocol, next_xid())


def _try_socket(path: str) -> target.Stream | None:
    """Connect to a unix socket; None if there is none, die on other errors."""
    try:
        return target.connect(f"unix:{path}", default_port=target.OPENFLOW_PORT)
    except OSError as error:
        if error.errno == ENOENT:
            return None
        fatal.die(
            f"{path}: failed to open socket ({fatal.retval_text(error.errno or 0)})"
        )


def _connect(name: str, suffix: str) -> target.Stream:
    if ":" in name:
        try:
            return target.connect(name, default_port=target.OPENFLOW_PORT)
        except OSError as error:
            fatal.die(f"connecting to {name}", error=error.errno or 0)
    folder = dirs.rundir()
    bridge = name.partition("@")[2] or name
    for path in (name, f"{folder}/{name}.{suffix}", f"{folder}/{bridge}.{suffix}"):
        stream = _try_socket(path)
        if stream is not None:
            return stream
    return fatal.die(f"{name} is not a bridge or a socket")


def open_switch(name: str) -> Connection:
    """Connect to a bridge, a socket or a connection method; die if that fails."""
    connection = Connection(name, _connect(name, _MGMT))
    connection.handshake()
    return connection


def open_snoop(name: str) -> Connection:
    """Connect to where a bridge repeats what it says to its controllers."""
    connection = Connection(name, _connect(name, _SNOOP), any_version=True)
    connection.handshake()
    return connection


def print_message(
    message: bytes,
    connection: Connection | None,
    verbosity: int,
    write: Callable[[str], object] = sys.stdout.write,
    *,
    names: Names | None = None,
) -> None:
    """Print a message.

    Args:
        message: the octets.
        connection: to whose switch the names belong; None: without names.
        verbosity: added to what the user asked for.
        write: where the text goes.
        names: the names to use, instead of the connection's.
    """
    from ovswitch.openflow.text import format_message

    if names is None and connection is not None and settings.show_names:
        from ovswitch.tools.ofctl.names import names_to_show

        names = names_to_show(connection.name)
    write(format_message(message, settings.verbosity + verbosity, names))


def dump(connection: Connection, request: bytes) -> None:
    """Send a request and print all of the reply."""
    if request[1] != (16 if request[0] == 1 else 18):
        print_message(connection.transact(request), connection, 1)
        return
    for reply in connection.replies(request):
        print_message(reply, connection, 1)


def dump_simply(name: str, kind: str) -> None:
    """Connect, send a request without a body, print the reply."""
    connection = open_switch(name)
    dump(connection, encode(kind, connection.version))
    connection.close()
