# SPDX-License-Identifier: Apache-2.0
"""JSON-RPC messages, and a connection that sends and receives them over one stream.

Nothing here blocks, but for the functions whose names end in "_block". What can't be
sent at once is kept, without bound, as upstream's does: `get_backlog` tells.
"""

from __future__ import annotations

import errno

from ovswitch.bindings import json
from ovswitch.bindings.poller import Poller
from ovswitch.bindings.vlog import Vlog
from ovswitch.runtime import fatal
from ovswitch.runtime import jsonrpc as _jsonrpc

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ovswitch.bindings.stream import Stream

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
