# SPDX-License-Identifier: Apache-2.0
"""JSON-RPC on the event loop: connections, and sessions that reconnect.

A `Connection` is one stream; a `Session` keeps one up as `reconnect` says: it
connects, answers and sends echoes, gives up silent peers and tries again. Messages
wait in a bounded queue; when it is full, nothing more is read from the peer.
"""

from __future__ import annotations

import asyncio
import collections
import errno
import os
from typing import TYPE_CHECKING

from ovswitch.runtime import (
    aio,
    clock,
    content,
    fatal,
    jsonrpc,
    loop,
    reconnect,
    replay,
    target,
    vlog,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ovswitch.runtime.jsonrpc import Message

_log = vlog.Module("jsonrpc")
_limit = vlog.RateLimit(5, 5)
_backlog_limit = vlog.RateLimit(5, 5)

_REPORT_BACKLOG_MESSAGES = 50
_MAX_QUEUED = 1000  # messages that nobody fetched
_ECHO = "echo"


class Connection:
    """JSON-RPC over one stream.

    `receive()` and `send()` know nothing of echoes; `Session` does.
    """

    def __init__(self, stream: aio.AioStream) -> None:
        self.stream = stream
        self.name = stream.name
        self.max_backlog_messages = 0  # 0: no bound
        self.max_backlog_octets = 0
        self.received_octets = 0
        self._framer = jsonrpc.Framer()
        self._head = b""
        self._queue: collections.deque[Message] = collections.deque()
        self._unsent: collections.deque[int] = collections.deque()
        self._sent = 0

    @property
    def backlog(self) -> int:
        """How many octets wait to be sent."""
        return self.stream.backlog

    @property
    def backlog_messages(self) -> int:
        """How many messages wait to be sent, wholly or in part."""
        done = self._sent - self.stream.backlog
        while self._unsent and self._unsent[0] <= done:
            self._unsent.popleft()
        return len(self._unsent)

    def send(self, message: Message) -> bool:
        """Send, or queue for sending; False if the connection is or gets lost.

        It gets lost if the peer lets the backlog grow above the bounds.
        """
        if self.stream.is_closed:
            return False
        jsonrpc.log_message(self.name, "send", message)
        octets = jsonrpc.encode(message)
        self.stream.write(octets)
        self._sent += len(octets)
        self._unsent.append(self._sent)
        if not self.stream.backlog:
            self._unsent.clear()
            return True
        return self._check_backlog()

    def _check_backlog(self) -> bool:
        n_messages = self.backlog_messages
        if n_messages < _REPORT_BACKLOG_MESSAGES:
            return True
        n_octets = self.backlog
        _log.info_rl(
            _backlog_limit,
            "excessive sending backlog, jsonrpc: %s, num of msgs: %d, backlog: %d.",
            self.name,
            n_messages,
            n_octets,
        )
        if self.max_backlog_messages and n_messages > self.max_backlog_messages:
            _log.warn(
                "sending backlog exceeded maximum number of messages (%d > %d), "
                "disconnecting, jsonrpc: %s.",
                n_messages,
                self.max_backlog_messages,
                self.name,
            )
        elif self.max_backlog_octets and n_octets > self.max_backlog_octets:
            _log.warn(
                "sending backlog exceeded maximum size (%d > %d bytes), "
                "disconnecting, jsonrpc: %s.",
                n_octets,
                self.max_backlog_octets,
                self.name,
            )
        else:
            return True
        self.stream.abort()
        return False

    async def receive(self) -> Message:
        """Return the next message.

        Raises: OSError: the connection is lost; its errno is fatal.EOF when the peer
        closed it and EPROTO when it sent what isn't JSON-RPC, which was logged.
        """
        while not self._queue:
            if self._framer.error is not None:
                jsonrpc.log_error(self.name, self._framer.error)
                content.report(_log, self.name, self._head, content.JSONRPC)
                raise OSError(errno.EPROTO, os.strerror(errno.EPROTO))
            try:
                octets = await self.stream.read()
            except OSError as error:
                text = os.strerror(error.errno or 0)
                _log.warn_rl(_limit, "%s: receive error: %s", self.name, text)
                raise
            if not octets:
                raise OSError(fatal.EOF, "End of file")
            if not self.received_octets:
                self._head = octets[:2]
            self.received_octets += len(octets)
            self._queue.extend(self._framer.feed(octets))
        message = self._queue.popleft()
        jsonrpc.log_message(self.name, "received", message)
        return message

    async def drain(self) -> None:
        """Wait until the peer has taken the backlog."""
        await self.stream.drain()

    def close(self) -> None:
        """Close the connection after what is queued was sent."""
        self.stream.close()


class Session:
    """A connection that is kept up.

    `seqno` changes with each connect and disconnect; `receive()` then returns None
    once, so that its caller can start over. Messages of an earlier connection are
    dropped. `start()` must be called in the event loop, `close()` at the end.
    """

    def __init__(self, remotes: Sequence[str], *, retry: bool = True) -> None:
        """Keep up a connection to one of `remotes`, tried in turn.

        Without `retry`, each is tried once. A passive remote waits for a peer.
        """
        self.remotes = list(remotes) or ["invalid:"]
        self.seqno = 0
        self.last_error = 0
        self.dscp = 0
        self.max_backlog_messages = 0
        self.max_backlog_octets = 0
        self.connection: Connection | None = None
        self._next_remote = 0
        self._n_sent = 0  # octets on this connection, when the timer ran last
        self._listener: aio.Listener | None = None
        self._queue: collections.deque[Message] = collections.deque()
        self._seen_seqno = 0
        self._wake = asyncio.Event()  # of the task that works the state machine
        self._arrived = asyncio.Event()  # of whoever receives
        self._fetched = asyncio.Event()  # of the task that reads
        self._tasks = loop.Group("jsonrpc session")
        self._attempt: asyncio.Task[None] | None = None
        self._closed = False
        self.fsm = reconnect.Reconnect(clock.now())
        self._configure(retry)

    @classmethod
    def accepted(cls, stream: aio.AioStream) -> Session:
        """Return a session on a connection that a peer made; it isn't made anew."""
        session = cls([stream.name], retry=False)
        session.fsm = reconnect.Reconnect(clock.now())
        session.fsm.set_quiet(True)
        session.fsm.set_name(stream.name)
        session.fsm.set_max_tries(0)
        session.fsm.connected(clock.now())
        session._take(stream)
        session._seen_seqno = session.seqno
        return session

    def _configure(self, retry: bool) -> None:
        now = clock.now()
        self._pick_remote()
        self.fsm.enable(now)
        self.fsm.set_backoff_free_tries(len(self.remotes))
        if target.is_passive(self.fsm.name):
            self.fsm.set_passive(True, now)
        elif not retry:
            self.fsm.set_max_tries(len(self.remotes))
            self.fsm.set_backoff(0x7FFFFFFF, 0x7FFFFFFF)
        if not target.needs_probes(self.fsm.name) or replay.is_active():
            self.fsm.set_probe_interval(0)

    # What owners call.

    def start(self) -> None:
        """Begin to work."""
        self._tasks.spawn("reconnect", self._work())

    async def close(self) -> None:
        """End the session."""
        self._closed = True
        self._drop()
        if self._listener is not None:
            self._listener.close()
        await self._tasks.close()
        self._arrived.set()

    @property
    def name(self) -> str:
        """The name of the peer."""
        return self.fsm.name

    @property
    def is_connected(self) -> bool:
        """Whether there is a connection."""
        return self.connection is not None

    @property
    def peer_id(self) -> str | None:
        """The common name in the peer's certificate, if it has one."""
        if self.connection is None:
            return None
        return self.connection.stream.peer_id or None

    @property
    def is_alive(self) -> bool:
        """Whether there is a connection or will be a try to make one."""
        if self._closed:
            return False
        trying = self._attempt is not None
        return self.is_connected or trying or self.fsm.max_tries > 0

    @property
    def backlog(self) -> int:
        """How many octets wait to be sent."""
        return 0 if self.connection is None else self.connection.backlog

    def send(self, message: Message) -> bool:
        """Send; False if there is no connection."""
        return self.connection is not None and self.connection.send(message)

    async def receive(self) -> Message | None:
        """Return the next message; None when `seqno` changed or the session ended."""
        while True:
            if self._seen_seqno != self.seqno:
                self._seen_seqno = self.seqno
                return None
            if self._queue:
                message = self._queue.popleft()
                self._fetched.set()
                return message
            if not self.is_alive:
                return None
            self._arrived.clear()
            await self._arrived.wait()

    def try_receive(self) -> Message | None:
        """Return a message if one is waiting."""
        if not self._queue:
            return None
        self._fetched.set()
        return self._queue.popleft()

    def force_reconnect(self) -> None:
        """Drop the connection and make it anew."""
        self.fsm.force_reconnect(clock.now())
        self._wake.set()

    def reset_backoff(self) -> None:
        """Try all remotes without waiting."""
        extra = 1 if self.is_connected else 0
        self.fsm.set_backoff_free_tries(len(self.remotes) + extra)

    def enable_reconnect(self) -> None:
        """Make the connection anew when it is lost."""
        self.fsm.set_max_tries(reconnect.UNLIMITED)
        self.fsm.set_backoff(
            reconnect.DEFAULT_MIN_BACKOFF, reconnect.DEFAULT_MAX_BACKOFF
        )

    def set_probe_interval(self, ms: int) -> None:
        """Probe a silent peer after that long; 0 for never."""
        self.fsm.set_probe_interval(0 if replay.is_active() else ms)
        self._wake.set()

    def set_max_backoff(self, ms: int) -> None:
        """Wait that long at most between tries."""
        self.fsm.set_backoff(0, ms)
        self._wake.set()

    def set_backlog_threshold(self, n_messages: int, n_octets: int) -> None:
        """Drop the connection when more than that waits to be sent; 0: no bound."""
        self.max_backlog_messages = n_messages
        self.max_backlog_octets = n_octets
        if self.connection is not None:
            self.connection.max_backlog_messages = n_messages
            self.connection.max_backlog_octets = n_octets

    def stats(self) -> reconnect.Stats:
        """Return statistics of the connection."""
        return self.fsm.stats(clock.now())

    # The work.

    async def _work(self) -> None:
        while not self._closed:
            action = self.fsm.run(clock.now())
            if action == reconnect.CONNECT:
                await self._connect()
            elif action == reconnect.DISCONNECT:
                self.fsm.disconnected(clock.now(), 0)
                self._drop()
            elif action == reconnect.PROBE:
                self.send(jsonrpc.Message(_ECHO, [], _ECHO))
            if not self.is_alive:
                self._arrived.set()
            self._wake.clear()
            timeout = self.fsm.timeout(clock.now())
            try:
                async with asyncio.timeout(None if timeout is None else timeout / 1000):
                    await self._wake.wait()
            except TimeoutError:
                # What has arrived must be read before the peer is called silent,
                # unless nobody fetches it: then it isn't the peer that is.
                await asyncio.sleep(0)
                if len(self._queue) < _MAX_QUEUED:
                    self.fsm.receive_attempted(clock.now())
                self._note_progress()

    def _note_progress(self) -> None:
        """Take it for a sign of life that a slow peer reads what we send."""
        if self.connection is not None and self.connection.stream.n_sent > self._n_sent:
            self._n_sent = self.connection.stream.n_sent
            if self.connection.backlog:
                self.fsm.activity(clock.now())

    async def _connect(self) -> None:
        self._drop()
        if self.fsm.passive:
            await self._listen()
        else:
            self.fsm.connecting(clock.now())
            self._attempt = self._tasks.spawn("connect", self._try(self.fsm.name))

    async def _listen(self) -> None:
        now = clock.now()
        try:
            if self._listener is None:
                self._listener = await aio.listen(
                    self.fsm.name, self._accept, target.OVSDB_PORT, self.dscp
                )
        except OSError as error:
            self._failed(error)
        else:
            self.fsm.listening(now)

    def _accept(self, stream: aio.AioStream) -> None:
        if self.connection is not None:
            _log.info_rl(
                _limit,
                "%s: new connection replacing active connection",
                self.fsm.name,
            )
            self._drop()
        self.fsm.connected(clock.now())
        self._take(stream)
        self._wake.set()

    async def _try(self, name: str) -> None:
        try:
            stream = await aio.open_stream(name, target.OVSDB_PORT, self.dscp)
        except OSError as error:
            self._attempt = None
            self._failed(error)
        else:
            self._attempt = None
            self.fsm.connected(clock.now())
            self._take(stream)
        self._wake.set()

    def _failed(self, error: OSError) -> None:
        self.last_error = error.errno or errno.EPROTO
        self.fsm.connect_failed(clock.now(), self.last_error)
        self._pick_remote()
        self._arrived.set()

    def _take(self, stream: aio.AioStream) -> None:
        self.connection = Connection(stream)
        self._n_sent = 0
        self.connection.max_backlog_messages = self.max_backlog_messages
        self.connection.max_backlog_octets = self.max_backlog_octets
        self.seqno += 1
        self._arrived.set()
        self._tasks.spawn("read", self._read(self.connection))

    async def _read(self, connection: Connection) -> None:
        error_number = 0
        try:
            while self.connection is connection:
                message = await connection.receive()
                now = clock.now()
                self.fsm.receive_attempted(now)
                self.fsm.activity(now)
                if self.connection is connection and not self._is_echo(message):
                    await self._deliver(message)
        except OSError as error:
            error_number = error.errno or errno.EPROTO
        if self.connection is connection:
            self.last_error = error_number
            self.fsm.disconnected(clock.now(), error_number)
            self._drop()
            self._wake.set()

    async def _deliver(self, message: Message) -> None:
        while len(self._queue) >= _MAX_QUEUED:
            self._fetched.clear()
            await self._fetched.wait()
        self._queue.append(message)
        self._arrived.set()

    def _is_echo(self, message: Message) -> bool:
        """Answer the peer's probes, swallow the answers to ours."""
        if message.kind == jsonrpc.REQUEST and message.method == _ECHO:
            self.send(jsonrpc.Message.reply(message.params, message.id))
            return True
        return message.kind == jsonrpc.REPLY and message.id == _ECHO

    def _drop(self) -> None:
        """Close the connection, or give up the try to make one."""
        if self._attempt is not None:
            self._attempt.cancel()
            self._attempt = None
        elif self.connection is not None:
            self.connection.close()
            self.connection = None
            self._queue.clear()
            self._fetched.set()
        else:
            return
        self.seqno += 1
        self._pick_remote()
        self._arrived.set()

    def _pick_remote(self) -> None:
        self.fsm.set_name(self.remotes[self._next_remote % len(self.remotes)])
        self._next_remote += 1
