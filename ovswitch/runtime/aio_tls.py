# SPDX-License-Identifier: Apache-2.0
"""An encrypted connection on the event loop.

OpenSSL works between two buffers in memory; the transport below carries what they
hold. asyncio's own encryption isn't used: it keeps a peer that shakes hands from its
owner, so that no probe can end it, and drops the alert that says why that failed.

Until the peers have shaken hands, what is written waits, and nothing can be read. That
the handshake failed shows as an error of reading.

Source: lib/stream-ssl.c, for log lines and error numbers.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import ssl
from typing import TYPE_CHECKING

from ovswitch.runtime import content, ssl_config, vlog
from ovswitch.runtime.aio_stream import AioStream

if TYPE_CHECKING:
    from typing import Any

_CHUNK = 1 << 16

_log = vlog.Module("stream_ssl")
_limit = vlog.RateLimit(10, 25)


class TlsStream(AioStream):
    """One encrypted connection."""

    def __init__(
        self,
        name: str,
        context: ssl.SSLContext,
        *,
        is_server: bool,
        server_name: str | None = None,
    ) -> None:
        super().__init__(name)
        self._is_server = is_server
        self._received = ssl.MemoryBIO()
        self._unsent = ssl.MemoryBIO()
        self._ssl = context.wrap_bio(
            self._received,
            self._unsent,
            server_side=is_server,
            server_hostname=server_name,
        )
        self._is_shaken = False
        self._early = bytearray()  # to be sent after the handshake
        self._head = b""  # the peer's first octets
        self._waiter: asyncio.Future[None] | None = None

    async def shaken(self) -> None:
        """Wait for the end of the handshake.

        Raises: OSError: it failed; that was logged.
        """
        if not self._is_shaken and not self._ended:
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        if not self._is_shaken:
            raise self._error or _protocol_error()

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection over and begin to shake hands."""
        super().connection_made(transport)
        if not self._is_server:
            self._advance()

    def data_received(self, data: bytes) -> None:
        """Decrypt what arrived."""
        if len(self._head) < 2:
            self._head += data[:2]
        self._received.write(data)
        self._advance()

    def eof_received(self) -> bool:
        """Note that the peer will send no more."""
        self._received.write_eof()
        self._advance()
        super().eof_received()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Note the end."""
        if isinstance(exc, OSError):
            self._note_error(exc)
        super().connection_lost(None)
        self._wake_waiter()

    # What owners call.

    def write(self, octets: bytes) -> None:
        """Encrypt and send, or queue for sending."""
        if not self._is_shaken:
            self._early += octets
        elif octets and not self.is_closed:
            self._encrypt(octets)

    def close(self) -> None:
        """Say farewell and close after what is queued was sent."""
        if self._is_shaken and not self.is_closed:
            with contextlib.suppress(ssl.SSLError):
                self._ssl.unwrap()  # we don't wait for the peer to say it too
            self._flush()
        super().close()

    # The work.

    def _advance(self) -> None:
        """Shake hands or read, as far as what has arrived allows."""
        try:
            if not self._is_shaken:
                self._ssl.do_handshake()
                self._on_shaken()
            while plain := self._ssl.read(_CHUNK):
                super().data_received(plain)
        except ssl.SSLWantReadError:
            self._flush()
        except ssl.SSLZeroReturnError:
            super().eof_received()
            self.close()
        except OSError as error:
            self._flush()  # the alert that says why
            self._fail(error)

    def _on_shaken(self) -> None:
        self._is_shaken = True
        self._flush()
        try:
            self.peer_id = ssl_config.settings.accept_peer(
                self._ssl, client=not self._is_server
            )
        except OSError as error:
            self._error = error
            self._is_shaken = False
            self.abort()
        early, self._early = bytes(self._early), bytearray()
        self.write(early)
        self._wake_waiter()

    def _fail(self, error: OSError) -> None:
        self._note_error(error)
        self.close()

    def _note_error(self, error: OSError) -> None:
        if self._error is None and not self._ended:
            if self._is_shaken:
                self._error = ssl_config.read_error(error)
            else:
                self._error = self._handshake_failure(error)

    def _handshake_failure(self, error: OSError) -> OSError:
        function = "SSL_accept" if self._is_server else "SSL_connect"
        _log.warn_rl(_limit, "%s: %s", function, ssl_config.describe(error))
        content.report(_log, self.name, self._head, content.SSL)
        return _protocol_error()

    def _encrypt(self, octets: bytes) -> None:
        view = memoryview(octets)
        try:
            while view:
                view = view[self._ssl.write(view) :]
        except OSError as error:
            self._fail(error)
        self._flush()

    def _flush(self) -> None:
        """Hand over to the transport what OpenSSL wants to send."""
        octets = self._unsent.read()
        if octets:
            super().write(octets)

    def _wake_waiter(self) -> None:
        waiter: asyncio.Future[Any] | None = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)


def _protocol_error() -> OSError:
    return OSError(errno.EPROTO, os.strerror(errno.EPROTO))
