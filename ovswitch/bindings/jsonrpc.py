# SPDX-License-Identifier: Apache-2.0
"""JSON-RPC messages, connections and sessions, as `ovs.jsonrpc`.

A `Connection` sends and receives over one stream, a `Session` keeps one up with one of
several remotes. Neither blocks, but for the functions whose names end in "_block". What
can't be sent at once is kept, without bound, as upstream's does: `get_backlog` tells.
"""

from __future__ import annotations

import errno
import random

from ovswitch.bindings import json, timeval
from ovswitch.bindings.poller import Poller
from ovswitch.bindings.reconnect import CONNECT, DISCONNECT, PROBE, Reconnect
from ovswitch.bindings.stream import (
    PassiveStream,
    Stream,
    stream_or_pstream_needs_probes,
)
from ovswitch.bindings.vlog import Vlog, quiet
from ovswitch.runtime import fatal
from ovswitch.runtime import jsonrpc as _jsonrpc

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

EOF = fatal.EOF
_vlog = Vlog("jsonrpc")


class Message:
    """One JSON-RPC message. None stands for an absent member."""

    T_REQUEST = 0
    T_NOTIFY = 1
    T_REPLY = 2
    T_ERROR = 3

    _NAMES = (_jsonrpc.REQUEST, _jsonrpc.NOTIFY, _jsonrpc.REPLY, _jsonrpc.ERROR)
    # Which of method, params, result, error and id each kind has.
    _SHAPES = ("method params id", "method params", "result id", "error id")

    def __init__(
        self,
        type_: int,
        method: str | None,
        params: Any,
        result: Any,
        error: Any,
        id: Any,  # noqa: A002  the protocol's word
    ) -> None:
        self.type = type_
        self.method = method
        self.params = params
        self.result = result
        self.error = error
        self.id = id

    @staticmethod
    def create_request(method: str, params: Any) -> Message:
        """Return a request with an id of its own."""
        return Message(Message.T_REQUEST, method, params, None, None, _jsonrpc.new_id())

    @staticmethod
    def create_notify(method: str, params: Any) -> Message:
        """Return a notification."""
        return Message(Message.T_NOTIFY, method, params, None, None, None)

    @staticmethod
    def create_reply(result: Any, id: Any) -> Message:  # noqa: A002  as above
        """Return the answer to a request."""
        return Message(Message.T_REPLY, None, None, result, None, id)

    @staticmethod
    def create_error(error: Any, id: Any) -> Message:  # noqa: A002  as above
        """Return the refusal of a request."""
        return Message(Message.T_ERROR, None, None, None, error, id)

    @staticmethod
    def type_to_string(type_: int) -> str:
        """Return what a kind of message is called."""
        return Message._NAMES[type_]

    def is_valid(self) -> str | None:
        """Return what is wrong with the message, None if nothing is."""
        if self.params is not None and not isinstance(self.params, list):
            return '"params" must be JSON array'
        if not 0 <= self.type < len(Message._SHAPES):
            return f"invalid JSON-RPC message type {self.type}"
        wanted = Message._SHAPES[self.type].split()
        for name in ("method", "params", "result", "error", "id"):
            if (getattr(self, name) is not None) != (name in wanted):
                verb = "must" if name in wanted else "must not"
                return f'{Message.type_to_string(self.type)} {verb} have "{name}"'
        return None

    @staticmethod
    def from_json(json: Any) -> Message | str:
        """Return a message, or what is wrong with it."""
        try:
            return Message._from(_jsonrpc.from_json(json))
        except _jsonrpc.ProtocolError as error:
            return str(error)

    @staticmethod
    def _from(m: _jsonrpc.Message) -> Message:
        kind = Message._NAMES.index(m.kind)
        return Message(kind, m.method, m.params, m.result, m.error, m.id)

    def _to(self) -> _jsonrpc.Message:
        return _jsonrpc.Message(
            self.method, self.params, self.id, self.result, self.error
        )

    def to_json(self) -> Any:
        """Return the message as JSON, with the nulls that its kind has."""
        shown = {
            "method": self.method is not None,
            "params": self.params is not None,
            "result": self.result is not None or self.type == Message.T_ERROR,
            "error": self.error is not None or self.type == Message.T_REPLY,
            "id": self.id is not None or self.type == Message.T_NOTIFY,
        }
        return {name: getattr(self, name) for name, is_ in shown.items() if is_}

    def __str__(self) -> str:
        words = [Message.type_to_string(self.type)]
        for name in ("method", "params", "result", "error", "id"):
            value = getattr(self, name)
            if name == "method" and value is not None:
                words.append(f'method="{value}"')
            elif value is not None:
                words.append(f"{name}={json.to_string(value)}")
        return ", ".join(words)


class Connection:
    """Messages over one stream. `status` is why it ended, 0 while it works."""

    def __init__(self, stream: Stream) -> None:
        self.name = stream.name
        self.stream: Stream | None = stream
        self.status = 0
        self.output = b""
        self.received_bytes = 0
        self._framer = _jsonrpc.Framer()
        self._messages: list[_jsonrpc.Message] = []

    def close(self) -> None:
        """Close the stream."""
        if self.stream is not None:
            self.stream.close()
            self.stream = None

    def run(self) -> None:
        """Send what waits."""
        while self.output and not self.status and self.stream is not None:
            count = self.stream.send(self.output)
            if count < 0:
                if count != -errno.EAGAIN:
                    text = fatal.retval_text(-count)
                    _vlog.warn(f"{self.name}: send error: {text}")
                    self.error(-count)
                return
            self.output = self.output[count:]

    def wait(self, poller: Poller) -> None:
        """Wake up when `run` can do something."""
        if not self.status and self.output and self.stream is not None:
            self.stream.send_wait(poller)

    def get_status(self) -> int:
        """Return why the connection ended, 0 while it works."""
        return self.status

    def get_backlog(self) -> int:
        """Return how many octets wait to be sent."""
        return 0 if self.status else len(self.output)

    def get_received_bytes(self) -> int:
        """Return how many octets have been received."""
        return self.received_bytes

    def send(self, msg: Message) -> int:
        """Send a message, or keep it until it can be; return the status."""
        if self.status:
            return self.status
        message = msg._to()
        _jsonrpc.log_message(self.name, "send", message)
        was_empty = not self.output
        self.output += _jsonrpc.encode(message)
        if was_empty:
            self.run()
        return self.status

    def send_block(self, msg: Message) -> int:
        """Send a message and wait until the kernel has it; return the status."""
        self.send(msg)
        while self.get_backlog():
            poller = Poller()
            self.wait(poller)
            poller.block()
            self.run()
        return self.status

    def recv(self) -> tuple[int, Message | None]:
        """Return (error, message); EAGAIN if no message is there."""
        while not self._messages:
            error = self.status or self._read()
            if error:
                return error, None
        message = self._messages.pop(0)
        _jsonrpc.log_message(self.name, "received", message)
        return 0, Message._from(message)

    def _read(self) -> int:
        if self._framer.error is not None:
            _jsonrpc.log_error(self.name, self._framer.error)
            self.error(errno.EPROTO)
            return self.status
        if self.stream is None:
            return errno.ENOTCONN
        error, octets = self.stream.recv(65536)
        if error == errno.EAGAIN:
            return error
        if error or not isinstance(octets, bytes):
            _vlog.warn(f"{self.name}: receive error: {fatal.retval_text(error)}")
            self.error(error)
            return self.status
        if not octets:
            self.error(EOF)
            return EOF
        self.received_bytes += len(octets)
        self._messages = self._framer.feed(octets)
        return 0

    def recv_block(self) -> tuple[int, Message | None]:
        """Wait for a message; return (error, message)."""
        while True:
            error, message = self.recv()
            if error != errno.EAGAIN:
                return error, message
            self.run()
            poller = Poller()
            self.wait(poller)
            self.recv_wait(poller)
            poller.block()

    def transact_block(self, request: Message) -> tuple[int, Message | None]:
        """Send a request and wait for its answer; what else comes is dropped."""
        error = self.send(request)
        reply = None
        while not error:
            error, reply = self.recv_block()
            if (
                reply is not None
                and reply.type in (Message.T_REPLY, Message.T_ERROR)
                and reply.id == request.id
            ):
                break
        return error, reply

    def recv_wait(self, poller: Poller) -> None:
        """Wake up when `recv` has something to say."""
        if self.status or self._messages or self._framer.error is not None:
            poller.immediate_wake()
        elif self.stream is not None:
            self.stream.recv_wait(poller)

    def error(self, error: int) -> None:
        """End the connection with a status."""
        if not self.status:
            self.status = error
            self.output = b""
            if self.stream is not None:
                self.stream.close()


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
