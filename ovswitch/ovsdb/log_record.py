# SPDX-License-Identifier: Apache-2.0
"""A log's record: its header, its hash, and the octets they are read from.

Source: ovsdb/log.c, whose reading of odd headers (C's numbers, strings that end at a
NUL) is kept, since its messages quote them.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ovswitch.ovsdb.disk import Disk

HEADER_LIMIT = 127
_SHA1_DIGITS = 40
_HEXITS = b"0123456789abcdefABCDEF"
_ULONG_MAX = (1 << 64) - 1


def parse_header(line: bytes) -> tuple[str, int, str] | None:
    """Return (magic, size, hash) of a header line, or None if it isn't one."""
    words = line.split(b" ", 2)
    if len(words) != 3 or words[0] != b"OVSDB":
        return None
    number, space, digest = words[2].lstrip(b" \t\v\f\r").partition(b" ")
    size = int(number) if number.isdigit() else _signed(number)
    if (
        not space
        or not 0 < size < _ULONG_MAX
        or len(digest) != _SHA1_DIGITS + 1
        or digest.strip(_HEXITS) != b"\n"
    ):
        return None
    return words[1].decode("utf-8", "replace"), size, digest[:-1].decode().lower()


def _signed(number: bytes) -> int:
    """Return a number with a sign as strtoul() does, 0 if it isn't one."""
    if number[:1] not in {b"+", b"-"} or not number[1:].isdigit():
        return 0
    size = int(number[1:])
    return size if number[:1] == b"+" or not size else _ULONG_MAX + 1 - size


def header_text(line: bytes) -> str:
    """Return as much of a bad header as the reference quotes.

    What looks like a header is quoted up to its magic.
    """
    text = line.partition(b"\n")[0].partition(b"\0")[0]
    words = text.split(b" ", 2)
    if len(words) == 3 and words[0] == b"OVSDB":
        text = b" ".join(words[:2])
    return text.decode("utf-8", "replace")


# SHA-1


def sha1(octets: bytes) -> str:
    """Return the SHA-1 hash in hexadecimal digits."""
    digits: str = _new_sha1(octets).hexdigest()
    return digits


def _load_sha1() -> Callable[[bytes], Any]:
    """Find SHA-1: OpenSSL's is faster, Python's own is quicker to load."""
    try:
        import _sha1  # type: ignore[import-not-found]  # typeshed lacks it
    except ImportError:
        import hashlib

        return lambda octets: hashlib.sha1(octets, usedforsecurity=False)
    function: Callable[[bytes], Any] = _sha1.sha1
    return function


_new_sha1 = _load_sha1()


def use_fast_hash() -> None:
    """Load OpenSSL's SHA-1, for those who hash much."""
    global _new_sha1
    import hashlib

    _new_sha1 = hashlib.sha1


class Reader:
    """A buffer over a file descriptor, of which `start` was read already."""

    __slots__ = ("_buffer", "_disk", "_fd", "_index")

    _CHUNK = 1 << 18

    def __init__(self, fd: int, disk: Disk, start: bytes) -> None:
        self._fd = fd
        self._disk = disk
        self._buffer = start
        self._index = 0

    def _fill(self, size: int) -> None:
        """Have at least `size` octets in the buffer, or all that there are.

        A damaged header may ask for any size: memory is taken as octets come in.
        """
        parts = [self._buffer[self._index :]]
        missing = size - len(parts[0])
        while missing > 0:
            more = self._disk.read(self._fd, self._CHUNK)
            if not more:
                break
            parts.append(more)
            missing -= len(more)
        self._buffer = b"".join(parts)
        self._index = 0

    def take_good(self, prefix: bytes) -> tuple[int, bytes] | None:
        """Return a record's size and its JSON if nothing about it is unusual.

        `prefix` is what its header begins with. If that's None, nothing was taken:
        `line` and `take` get at what there is.
        """
        buffer, start = self._buffer, self._index
        end = buffer.find(b"\n", start, start + HEADER_LIMIT)
        if end < 0 or not buffer.startswith(prefix, start):
            return None
        number, _, digest = buffer[start + len(prefix) : end].partition(b" ")
        if not number.isdigit():
            return None
        stop = end + 1 + int(number)
        if not end + 1 < stop <= len(buffer):
            return None
        octets = buffer[end + 1 : stop]
        if _new_sha1(octets).hexdigest().encode() != digest:
            return None
        self._index = stop
        return stop - start, octets

    def line(self, limit: int) -> bytes:
        """Return the next line, or the first `limit` octets of it."""
        index = self._index
        end = self._buffer.find(b"\n", index, index + limit) + 1
        if not end:
            self._fill(limit)
            index = 0
            end = self._buffer.find(b"\n", 0, limit) + 1 or limit
        octets = self._buffer[index:end]
        self._index = index + len(octets)
        return octets

    def take(self, size: int) -> bytes:
        """Return the next `size` octets, fewer at the end."""
        end = self._index + size
        if end > len(self._buffer):
            self._fill(size)
            end = size
        octets = self._buffer[self._index : end]
        self._index += len(octets)
        return octets
