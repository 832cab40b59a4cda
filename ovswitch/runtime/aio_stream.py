# SPDX-License-Identifier: Apache-2.0
"""One connection on the event loop: reading, writing, and when to stop doing so.

A stream's input buffer is bounded: above `READ_LIMIT` octets that nobody fetched, the
socket isn't read any more. Output is queued without bound; whoever writes watches
`backlog` or awaits `drain()`. What a peer hasn't taken a second after `close()` is
dropped.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ovswitch.runtime.replay import Writer

READ_LIMIT = 1 << 20
_LINGER_SECONDS = 1


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
        self._n_written = 0
        self.recorder: Writer | None = None
        self._paused = False
        self._reading_paused = False

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection over."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.set_write_buffer_limits(high=0)  # tell of any backlog

    def data_received(self, data: bytes) -> None:
        """Keep what arrived until somebody reads."""
        if self.recorder is not None:
            self.recorder.read(data)
        self._buffer += data
        if len(self._buffer) > READ_LIMIT and not self._reading_paused:
            self._reading_paused = True
            if self._transport is not None:
                self._transport.pause_reading()
        self._wake_reader()

    def eof_received(self) -> bool:
        """Note that the peer will send no more; the owner closes."""
        self._record_end(None)
        self._ended = True
        self._wake_reader()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """Note the end."""
        self._record_end(exc)
        if self.recorder is not None:
            self.recorder.close()
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
            self._n_written += len(octets)
            if self.recorder is not None:
                self.recorder.wrote(len(octets))

    @property
    def n_sent(self) -> int:
        """How many octets were sent so far."""
        return self._n_written - self.backlog

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
        """Wait until all that was written has been sent, or never will be."""
        if self._paused and self._transport is not None:
            waiter = asyncio.get_running_loop().create_future()
            self._writers.append(waiter)
            await waiter

    def close(self) -> None:
        """Close after what is queued was sent."""
        self._ended = True
        transport = self._transport
        if transport is not None:
            transport.close()
            if transport.get_write_buffer_size():
                loop = asyncio.get_running_loop()
                loop.call_later(_LINGER_SECONDS, transport.abort)
        self._wake_reader()

    def abort(self) -> None:
        """Close at once."""
        self._ended = True
        if self._transport is not None:
            self._transport.abort()
        self._wake_reader()

    def _record_end(self, error: Exception | None) -> None:
        if self.recorder is not None and not self._ended:
            number = getattr(error, "errno", None)
            if number:
                self.recorder.failed(number)
            else:
                self.recorder.read(b"")

    def _wake_reader(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    def _raise_error(self) -> None:
        if isinstance(self._error, OSError):
            error, self._error = self._error, None
            raise error


class Listener:
    """A passive method at work. `bound_port` is its TCP port, 0 for unix sockets."""

    def __init__(self, name: str, bound_name: str, bound_port: int) -> None:
        self.name = name
        self.bound_name = bound_name
        self.bound_port = bound_port

    def close(self) -> None:
        """Stop listening."""
