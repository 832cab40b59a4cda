# SPDX-License-Identifier: Apache-2.0
"""Streams for the event loop: connecting, listening, reading, writing.

A stream's input buffer is bounded: above `READ_LIMIT` octets nobody fetched, the
socket isn't read any more. Output is queued without bound; whoever writes watches
`backlog` or awaits `drain()`. Addresses and names of peers have the reference's form
("tcp:127.0.0.1:34567", "unix#3").
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import ssl
from typing import TYPE_CHECKING

from ovswitch.runtime import fatal, ssl_config, target, vlog

if TYPE_CHECKING:
    from collections.abc import Callable

    from ovswitch.runtime.target import Target

READ_LIMIT = 1 << 20
_BACKLOG_LIMIT = 1 << 20  # drain() waits above this

_log = vlog.Module("socket_util")
_fd_log = vlog.Module("stream_fd")
_unix_log = vlog.Module("stream_unix")
_bind_log = vlog.Module("socket_util_unix")
_tcp_log = vlog.Module("stream_tcp")
_ssl_log = vlog.Module("stream_ssl")
_bind_limit = vlog.RateLimit(1, 5)
_limit = vlog.RateLimit(10, 25)

_next_unix_number = 0


class AioStream(asyncio.Protocol):
    """One connection."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.peer_id = ""  # common name in an SSL peer's certificate
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._ended = False
        self._error: Exception | None = None
        self._reader: asyncio.Future[None] | None = None
        self._writers: list[asyncio.Future[None]] = []
        self._paused = False
        self._reading_paused = False

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection over."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.set_write_buffer_limits(high=_BACKLOG_LIMIT)

    def data_received(self, data: bytes) -> None:
        """Keep what arrived until somebody reads."""
        self._buffer += data
        if len(self._buffer) > READ_LIMIT and not self._reading_paused:
            self._reading_paused = True
            if self._transport is not None:
                self._transport.pause_reading()
        self._wake_reader()

    def eof_received(self) -> bool:
        """Note that the peer will send no more; the owner closes."""
        self._ended = True
        self._wake_reader()
        return self._transport is None or not self._is_ssl()

    def connection_lost(self, exc: Exception | None) -> None:
        """Note the end."""
        self._ended = True
        self._error = self._error or exc
        self._transport = None
        self._wake_reader()
        self.resume_writing()

    def pause_writing(self) -> None:
        """Note that the peer is slow."""
        self._paused = True

    def resume_writing(self) -> None:
        """Wake those who wait for the peer."""
        self._paused = False
        writers, self._writers = self._writers, []
        for waiter in writers:
            if not waiter.done():
                waiter.set_result(None)

    # What owners call.

    async def read(self) -> bytes:
        """Return what has arrived, waiting for it if need be; b"" at the end.

        Raises: OSError.
        """
        while not self._buffer:
            if self._ended:
                self._raise_error()
                return b""
            self._reader = asyncio.get_running_loop().create_future()
            try:
                await self._reader
            finally:
                self._reader = None
        octets = bytes(self._buffer)
        self._buffer.clear()
        if self._reading_paused:
            self._reading_paused = False
            if self._transport is not None:
                self._transport.resume_reading()
        return octets

    def write(self, octets: bytes) -> None:
        """Send, or queue for sending."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(octets)

    @property
    def backlog(self) -> int:
        """How many octets are queued for sending."""
        if self._transport is None:
            return 0
        return self._transport.get_write_buffer_size()

    @property
    def is_closed(self) -> bool:
        """Whether nothing can be sent any more."""
        return self._transport is None or self._transport.is_closing()

    async def drain(self) -> None:
        """Wait until the queue is short again."""
        if self._paused and self._transport is not None:
            waiter = asyncio.get_running_loop().create_future()
            self._writers.append(waiter)
            await waiter

    def close(self) -> None:
        """Close after what is queued was sent."""
        self._ended = True
        if self._transport is not None:
            self._transport.close()
        self._wake_reader()

    def abort(self) -> None:
        """Close at once."""
        self._ended = True
        if self._transport is not None:
            self._transport.abort()
        self._wake_reader()

    def extra(self, name: str) -> object:
        """Return a fact about the connection: asyncio's `get_extra_info()`."""
        return None if self._transport is None else self._transport.get_extra_info(name)

    def _is_ssl(self) -> bool:
        return self.extra("ssl_object") is not None

    def _wake_reader(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    def _raise_error(self) -> None:
        if isinstance(self._error, ssl.SSLError):
            _ssl_log.warn_rl(_limit, "SSL_read: %s", self._error)
            raise OSError(errno.EPROTO, os.strerror(errno.EPROTO))
        if isinstance(self._error, OSError):
            raise self._error


async def open_stream(
    name: str, default_port: int = target.OVSDB_PORT, dscp: int = 0
) -> AioStream:
    """Connect to an active method. To give up earlier, cancel.

    Raises: OSError.
    """
    where = target.parse_active(name, default_port)
    if where.is_unix:
        return await _open_unix(where)
    return await _open_inet(where, dscp)


async def _open_unix(where: Target) -> AioStream:
    raw = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    raw.setblocking(False)
    short = target.UnixPath(where.path)
    try:
        raw.connect(short.text)  # never waits
    except OSError as error:
        raw.close()
        number = error.errno or 0
        if number == errno.EAGAIN:  # too many wait already
            number = errno.EPROTO
        text = os.strerror(number)
        _unix_log.dbg("%s: connection failed (%s)", where.path, text)
        raise OSError(number, text) from None
    finally:
        short.close()
    return await _adopt(raw, AioStream(where.name))


async def _open_inet(where: Target, dscp: int) -> AioStream:
    loop = asyncio.get_running_loop()
    context = None
    if where.is_ssl:
        context = ssl_config.settings.context(server=False)
    family, address = await _resolve(where)
    raw = socket.socket(family, socket.SOCK_STREAM)
    raw.setblocking(False)
    try:
        set_dscp(raw, dscp)
        await loop.sock_connect(raw, address)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        stream = AioStream(where.name)
        if context is None:
            return await _adopt(raw, stream)
        return await _adopt_ssl(raw, stream, context, where.host)
    except (OSError, asyncio.CancelledError):
        raw.close()
        raise


async def _resolve(where: Target) -> tuple[int, tuple[str, int]]:
    if not where.host or target.literal_address(where.host, where.port) is not None:
        return target.resolve(where)
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(None, target.resolve, where)


async def _adopt(raw: socket.socket, stream: AioStream) -> AioStream:
    await asyncio.get_running_loop().connect_accepted_socket(lambda: stream, raw)
    return stream


async def _adopt_ssl(
    raw: socket.socket, stream: AioStream, context: ssl.SSLContext, host: str
) -> AioStream:
    """Shake hands as a client. OpenSSL's complaints become EPROTO."""
    loop = asyncio.get_running_loop()
    try:
        await loop.create_connection(
            lambda: stream,
            sock=raw,
            ssl=context,
            server_hostname=ssl_config.server_name(host) or "",
        )
    except ssl.SSLError as error:
        _ssl_log.warn_rl(_limit, "SSL_connect: %s", error)
        raise OSError(errno.EPROTO, os.strerror(errno.EPROTO)) from None
    except ConnectionError:
        _ssl_log.warn_rl(_limit, "SSL_connect: unexpected SSL connection close")
        raise OSError(errno.EPROTO, os.strerror(errno.EPROTO)) from None
    _check_peer(stream, client=True)
    return stream


def _check_peer(stream: AioStream, *, client: bool) -> None:
    peer = stream.extra("ssl_object")
    assert isinstance(peer, ssl.SSLObject)
    try:
        stream.peer_id = ssl_config.settings.accept_peer(peer, client=client)
    except OSError:
        stream.abort()
        raise


def set_dscp(raw: socket.socket, dscp: int) -> None:
    """Set the DSCP of a TCP socket's packets; must precede connecting."""
    if not dscp:
        return
    if raw.family == socket.AF_INET6:
        raw.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, dscp << 2)
    else:
        raw.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, dscp << 2)


class Listener:
    """A passive method at work. `bound_port` is its TCP port, 0 for unix sockets."""

    def __init__(
        self,
        where: Target,
        raw: socket.socket,
        accept: Callable[[AioStream], None],
    ) -> None:
        self.name = where.name
        self.bound_port = 0 if where.is_unix else int(raw.getsockname()[1])
        self._where = where
        self._raw = raw
        self._accept = accept
        self._handshakes: set[asyncio.Task[None]] = set()
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(raw.fileno(), self._on_ready)

    def close(self) -> None:
        """Stop listening; a unix socket's file is removed."""
        if self._raw.fileno() < 0:
            return
        self._loop.remove_reader(self._raw.fileno())
        self._raw.close()
        for task in self._handshakes:
            task.cancel()
        if self._where.is_unix:
            fatal.unlink_now(self._where.path)

    def _on_ready(self) -> None:
        for _ in range(10):  # then others get their turn
            try:
                raw, address = self._raw.accept()
            except BlockingIOError:
                return
            except OSError as error:
                text = os.strerror(error.errno or 0)
                _fd_log.dbg_rl(_limit, "accept: %s", text)
                if error.errno in {errno.EMFILE, errno.ENFILE, errno.ENOMEM}:
                    self._pause()
                return
            raw.setblocking(False)
            self._start(raw, self._peer_name(address))

    def _pause(self) -> None:
        """Leave peers waiting for a second: the process is out of descriptors."""
        self._loop.remove_reader(self._raw.fileno())
        self._loop.call_later(1, self._resume)

    def _resume(self) -> None:
        if self._raw.fileno() >= 0:
            self._loop.add_reader(self._raw.fileno(), self._on_ready)

    def _peer_name(self, address: object) -> str:
        global _next_unix_number
        if self._where.is_unix:
            if isinstance(address, str) and address:
                return f"unix:{address}"
            _next_unix_number += 1
            return f"unix#{_next_unix_number - 1}"
        assert isinstance(address, tuple)
        host, port = address[0], address[1]
        shown = f"[{host}]" if ":" in str(host) else host
        return f"{'ssl' if self._where.is_ssl else 'tcp'}:{shown}:{port}"

    def _start(self, raw: socket.socket, name: str) -> None:
        if not self._where.is_unix:
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        task = self._loop.create_task(self._hand_over(raw, name), name=f"accept {name}")
        self._handshakes.add(task)

        def forget(done: asyncio.Task[None]) -> None:
            self._handshakes.discard(done)
            if done.cancelled():
                raw.close()

        task.add_done_callback(forget)

    async def _hand_over(self, raw: socket.socket, name: str) -> None:
        stream = AioStream(name)
        try:
            if self._where.is_ssl:
                await self._shake_hands(raw, stream)
            else:
                await _adopt(raw, stream)
        except OSError:
            raw.close()
            return
        self._accept(stream)

    async def _shake_hands(self, raw: socket.socket, stream: AioStream) -> None:
        try:
            await self._loop.connect_accepted_socket(
                lambda: stream, raw, ssl=ssl_config.settings.context(server=True)
            )
        except ssl.SSLError as error:
            _ssl_log.warn_rl(_limit, "SSL_accept: %s", error)
            raise
        except ConnectionError:
            text = "SSL_accept: unexpected SSL connection close"
            _ssl_log.warn_rl(_limit, text)
            raise
        _check_peer(stream, client=False)


async def listen(
    name: str,
    accept: Callable[[AioStream], None],
    default_port: int = target.OVSDB_PORT,
    dscp: int = 0,
) -> Listener:
    """Listen by a passive method; `accept` gets each new connection.

    Raises: OSError.
    """
    where = target.parse_passive(name, default_port)
    if where.is_unix:
        return Listener(where, bind_unix(where.path), accept)
    if where.is_ssl:
        ssl_config.settings.context(server=True)
    family, address = await _resolve(where)
    return Listener(where, _bind_inet(where, family, address, dscp), accept)


def bind_unix(path: str, backlog: int = 64) -> socket.socket:
    """Return a listening unix socket; its file is removed when the program ends.

    The owner and the group may connect, as far as the umask lets them.
    Raises: OSError.
    """
    raw = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    raw.setblocking(False)
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass
    except OSError as error:
        text = os.strerror(error.errno or 0)
        _bind_log.warn('unlinking "%s": %s', path, text)
    fatal.unlink_at_exit(path)
    try:
        os.fchmod(raw.fileno(), 0o770)  # Linux applies that to the file
        short = target.UnixPath(path)
        try:
            raw.bind(short.text)
        finally:
            short.close()
        raw.listen(backlog)
    except OSError as error:
        raw.close()
        fatal.unlink_now(path)
        text = os.strerror(error.errno or 0)
        _unix_log.err("%s: binding failed: %s", path, text)
        raise
    return raw


def _bind_inet(
    where: Target, family: int, address: tuple[str, int], dscp: int
) -> socket.socket:
    shown = where.name.partition(":")[2]
    raw = socket.socket(family, socket.SOCK_STREAM)
    raw.setblocking(False)
    try:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        raw.bind(address)
        set_dscp(raw, dscp)
        raw.listen(10)
    except OSError as error:
        raw.close()
        text = os.strerror(error.errno or 0)
        _log.err_rl(_bind_limit, "%s: bind: %s", shown, text)
        raise
    if not where.port:
        _log.info("%s: listening on port %d", shown, raw.getsockname()[1])
    return raw
