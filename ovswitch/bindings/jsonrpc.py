# SPDX-License-Identifier: Apache-2.0
"""JSON-RPC, as `ovs.jsonrpc`: messages, connections, and sessions that connect again.

A `Session` keeps a connection up with one of several remotes; it never blocks.
"""

from __future__ import annotations

import errno
import random

from ovswitch.bindings import timeval
from ovswitch.bindings.connection import EOF, Connection, Message
from ovswitch.bindings.reconnect import CONNECT, DISCONNECT, PROBE, Reconnect
from ovswitch.bindings.stream import (
    PassiveStream,
    Stream,
    stream_or_pstream_needs_probes,
)
from ovswitch.bindings.vlog import Vlog, quiet

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovswitch.bindings.poller import Poller

__all__ = ["EOF", "Connection", "Message", "Session"]

_vlog = Vlog("jsonrpc")


class Session:
    """A connection with one of `remotes`, made anew whenever it ends.

    `seqno` changes with every connection and disconnection.
    """

    def __init__(
        self, reconnect: Reconnect, rpc: Connection | None, remotes: list[str] | str
    ) -> None:
        quiet()
        self.reconnect = reconnect
        self.rpc = rpc
        self.stream: Stream | None = None
        self.pstream: PassiveStream | None = None
        self.seqno = 0
        self.remotes = [remotes] if isinstance(remotes, str) else list(remotes)
        random.shuffle(self.remotes)
        self.next_remote = 0

    @staticmethod
    def open(name: str, probe_interval: int | None = None) -> Session:
        """Return a session with one remote."""
        return Session.open_multiple([name], probe_interval)

    @staticmethod
    def open_multiple(remotes: list[str], probe_interval: int | None = None) -> Session:
        """Return a session with one of several remotes, tried in random order."""
        now = timeval.msec()
        session = Session(Reconnect(now), None, remotes)
        session.pick_remote()
        reconnect = session.reconnect
        reconnect.enable(now)
        reconnect.set_backoff_free_tries(len(remotes))
        name = reconnect.get_name()
        if PassiveStream.is_valid_name(name):
            reconnect.set_passive(True, now)
        if not stream_or_pstream_needs_probes(name):
            reconnect.set_probe_interval(0)
        elif probe_interval is not None:
            reconnect.set_probe_interval(probe_interval)
        return session

    @staticmethod
    def open_unreliably(jsonrpc: Connection) -> Session:
        """Return a session over a connection that isn't made anew."""
        session = Session(Reconnect(timeval.msec()), jsonrpc, [jsonrpc.name])
        session.reconnect.set_quiet(True)
        session.pick_remote()
        session.reconnect.set_max_tries(0)
        session.reconnect.connected(timeval.msec())
        return session

    def pick_remote(self) -> None:
        """Try the next remote next."""
        self.reconnect.set_name(self.remotes[self.next_remote])
        self.next_remote = (self.next_remote + 1) % len(self.remotes)

    def close(self) -> None:
        """Drop the connection."""
        for each in (self.rpc, self.stream, self.pstream):
            if each is not None:
                each.close()
        self.rpc = self.stream = self.pstream = None

    def run(self) -> None:
        """Connect, send, notice what has ended, probe."""
        self._accept()
        if self.rpc is not None:
            self._run_connection(self.rpc)
        elif self.stream is not None:
            self._run_stream(self.stream)
        action = self.reconnect.run(timeval.msec())
        if action == CONNECT:
            self._connect()
        elif action == DISCONNECT:
            self.reconnect.disconnected(timeval.msec(), 0)
            self._disconnect()
        elif action == PROBE and self.rpc is not None:
            request = Message.create_request("echo", [])
            request.id = "echo"
            self.rpc.send(request)

    def _accept(self) -> None:
        if self.pstream is None:
            return
        error, stream = self.pstream.accept()
        if stream is not None:
            if self.rpc is not None or self.stream is not None:
                name = self.reconnect.get_name()
                _vlog.info(f"{name}: new connection replacing active connection")
                self._disconnect()
            self.reconnect.connected(timeval.msec())
            self.rpc = Connection(stream)
            self.seqno += 1
        elif error != errno.EAGAIN:
            self.reconnect.listen_error(timeval.msec(), error)
            self.pstream.close()
            self.pstream = None

    def _run_connection(self, rpc: Connection) -> None:
        backlog = rpc.get_backlog()
        rpc.run()
        if rpc.get_backlog() < backlog:
            # Only what the kernel had refused before says that the peer lives.
            self.reconnect.activity(timeval.msec())
        if rpc.get_status():
            self.reconnect.disconnected(timeval.msec(), rpc.get_status())
            self._disconnect()

    def _run_stream(self, stream: Stream) -> None:
        error = stream.connect()
        if error == errno.EAGAIN:
            return
        self.stream = None
        if error:
            self.reconnect.connect_failed(timeval.msec(), error)
            stream.close()
            self.pick_remote()
        else:
            self.reconnect.connected(timeval.msec())
            self.rpc = Connection(stream)

    def _connect(self) -> None:
        self._disconnect()
        name = self.reconnect.get_name()
        error = 0
        if not self.reconnect.is_passive():
            error, self.stream = Stream.open(name)
            if not error:
                self.reconnect.connecting(timeval.msec())
        elif self.pstream is None:
            error, self.pstream = PassiveStream.open(name)
            if not error:
                self.reconnect.listening(timeval.msec())
        if error:
            self.reconnect.connect_failed(timeval.msec(), error)
            self.pick_remote()
        self.seqno += 1

    def _disconnect(self) -> None:
        if self.rpc is not None:
            self.rpc.error(EOF)
            self.rpc.close()
            self.rpc = None
        elif self.stream is not None:
            self.stream.close()
            self.stream = None
        else:
            return
        self.seqno += 1
        self.pick_remote()

    def wait(self, poller: Poller) -> None:
        """Wake up when `run` has something to do."""
        if self.rpc is not None:
            self.rpc.wait(poller)
        elif self.stream is not None:
            self.stream.connect_wait(poller)
        if self.pstream is not None:
            self.pstream.wait(poller)
        self.reconnect.wait(poller, timeval.msec())

    def get_backlog(self) -> int:
        """Return how many octets wait to be sent."""
        return 0 if self.rpc is None else self.rpc.get_backlog()

    def get_name(self) -> str:
        """Return the remote that is connected, or tried next."""
        return self.reconnect.get_name()

    def send(self, msg: Message) -> int:
        """Send a message; return 0 or why it is lost."""
        return errno.ENOTCONN if self.rpc is None else self.rpc.send(msg)

    def recv(self) -> Message | None:
        """Return the next message, None if there is none; answers the peer's probes."""
        if self.rpc is None:
            return None
        before = self.rpc.get_received_bytes()
        error, message = self.rpc.recv()
        now = timeval.msec()
        self.reconnect.receive_attempted(now)
        if self.rpc.get_received_bytes() != before:
            self.reconnect.activity(now)
        if error or message is None:
            return None
        if message.type == Message.T_REQUEST and message.method == "echo":
            self.send(Message.create_reply(message.params, message.id))
            return None
        if message.type == Message.T_REPLY and message.id == "echo":
            return None
        return message

    def recv_wait(self, poller: Poller) -> None:
        """Wake up when `recv` has something to say."""
        if self.rpc is not None:
            self.rpc.recv_wait(poller)

    def is_alive(self) -> bool:
        """Whether there is a connection, or will be another try."""
        if self.rpc is not None or self.stream is not None:
            return True
        tries = self.reconnect.get_max_tries()
        return tries is None or tries > 0

    def is_connected(self) -> bool:
        """Whether there is a connection."""
        return self.rpc is not None

    def get_seqno(self) -> int:
        """Return a number that changes with every connection and disconnection."""
        return self.seqno

    def force_reconnect(self) -> None:
        """Drop the connection and make another."""
        self.reconnect.force_reconnect(timeval.msec())

    def reset_backoff(self) -> None:
        """Try each remote once without waiting, when the connection ends next."""
        self.reconnect.set_backoff_free_tries(len(self.remotes) + self.is_connected())

    def get_num_of_remotes(self) -> int:
        """Return how many remotes there are."""
        return len(self.remotes)
