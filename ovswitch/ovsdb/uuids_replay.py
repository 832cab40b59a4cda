# SPDX-License-Identifier: Apache-2.0
"""UUIDs of a recording: the same ones are made when it is replayed."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ovswitch.ovsdb import uuids
from ovswitch.runtime import replay

if TYPE_CHECKING:
    from ovswitch.runtime.replay import Reader, Writer

_NAME = "__uuid_generate"
_PARTS = struct.Struct("=4I")  # four numbers in the machine's order
_WIRE = struct.Struct("!4I")


def start() -> None:
    """Record the UUIDs that are made, or make recorded ones.

    Raises: OSError: the record isn't there.
    """
    if replay.recording is not None:
        writer = replay.recording.open(_NAME, counts_opening=False)
        if writer is not None:
            uuids.draw_from(_Recorded(writer))
    elif replay.playback is not None:
        reader = replay.playback.open(_NAME, was_counted=False)
        uuids.draw_from(_Replayed(reader))


class _Recorded(list[str]):
    """New UUIDs; those that are taken are recorded."""

    def __init__(self, writer: Writer) -> None:
        super().__init__()
        self._writer = writer

    def pop(self, index: int = -1, /) -> str:  # type: ignore[override]  # it is an int
        uuid = super().pop(index)
        parts = _WIRE.unpack(bytes.fromhex(uuid.replace("-", "")))
        self._writer.read(_PARTS.pack(*parts))
        return uuid


class _Replayed(list[str]):
    """Recorded UUIDs, then new ones."""

    def __init__(self, reader: Reader) -> None:
        super().__init__()
        while (record := reader.take()) is not None:
            if len(record.octets) == _PARTS.size:
                digits = _WIRE.pack(*_PARTS.unpack(record.octets)).hex()
                self.append(uuids.from_digits(digits))
        self.reverse()
