# SPDX-License-Identifier: Apache-2.0
"""JSON-RPC 1.0 as OVSDB and unixctl speak it (RFC 7047 §4), and a synchronous client.

`Message`, `Framer` and `encode()` know no sockets: octets in, messages out. A null
member counts as absent; what members are present makes the kind of message. `Client`
is for tools: it blocks. The asyncio side is `aio_jsonrpc`.
"""

from __future__ import annotations

from ovswitch.runtime import fatal, json, target, vlog

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovswitch.runtime.json import Value

REQUEST, NOTIFY, REPLY, ERROR = "request", "notification", "reply", "error"

_log = vlog.Module("jsonrpc")
_limit = vlog.RateLimit(5, 5)

# Which members a kind of message has: method, params, result, error, id.
_SHAPES = {
    REQUEST: (True, True, False, False, True),
    NOTIFY: (True, True, False, False, False),
    REPLY: (False, False, True, False, True),
    ERROR: (False, False, False, True, True),
}
_MEMBERS = ("method", "params", "result", "error", "id")

_next_id = 0


class ProtocolError(Exception):
    """The peer sent what is not JSON-RPC; the text says why."""


class Message:
    """One JSON-RPC message. None stands for an absent member."""

    __slots__ = ("error", "id", "method", "params", "result")

    def __init__(
        self,
        method: str | None = None,
        params: Value = None,
        id: Value = None,  # noqa: A002  the protocol's word
        result: Value = None,
        error: Value = None,
    ) -> None:
        self.method = method
        self.params = params
        self.result = result
        self.error = error
        self.id = id

    @property
    def kind(self) -> str:
        """Which of REQUEST, NOTIFY, REPLY and ERROR this is."""
        if self.result is not None:
            return REPLY
        if self.error is not None:
            return ERROR
        return REQUEST if self.id is not None else NOTIFY

    @classmethod
    def request(cls, method: str, params: Value) -> Message:
        """Return a request with an id of its own."""
        return cls(method, params, new_id())

    @classmethod
    def notify(cls, method: str, params: Value) -> Message:
        """Return a notification."""
        return cls(method, params)

    @classmethod
    def reply(cls, result: Value, request_id: Value) -> Message:
        """Return the answer to a request."""
        return cls(None, None, request_id, result)

    @classmethod
    def failure(cls, error: Value, request_id: Value) -> Message:
        """Return the answer to a request that failed."""
        return cls(None, None, request_id, None, error)

    def to_json(self) -> dict[str, Value]:
        """Return the message as it goes on the wire."""
        value: dict[str, Value] = {}
        if self.method is not None:
            value["method"] = self.method
        if self.params is not None:
            value["params"] = self.params
        if self.result is not None:
            value["result"] = self.result
            value["error"] = None
        elif self.error is not None:
            value["error"] = self.error
        if self.id is not None:
            value["id"] = self.id
        elif self.method is not None:
            value["id"] = None
        return value

    def describe(self) -> str:
        """Return the members as log lines show them."""
        parts = [self.kind]
        if self.method is not None:
            parts.append(f'method="{self.method}"')
        for name in _MEMBERS[1:]:
            member = getattr(self, name)
            if member is not None:
                parts.append(f"{name}={json.to_string(member)}")
        return ", ".join(parts)

    def __repr__(self) -> str:
        return f"<Message {self.describe()}>"


def new_id() -> int:
    """Return an id for a request, unique in this process."""
    global _next_id
    _next_id += 1
    return _next_id - 1


def from_json(value: Value) -> Message:
    """Return the message that a JSON value is.

    Raises: ProtocolError.
    """
    if not isinstance(value, dict):
        raise ProtocolError("message is not a JSON object")
    method = value.get("method")
    if "method" in value and not isinstance(method, str):
        raise ProtocolError("method is not a JSON string")
    for name in value:
        if name not in _MEMBERS:
            raise ProtocolError(f'message has unexpected member "{name}"')
    message = Message(
        method if isinstance(method, str) else None,
        value.get("params"),
        value.get("id"),
        value.get("result"),
        value.get("error"),
    )
    if message.params is not None and not isinstance(message.params, list):
        raise ProtocolError('"params" must be JSON array')
    kind = message.kind
    for name, wanted in zip(_MEMBERS, _SHAPES[kind], strict=True):
        if (getattr(message, name) is not None) != wanted:
            negation = "" if wanted else " not"
            raise ProtocolError(f'{kind} must{negation} have "{name}"')
    return message


def encode(message: Message) -> bytes:
    """Return a message's octets."""
    return json.to_bytes(message.to_json())


class Framer:
    """Octets of a stream in, messages out.

    After an error the messages before it are returned and `error` has its text;
    nothing more comes out. The shell logs it and drops the connection.
    """

    __slots__ = ("_feeder", "error")

    def __init__(self, max_size: int = 512 * 1024 * 1024) -> None:
        self._feeder = json.Feeder(max_size)
        self.error: str | None = None

    @property
    def is_idle(self) -> bool:
        """Whether no part of a message is waiting for its rest."""
        return self._feeder.is_empty

    def feed(self, octets: bytes) -> list[Message]:
        """Take octets in; return the messages that are complete."""
        messages: list[Message] = []
        if self.error is not None:
            return messages
        try:
            for value in self._feeder.feed(octets):
                messages.append(from_json(value))  # noqa: PERF401  keep those before an error
            if self._feeder.failed:
                self._feeder.feed(b"")
        except json.JsonError as error:
            self.error = f"error parsing stream: {error}"
        except ProtocolError as error:
            self.error = f"received bad JSON-RPC message: {error}"
        return messages


def log_message(name: str, title: str, message: Message) -> None:
    """Log a message that goes ("send") or came ("received") on connection `name`."""
    if _log.is_dbg():
        _log.dbg("%s: %s %s", name, title, message.describe())


def log_error(name: str, text: str) -> None:
    """Log what is wrong with what came on connection `name`."""
    _log.warn_rl(_limit, "%s: %s", name, text)


_EPROTO = 71


class Client:
    """A blocking connection, for tools.

    Errors of the connection are OSError; its end is an OSError with `errno`
    fatal.EOF, whose text `fatal.retval_text()` knows.
    """

    def __init__(self, where: str | target.Stream, timeout_ms: int = -1) -> None:
        """Connect to a target such as "unix:/run/db.sock", or take over a stream.

        Raises: OSError.
        """
        if isinstance(where, str):
            self.name = where
            where = target.connect(where, timeout_ms)
        else:
            self.name = where.name
        self.stream = where
        self._framer = Framer()
        self._messages: list[Message] = []

    def __enter__(self) -> Client:
        """Return the client; it is closed at the end of the block."""
        return self

    def __exit__(self, *_exception: object) -> None:
        """Close the connection."""
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self.stream.close()

    def send(self, message: Message) -> None:
        """Send one message; blocks until the kernel has all of it.

        Raises: OSError.
        """
        log_message(self.name, "send", message)
        try:
            self.stream.send(encode(message))
        except OSError as error:
            text = fatal.retval_text(error.errno or 0)
            _log.warn_rl(_limit, "%s: send error: %s", self.name, text)
            raise

    def receive(self, timeout_ms: int = -1) -> Message | None:
        """Return the next message; None if `timeout_ms` passed without one.

        Raises: OSError.
        """
        while not self._messages:
            if self._framer.error is not None:
                log_error(self.name, self._framer.error)
                raise OSError(_EPROTO, "Protocol error")
            try:
                octets = self.stream.recv(timeout_ms)
            except OSError as error:
                text = fatal.retval_text(error.errno or 0)
                _log.warn_rl(_limit, "%s: receive error: %s", self.name, text)
                raise
            if octets is None:
                return None
            if not octets:
                raise OSError(fatal.EOF, "End of file")
            self._messages = self._framer.feed(octets)
        message = self._messages.pop(0)
        log_message(self.name, "received", message)
        return message

    def transact(self, request: Message) -> Message:
        """Send a request, return its answer; what else comes meanwhile is dropped.

        Raises: OSError.
        """
        self.send(request)
        while True:
            message = self.receive()
            assert message is not None
            if message.id == request.id and message.kind in {REPLY, ERROR}:
                return message

    def call(self, method: str, params: Value) -> Message:
        """Send a request made of `method` and `params`; return its answer.

        Raises: OSError.
        """
        return self.transact(Message.request(method, params))
