# SPDX-License-Identifier: Apache-2.0
"""Streams for the event loop: connecting and listening.

`open_stream()` and `listen()` give streams (`aio_stream`), encrypted ones where the
method says so. Addresses and names of peers have the reference's form
("tcp:127.0.0.1:34567", "unix#3").
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from typing import TYPE_CHECKING

from ovswitch.runtime import aio_replay, fatal, replay, ssl_config, target, vlog
from ovswitch.runtime.aio_stream import READ_LIMIT, AioStream, Listener
from ovswitch.runtime.aio_tls import TlsStream

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from ovswitch.runtime.target import Target

_log = vlog.Module("socket_util")
_fd_log = vlog.Module("stream_fd")
_unix_log = vlog.Module("stream_unix")
_bind_log = vlog.Module("socket_util_unix")
_tcp_log = vlog.Module("stream_tcp")
__all__ = [
    "READ_LIMIT",
    "AioStream",
    "Listener",
    "bind_unix",
    "listen",
    "open_stream",
    "set_dscp",
]
_bind_limit = vlog.RateLimit(1, 5)
_limit = vlog.RateLimit(10, 25)

_next_unix_number = 0


async def open_stream(
    name: str, default_port: int = target.OVSDB_PORT, dscp: int = 0
) -> AioStream:
    """Connect to an active method. To give up earlier, cancel.

    Raises: OSError.
    """
    if replay.playback is not None:
        return aio_replay.player(replay.playback).open_stream(name)
    where = target.parse_to_connect(name, default_port)
    try:
        opening = _open_unix(where) if where.is_unix else _open_inet(where, dscp)
        stream = await opening
    except OSError as error:
        if replay.recording is not None:
            replay.recording.open(name, error.errno or errno.EPROTO)
        raise
    if replay.recording is not None:
        stream.recorder = replay.recording.open(name)
    return stream


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
    try:
        family, address = await _resolve(where)
    except OSError as error:
        target.log_unreachable(where.full_name, error)
        raise
    raw = socket.socket(family, socket.SOCK_STREAM)
    raw.setblocking(False)
    try:
        set_dscp(raw, dscp)
        await loop.sock_connect(raw, address)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if context is None:
            return await _adopt(raw, AioStream(where.name))
        return await _adopt_ssl(raw, where, context)
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
    raw: socket.socket, where: Target, context: ssl.SSLContext
) -> AioStream:
    """Shake hands as a client."""
    name = ssl_config.server_name(where.host)
    stream = TlsStream(where.name, context, is_server=False, server_name=name)
    try:
        await _adopt(raw, stream)
        await stream.shaken()
    except (OSError, asyncio.CancelledError):
        stream.abort()
        raise
    return stream


def set_dscp(raw: socket.socket, dscp: int) -> None:
    """Set the DSCP of a TCP socket's packets; must precede connecting."""
    if not dscp:
        return
    if raw.family == socket.AF_INET6:
        raw.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, dscp << 2)
    else:
        raw.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, dscp << 2)


class _SocketListener(Listener):
    """A listening socket; a unix socket's file is removed at the end."""

    def __init__(
        self,
        where: Target,
        raw: socket.socket,
        accept: Callable[[AioStream], None],
        refused: Callable[[OSError], None] = lambda _error: None,
    ) -> None:
        port = 0 if where.is_unix else int(raw.getsockname()[1])
        bound_name = where.name if where.is_unix else _bound_name(where, raw)
        super().__init__(where.name, bound_name, port)
        self.recorder: replay.Writer | None = None
        self._where = where
        self._raw = raw
        self._accept = accept
        self._refused = refused
        self._arriving: set[asyncio.Task[None]] = set()
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(raw.fileno(), self._on_ready)

    def close(self) -> None:
        """Stop listening; a unix socket's file is removed."""
        if self._raw.fileno() < 0:
            return
        self._loop.remove_reader(self._raw.fileno())
        self._raw.close()
        for task in self._arriving:
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
        stream = AioStream(name)
        if self._where.is_ssl:
            try:
                context = ssl_config.settings.context(server=True)
            except OSError as error:
                raw.close()
                self._refused(error)
                return
            stream = TlsStream(name, context, is_server=True)
        body = self._hand_over(raw, stream)
        task = self._loop.create_task(body, name=f"accept {name}")
        self._arriving.add(task)

        def forget(done: asyncio.Task[None]) -> None:
            self._arriving.discard(done)
            if done.cancelled():
                raw.close()

        task.add_done_callback(forget)

    async def _hand_over(self, raw: socket.socket, stream: AioStream) -> None:
        try:
            await _adopt(raw, stream)
        except OSError:
            raw.close()
        else:
            if self.recorder is not None and replay.recording is not None:
                self.recorder.read(os.fsencode(stream.name))
                stream.recorder = replay.recording.open(stream.name)
            self._accept(stream)


async def listen(
    name: str,
    accept: Callable[[AioStream], None],
    default_port: int = target.OVSDB_PORT,
    dscp: int = 0,
    refused: Callable[[OSError], None] = lambda _error: None,
) -> Listener:
    """Listen by a passive method; `accept` gets each new connection.

    `refused` is told why a connection can't be had: SSL isn't configured.
    Raises: OSError.
    """
    if replay.playback is not None:
        return aio_replay.player(replay.playback).listen(name, accept)
    try:
        listener = await _listen(name, accept, default_port, dscp, refused)
    except OSError as error:
        if replay.recording is not None:
            replay.recording.open(name, error.errno or errno.EPROTO)
        raise
    if replay.recording is not None:
        listener.recorder = replay.recording.open(name)
    return listener


async def _listen(
    name: str,
    accept: Callable[[AioStream], None],
    default_port: int,
    dscp: int,
    refused: Callable[[OSError], None],
) -> _SocketListener:
    where = target.parse_passive(name, default_port)
    if where.is_unix:
        return _SocketListener(where, bind_unix(where.path), accept)
    family, address = await _resolve(where)
    raw = _bind_inet(where, family, address, dscp)
    return _SocketListener(where, raw, accept, refused)


def _bound_name(where: Target, raw: socket.socket) -> str:
    host, port = raw.getsockname()[:2]
    return f"{where.kind}:{port}:{f'[{host}]' if ':' in host else host}"


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
