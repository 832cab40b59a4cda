# SPDX-License-Identifier: Apache-2.0
"""Streams of a replay on the event loop: what was recorded takes the place of peers.

One event is played at a time, in the order of their numbers; then everything that it
sets off happens before the next one.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ovswitch.runtime import loop
from ovswitch.runtime.aio_stream import AioStream, Listener

if TYPE_CHECKING:
    from collections.abc import Callable

    from ovswitch.runtime.replay import Playback, Reader, Record

_player: Player | None = None
_TURNS = 20  # of the loop, for what an event sets off


class ReplayedStream(AioStream):
    """A stream that a recording tells of; what is written to it goes nowhere."""

    def play(self, record: Record) -> None:
        """Have something happen to the stream."""
        if record.error:
            text = os.strerror(record.error)
            self.connection_lost(OSError(record.error, text))
        elif record.octets:
            self.data_received(record.octets)
        else:
            self.eof_received()

    def write(self, octets: bytes) -> None:
        """Write nowhere."""

    @property
    def is_closed(self) -> bool:
        """Whether the end has come."""
        return self._ended


class ReplayedListener(Listener):
    """A passive method that a recording tells of."""

    def __init__(
        self, player: Player, name: str, accept: Callable[[AioStream], None]
    ) -> None:
        super().__init__(name, name, 0)
        self._player = player
        self._accept = accept

    def play(self, record: Record) -> None:
        """Have a peer connect."""
        if record.octets:
            name = record.octets.decode("utf-8", "surrogateescape")
            self._accept(self._player.open_stream(name))

    def close(self) -> None:
        """Accept nobody any more."""
        self._player.forget(self)


def player(playback: Playback) -> Player:
    """Return what plays the process's recording."""
    global _player
    if _player is None:
        _player = Player(playback)
    return _player


class Player:
    """Plays all files of a recording on the event loop."""

    def __init__(self, playback: Playback) -> None:
        self._playback = playback
        self._readers: dict[ReplayedStream | ReplayedListener, Reader] = {}
        self._is_running = False

    def open_stream(self, name: str) -> AioStream:
        """Return the next stream of that name. Raises: OSError."""
        reader = self._playback.open(name)
        stream = ReplayedStream(name)
        self._add(stream, reader)
        return stream

    def listen(
        self, name: str, accept: Callable[[AioStream], None]
    ) -> ReplayedListener:
        """Return the listener of that name. Raises: OSError."""
        reader = self._playback.open(name)
        listener = ReplayedListener(self, name, accept)
        self._add(listener, reader)
        return listener

    def forget(self, owner: ReplayedStream | ReplayedListener) -> None:
        """Play nothing more to it."""
        self._readers.pop(owner, None)

    def _add(self, owner: ReplayedStream | ReplayedListener, reader: Reader) -> None:
        self._readers[owner] = reader
        if not self._is_running:
            self._is_running = True
            loop.spawn("replay", self._play())

    async def _play(self) -> None:
        """Play everything that there is."""
        while True:
            for _ in range(_TURNS):
                await loop.yield_now()
            owner = self._first()
            if owner is None:
                self._is_running = False
                return
            record = self._readers[owner].take()
            assert record is not None
            owner.play(record)

    def _first(self) -> ReplayedStream | ReplayedListener | None:
        """Return to whom something happens next."""
        best = None
        lowest = 0
        for owner, reader in self._readers.items():
            number = reader.next_number
            if number is not None and (best is None or number < lowest):
                best, lowest = owner, number
        return best
