# SPDX-License-Identifier: Apache-2.0
"""Recording what a program reads, and running it again from the record.

`--record` writes a file for each stream, each listener and the UUIDs that are made;
with `--replay`, these files take the place of the world. A file has records: a sequence
number and a length, integers of the machine's order, and what was read. What is written
shows as a record with a negative number and no octets; a negative length is an error.
The numbers are unique over all files of a recording, so that everything happens again
in its order. A file's name has the stream's, but for digits and punctuation, and the
number that was next when it was opened.

What a peer did is played back, not when: timers run as they do.

Source: the files and options of lib/ovs-replay.c and lib/stream-replay.c.
"""

from __future__ import annotations

import errno
import os
import struct
from typing import TYPE_CHECKING

from ovswitch.runtime import dirs, vlog

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

_HEADER = struct.Struct("=ii")
_MAX_RECORD = 1 << 26
_RING = 4096

_log = vlog.Module("ovs_replay")
_limit = vlog.RateLimit(10, 25)

recording: Recording | None = None
playback: Playback | None = None


def start(option: str, folder: str | None) -> None:
    """Carry out `--record` or `--replay`; the default folder is the run directory."""
    global recording, playback
    folder = os.path.join(dirs.rundir(), folder or "")
    if option == "record":
        recording, playback = Recording(folder), None
    else:
        recording, playback = None, Playback(folder)


def is_active() -> bool:
    """Return whether there is a recording or a replay."""
    return recording is not None or playback is not None


def stem(name: str) -> str:
    """Return a file's name for a stream, without the number at its end."""
    letters = "".join(c if c.isascii() and c.isalpha() else " " for c in name)
    lead = "_" if letters.startswith(" ") else ""
    return f"replay_{lead}{'_'.join(letters.split())}_"


class Recording:
    """The files that are being written."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._next = 0

    def open(
        self, name: str, error: int = 0, *, counts_opening: bool = True
    ) -> Writer | None:
        """Begin the file of a stream that was opened, or failed to open."""
        path = os.path.join(self._folder, f"{stem(name)}{self._next}")
        try:
            file = open(path, "wb", buffering=0)  # noqa: SIM115  the writer closes it
        except OSError as problem:
            text = os.strerror(problem.errno or 0)
            _log.err_rl(_limit, "%s: fopen failed: %s", path, text)
            return None
        self._next += 1
        writer = Writer(self, file)
        if counts_opening:
            writer.failed(error)
        if error:
            writer.close()
        return writer

    def number(self) -> int:
        """Return the next record's number."""
        self._next += 1
        return self._next - 1


class Writer:
    """One file of a recording."""

    __slots__ = ("_file", "_position", "_recording")

    def __init__(self, owner: Recording, file: BinaryIO) -> None:
        self._recording = owner
        self._file = file
        self._position = 0  # in the stream

    def read(self, octets: bytes) -> None:
        """Note what was read; nothing is the end of the stream.

        It is cut at multiples of the reference's buffer, which takes no more at once.
        """
        rest = memoryview(octets)
        while True:
            chunk = rest[: _RING - self._position % _RING]
            self._write(_HEADER.pack(self._recording.number(), len(chunk)) + chunk)
            self._position += len(chunk)
            rest = rest[len(chunk) :]
            if not rest:
                break

    def wrote(self, size: int) -> None:
        """Note how much was written."""
        self._write(_HEADER.pack(-self._recording.number(), size))

    def failed(self, error: int) -> None:
        """Note an error, or with 0 a success without octets."""
        self._write(_HEADER.pack(self._recording.number(), -error))

    def _write(self, octets: bytes) -> None:
        if self._file.closed:
            return
        try:
            self._file.write(octets)
        except OSError:
            _log.err_rl(_limit, "Failed to write data.")
            self._file.close()

    def close(self) -> None:
        """End the file."""
        self._file.close()


class Record:
    """Something that was read, or an error."""

    __slots__ = ("error", "number", "octets")

    def __init__(self, number: int, octets: bytes, error: int) -> None:
        self.number = number
        self.octets = octets
        self.error = error


class Playback:
    """The files of a recording."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._used: set[str] = set()

    def open(self, name: str, *, was_counted: bool = True) -> Reader:
        """Take the next file that was recorded for a name.

        Raises: OSError: there is none, or opening had failed.
        """
        found = self._find(stem(name))
        if found is None:
            text = os.strerror(errno.ENOENT)
            _log.err_rl(_limit, "%s: fopen failed: %s", name, text)
            raise OSError(errno.ENOENT, text)
        self._used.add(found)
        with open(os.path.join(self._folder, found), "rb") as file:
            reader = Reader(file.read())
        opened = reader.take() if was_counted else Record(0, b"", 0)
        if opened is None or opened.error:
            number = errno.EINVAL if opened is None else opened.error
            raise OSError(number, os.strerror(number))
        return reader

    def _find(self, beginning: str) -> str | None:
        numbered = [
            (int(name[len(beginning) :]), name)
            for name in os.listdir(self._folder)
            if name.startswith(beginning) and name[len(beginning) :].isdigit()
        ]
        unused = [pair for pair in numbered if pair[1] not in self._used]
        return min(unused)[1] if unused else None


class Reader:
    """One file of a replay: what was read, in order."""

    def __init__(self, octets: bytes) -> None:
        self._records = list(parse(octets))
        self._records.reverse()

    @property
    def next_number(self) -> int | None:
        """The number of the next record, None at the end."""
        return self._records[-1].number if self._records else None

    def take(self) -> Record | None:
        """Return the next record, None at the end."""
        return self._records.pop() if self._records else None


def parse(octets: bytes) -> Iterator[Record]:
    """Yield a file's records of reading; a file that was cut ends early."""
    at = 0
    while at + _HEADER.size <= len(octets):
        number, size = _HEADER.unpack_from(octets, at)
        at += _HEADER.size
        if number < 0:
            continue  # it was written, and has no octets
        if size > min(_MAX_RECORD, len(octets) - at):
            return
        if size < 0:
            if -size != errno.EAGAIN:
                yield Record(number, b"", -size)
            continue
        yield Record(number, octets[at : at + size], 0)
        at += size
