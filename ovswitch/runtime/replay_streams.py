# SPDX-License-Identifier: Apache-2.0
"""`--record` and `--replay` for tools, whose streams block."""

from __future__ import annotations

import _socket
import os
from typing import TYPE_CHECKING

from ovswitch.runtime import replay, target

if TYPE_CHECKING:
    from collections.abc import Callable

    from ovswitch.runtime.replay import Reader


def start(option: str, folder: str | None) -> None:
    """Carry out `--record` or `--replay`."""
    replay.start(option, folder)
    target.set_opener(_open)


class _ReplayedStream(target.Stream):
    """A stream that a recording tells of; what is sent goes nowhere."""

    def __init__(self, name: str, reader: Reader) -> None:
        # Whoever waits until there is something to read finds that there is.
        ours, theirs = _socket.socketpair()
        theirs.close()
        super().__init__(name, ours)
        self._reader = reader

    def send(self, octets: bytes) -> None:
        """Send nowhere."""

    def recv(self, _timeout_ms: int = -1, _size: int = 65536) -> bytes | None:
        """Return what was received next, b"" at the end.

        Raises: OSError: that happened.
        """
        record = self._reader.take()
        if record is None:
            return b""
        if record.error:
            raise OSError(record.error, os.strerror(record.error))
        return record.octets


def _open(name: str, connect: Callable[[], target.Stream]) -> target.Stream:
    """Connect and record that, or play what was recorded. Raises: OSError."""
    if replay.playback is not None:
        return _ReplayedStream(name, replay.playback.open(name))
    assert replay.recording is not None
    try:
        stream = connect()
    except OSError as error:
        replay.recording.open(name, error.errno or 0)
        raise
    stream.recorder = replay.recording.open(name)
    return stream
