# SPDX-License-Identifier: Apache-2.0
"""A blocking JSON-RPC session with one of several database servers.

The synchronous shell under `idl.Idl`: it connects (or listens, for "ptcp:" and its
like), reconnects with the waits of `runtime.reconnect`, probes peers that could vanish
without a sign and answers the peer's probes.
"""

from __future__ import annotations

import _socket

from ovswitch.ovsdb import uuids
from ovswitch.runtime import clock, fatal, target
from ovswitch.runtime.jsonrpc import Client, Message
from ovswitch.runtime.reconnect import CONNECT, DISCONNECT, PROBE, Reconnect

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ovswitch.ovsdb.cs import Request

_NO_WAIT_LIMIT = 0x7FFFFFFF
_BATCH = 50


def parse_remotes(text: str) -> tuple[list[str], str | None]:
    """Split "REMOTE,REMOTE..." and return the remotes and the cluster's id, if given.

    A comma belongs to a remote unless another one begins after it.
    """
    remotes: list[str] = []
    cluster_id = None
    for word in text.split(","):
        word = word.lstrip(" \t")
        if word.startswith("cid:") and uuids.is_valid(word[4:]):
            cluster_id = word[4:].lower()
        elif not remotes or target.is_active(word) or target.is_passive(word):
            remotes.append(word)
        else:
            remotes[-1] += "," + word
    return remotes, cluster_id


def shuffled(items: list[str]) -> list[str]:
    """Return `items` in random order."""
    from os import urandom

    return sorted(items, key=lambda _: urandom(8))


class Session:
    """A connection with one of `remotes`; each is tried once unless `retry`."""

    __slots__ = ("_client", "_fsm", "_listener", "_next", "_remotes", "last_error")

    def __init__(
        self, remotes: list[str], *, retry: bool, probe_interval: int | None = None
    ) -> None:
        self._remotes = remotes
        self._next = 0
        self._client: Client | None = None
        self._listener: _socket.socket | None = None
        self.last_error = 0
        now = clock.now()
        self._fsm = fsm = Reconnect(now)
        self._pick()
        fsm.enable(now)
        fsm.set_backoff_free_tries(len(remotes))
        if target.is_passive(fsm.name):
            fsm.set_passive(True, now)
        elif not retry:
            fsm.set_max_tries(len(remotes))
            fsm.set_backoff(_NO_WAIT_LIMIT, _NO_WAIT_LIMIT)
        if probe_interval is not None:
            fsm.set_probe_interval(probe_interval)
        elif not target.needs_probes(fsm.name):
            fsm.set_probe_interval(0)

    @property
    def name(self) -> str:
        """The remote that is connected, or tried next."""
        return self._fsm.name

    @property
    def is_connected(self) -> bool:
        """Whether there is a connection."""
        return self._client is not None

    @property
    def is_alive(self) -> bool:
        """Whether there is a connection, or will be another try."""
        return self._fsm.is_enabled and (self.is_connected or self._fsm.max_tries > 0)

    def enable_reconnect(self) -> None:
        """Try forever from now on."""
        from ovswitch.runtime.reconnect import UNLIMITED

        self._fsm.set_max_tries(UNLIMITED)
        self._fsm.set_backoff(0, 0)

    def force_reconnect(self, *, at_once: bool = True) -> None:
        """Drop the connection and make another, `at_once` or after the usual wait."""
        if at_once:
            # One more than remotes: dropping the connection uses one up.
            self._fsm.set_backoff_free_tries(len(self._remotes) + 1)
        self._disconnect(0)

    def close(self) -> None:
        """Drop the connection for good."""
        self._fsm.disable(clock.now())
        for thing in (self._client, self._listener):
            if thing is not None:
                thing.close()
        self._client = self._listener = None

    def send(self, requests: Iterable[Request]) -> None:
        """Send requests; without a connection they are lost."""
        for method, params, request_id in requests:
            self._send(Message(method, params, request_id))

    def poll(self, timeout_ms: int | None) -> list[Message]:
        """Return the messages that are there, waiting for one or for a new connection.

        None for the timeout waits until something happens. An empty list may come
        early: whether the connection is another one shows in `is_connected`.
        """
        now = clock.now()
        limit = self._fsm.timeout(now)
        action = self._fsm.run(now)
        if action == CONNECT:
            self._connect(timeout_ms)
            return []
        if action == DISCONNECT:
            self._disconnect(0)
            return []
        if action == PROBE:
            self._send(Message("echo", [], "echo"))
        wait = _shorter(timeout_ms, limit if action is None else None)
        if self._client is None:
            if wait and self._fsm.is_enabled:
                _sleep(wait)
            return []
        return self._receive(wait)

    def _receive(self, timeout_ms: int | None) -> list[Message]:
        messages: list[Message] = []
        # An SSL stream that may not block at all fails where others have nothing.
        least = 1 if self.name.startswith(("ssl:", "pssl:")) else 0
        wait = -1 if timeout_ms is None else max(timeout_ms, least)
        while self._client is not None and len(messages) < _BATCH:
            self._fsm.receive_attempted(clock.now())
            try:
                message = self._client.receive(wait)
            except OSError as error:
                self._disconnect(error.errno or 0)
                break
            if message is None:
                break
            self._fsm.activity(clock.now())
            if message.method == "echo" and message.id is not None:
                self._send(Message.reply(message.params, message.id))
            elif message.id != "echo":
                messages.append(message)
                wait = least
        return messages

    def _send(self, message: Message) -> None:
        if self._client is None:
            return
        try:
            self._client.send(message)
        except OSError as error:
            self._disconnect(error.errno or 0)

    def _pick(self) -> None:
        self._fsm.set_name(self._remotes[self._next])
        self._next = (self._next + 1) % len(self._remotes)

    def _connect(self, timeout_ms: int | None) -> None:
        fsm = self._fsm
        fsm.connecting(clock.now())
        name = fsm.name
        try:
            if target.is_passive(name):
                stream = self._accept(name)
            else:
                limit = fsm.timeout(clock.now())
                if fsm.max_tries == 0:
                    limit = None  # the last try: leave it to the kernel
                stream = target.connect(name, -1 if limit is None else limit)
        except OSError as error:
            self.last_error = error.errno or 0
            fsm.connect_failed(clock.now(), self.last_error)
            self._pick()
            return
        self._client = Client(stream)
        fsm.connected(clock.now())

    def _accept(self, name: str) -> target.Stream:
        """Wait for the server to connect to us."""
        if self._listener is None:
            where = target.parse_passive(name, target.OVSDB_PORT)
            if where.is_unix:
                self._listener = _socket.socket(_socket.AF_UNIX)
                fatal.unlink_at_exit(where.path)
                self._listener.bind(where.path)
            else:
                family, address = target.resolve(where)
                self._listener = _socket.socket(family)
                self._listener.setsockopt(_socket.SOL_SOCKET, _socket.SO_REUSEADDR, 1)
                self._listener.bind(address)
            self._listener.listen(10)
        # The C module has only this form; `socket.accept` wraps it.
        descriptor, _ = self._listener._accept()  # type: ignore[attr-defined]  # see above
        if name.startswith("pssl:"):
            return target.Stream(name, _encrypted(descriptor))
        return target.Stream(name, _socket.socket(fileno=descriptor))

    def _disconnect(self, error: int) -> None:
        if error:
            self.last_error = error
        if self._client is not None:
            self._client.close()
            self._client = None
        self._fsm.disconnected(clock.now(), error)
        self._pick()


def _encrypted(descriptor: int) -> _socket.socket:
    """Start SSL as its server on an accepted connection. Raises: OSError."""
    import socket

    from ovswitch.runtime import ssl_config

    context = ssl_config.settings.context(server=True)
    plain = socket.socket(fileno=descriptor)
    return context.wrap_socket(plain, server_side=True)


def _shorter(a: int | None, b: int | None) -> int | None:
    if a is None:
        return b
    return a if b is None else min(a, b)


def _sleep(ms: int) -> None:
    import time

    time.sleep(ms / 1000)
