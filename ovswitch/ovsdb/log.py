# SPDX-License-Identifier: Apache-2.0
r"""A log of JSON records on disk: the format of database files.

A record is a header line and a line of JSON::

    OVSDB MAGIC LENGTH SHA1\n
    {...}\n

LENGTH is the JSON's size with its newline, SHA1 the hash of those octets. MAGIC is
"JSON" for a standalone database, "CLUSTER" for a clustered one.

States: a log starts out READING; a record that is torn or damaged ends reading
(FAILED) with the error that says where. The first write cuts off what wasn't read, be
it unread or damaged, and makes the log WRITING. A failed write cuts off what it left
behind, and the next one tries again.

Files go through `Disk`, so that tests can make the nth operation fail.

Sources: ovsdb(5), ovsdb/log.c.
"""

from __future__ import annotations

import errno
import os

from ovswitch.ovsdb import lockfile
from ovswitch.ovsdb.error import OvsdbError, io_error, syntax_error
from ovswitch.runtime import json as _json
from ovswitch.runtime import vlog

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Record = dict[str, Any]

MAGIC = "JSON"
CLUSTER_MAGIC = "CLUSTER"

READ_ONLY = "read only"
READ_WRITE = "read/write"
CREATE = "create or open"
CREATE_EXCLUSIVE = "create"

_HEADER_LIMIT = 127
_BASE_FLOOR = 10 * 1024 * 1024
_SHA1_DIGITS = 40
_HEXITS = b"0123456789abcdefABCDEF"

_log = vlog.Module("ovsdb_log")
_limit = vlog.RateLimit(5, 5)


class _Ignored:
    """A context in which OSError means nothing (`contextlib` is slow to load)."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type | None, *_others: object) -> bool:
        return kind is not None and issubclass(kind, OSError)


class Disk:
    """The operations on files that can fail."""

    def open(self, path: str, flags: int) -> int:
        """Open a file."""
        return os.open(path, flags | os.O_CLOEXEC, 0o660)

    def write(self, fd: int, octets: bytes) -> int:
        """Write; return how many octets were taken."""
        return os.write(fd, octets)

    def sync(self, fd: int) -> None:
        """Make the file's data durable."""
        os.fdatasync(fd)

    def truncate(self, fd: int, size: int) -> None:
        """Cut a file off."""
        os.ftruncate(fd, size)

    def rename(self, old: str, new: str) -> None:
        """Rename a file, in place of another."""
        os.rename(old, new)

    def sync_folder(self, path: str) -> None:
        """Make a new name in the folder of `path` durable."""
        fd = os.open(os.path.dirname(path) or ".", os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


DISK = Disk()


class Log:
    """An open log file. `offset` is the end of what was read or written.

    `start` is what was read from `fd` already. `encode` and `decode` may be replaced
    by faster ones.
    """

    def __init__(
        self,
        name: str,
        path: str,
        fd: int,
        magic: str,
        lock: lockfile.Lock | None,
        disk: Disk,
        start: bytes = b"",
    ) -> None:
        self.name = name  # as the user called it
        self.path = path
        self.magic = magic
        self.offset = 0
        self.base = 0
        self.encode: Callable[[Record], bytes] = _json.to_bytes
        self.decode: Callable[[bytes], object] = _json.from_string
        self._fd = fd
        self._lock = lock
        self._disk = disk
        self._previous_offset = 0
        self._reader: _Reader | None = _Reader(fd, start)
        self._error: OvsdbError | None = None
        self._is_writing = False

    # Reading

    def read(self) -> Record | None:
        """Return the next record, or None at the end.

        Raises: OvsdbError: the record is damaged, now and at each further call.
        """
        if self._error is not None:
            raise self._error
        if self._is_writing or self._reader is None:
            return None
        try:
            return self._read_record(self._reader)
        except OvsdbError as error:
            self._error = error
            raise

    def _read_record(self, reader: _Reader) -> Record | None:
        try:
            header = reader.line(_HEADER_LIMIT)
        except OSError as error:
            raise io_error(error.errno or 0, f"{self.name}: read failed") from error
        if not header:
            return None
        parsed = parse_header(header)
        if parsed is None or parsed[0] != self.magic:
            text = header.split(b"\n")[0].decode("utf-8", "replace")
            raise syntax_error(
                None,
                f"{self.name}: parse error at offset {self.offset} in header line "
                f'"{text}"',
            )
        _, size, digest = parsed
        start = self.offset + len(header)
        record = self._parse_body(reader, start, size, digest)
        self._previous_offset = self.offset
        self.offset = start + size
        return record

    def _parse_body(
        self, reader: _Reader, start: int, size: int, digest: str
    ) -> Record:
        where = f"{size} bytes starting at offset {start}"
        try:
            octets = reader.take(size)
        except OSError as error:
            raise self._body_error(error.errno or 0, where) from error
        if len(octets) < size:
            # The reference tells how much of the body's last chunk was missing.
            missing = size - len(octets) // 8192 * 8192
            raise self._body_error(-1, f"{missing} bytes starting at offset {start}")
        actual = sha1(octets)
        if actual != digest:
            raise syntax_error(
                None,
                f"{self.name}: {where} have SHA-1 hash {actual} but should have hash "
                f"{digest}",
            )
        try:
            record = self.decode(octets)
        except _json.JsonError as error:
            raise syntax_error(
                None, f"{self.name}: {where} are not valid JSON ({error})"
            ) from error
        if not isinstance(record, dict):
            raise syntax_error(None, f"{self.name}: {where} are not a JSON object")
        return record

    def _body_error(self, number: int, where: str) -> OvsdbError:
        return io_error(number, f"{self.name}: error reading {where}")

    @property
    def is_damaged(self) -> bool:
        """Whether reading ended with an error."""
        return self._error is not None and not self._is_writing

    def unread(self) -> None:
        """Discard the record read last: the next write replaces it."""
        self.offset = self._previous_offset

    # Writing

    def write(self, record: Record) -> None:
        """Append a record, all of it or nothing.

        Raises: OvsdbError.
        """
        if not self._is_writing:
            self._start_writing()
        octets = self.encode(record) + b"\n"
        header = f"OVSDB {self.magic} {len(octets)} {sha1(octets)}\n"
        try:
            self._write_all(header.encode() + octets)
        except OSError as error:
            raise self._write_failed(error) from error

    def _start_writing(self) -> None:
        """Cut off what lies behind the last good record."""
        self._reader = None
        self._error = None
        try:
            what = "seek to offset"
            os.lseek(self._fd, self.offset, os.SEEK_SET)
            what = "truncate to length"
            self._disk.truncate(self._fd, self.offset)
        except OSError as error:
            self._error = io_error(
                error.errno or 0, f"{self.name}: cannot {what} {self.offset}"
            )
            raise self._error from error
        self._is_writing = True

    def _write_all(self, octets: bytes) -> None:
        rest = octets
        while rest:
            size = self._disk.write(self._fd, rest)
            if not size:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            rest = rest[size:]
        self.offset += len(octets)

    def _write_failed(self, error: OSError) -> OvsdbError:
        _log.warn_rl(_limit, "%s: write failed (%s)", self.path, error.strerror)
        with _Ignored():  # the next write tries again
            self._disk.truncate(self._fd, self.offset)
        self._is_writing = False
        self._error = io_error(error.errno or 0, f"{self.name}: write failed")
        return self._error

    def sync(self) -> None:
        """Make what was written durable. Raises: OvsdbError."""
        try:
            self._disk.sync(self._fd)
        except OSError as error:
            raise io_error(error.errno or 0, f"{self.name}: fsync failed") from error

    def mark_base(self) -> None:
        """Note the present size, with which `grew_lots` compares."""
        self.base = self.offset

    def grew_lots(self) -> bool:
        """Return whether compacting is worthwhile."""
        return self.offset > _BASE_FLOOR and self.offset // 2 > self.base

    def replace(self, records: list[Record]) -> None:
        """Put `records` in the place of all that the file holds, atomically.

        Raises: OvsdbError: the file is as it was.
        """
        path = os.path.realpath(self.path)
        temporary = path + ".tmp"
        try:
            os.unlink(temporary)
        except FileNotFoundError:
            pass
        except OSError as error:
            raise io_error(error.errno or 0, f"failed to remove {temporary}") from error
        new = open_log(
            temporary, self.magic, CREATE_EXCLUSIVE, locking=False, disk=self._disk
        )
        new.encode = self.encode
        try:
            for record in records:
                new.write(record)
            new.sync()
            self._rename(temporary, path)
        except BaseException:
            new.close()
            os.unlink(temporary)
            raise
        self._adopt(new)

    def _rename(self, temporary: str, path: str) -> None:
        try:
            self._disk.rename(temporary, path)
        except OSError as error:
            raise io_error(
                error.errno or 0, f'failed to rename "{temporary}" to "{path}"'
            ) from error

    def _adopt(self, new: Log) -> None:
        """Go on with the new file."""
        try:
            self._disk.sync_folder(self.path)
        except OSError as error:
            _log.warn_rl(_limit, "%s: fsync failed (%s)", self.path, error.strerror)
        os.close(self._fd)
        self._fd, new._fd = new._fd, -1
        self._reader = None
        self._error = None
        self._is_writing = True
        self.offset = new.offset
        self.mark_base()

    def close(self) -> None:
        """Close the file and release its lock."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        if self._lock is not None:
            self._lock.release()
            self._lock = None


class _Reader:
    """A buffer over a file descriptor, of which `start` was read already."""

    __slots__ = ("_buffer", "_fd", "_index")

    _CHUNK = 1 << 18

    def __init__(self, fd: int, start: bytes) -> None:
        self._fd = fd
        self._buffer = start
        self._index = 0

    def _fill(self, size: int) -> bool:
        """Have at least `size` octets in the buffer; False if there are fewer."""
        missing = size - (len(self._buffer) - self._index)
        while missing > 0:
            more = os.read(self._fd, max(missing, self._CHUNK))
            if not more:
                return False
            self._buffer = self._buffer[self._index :] + more
            self._index = 0
            missing = size - len(self._buffer)
        return True

    def line(self, limit: int) -> bytes:
        """Return the next line, or the first `limit` octets of it."""
        self._fill(limit)
        end = self._buffer.find(b"\n", self._index, self._index + limit) + 1
        return self.take(end - self._index if end else limit)

    def take(self, size: int) -> bytes:
        """Return the next `size` octets, fewer at the end."""
        self._fill(size)
        octets = self._buffer[self._index : self._index + size]
        self._index += len(octets)
        return octets


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


def parse_header(line: bytes) -> tuple[str, int, str] | None:
    """Return (magic, size, hash) of a header line, or None if it isn't one."""
    words = line.split(b" ")
    if len(words) != 4 or words[0] != b"OVSDB" or not line.endswith(b"\n"):
        return None
    magic, size, digest = words[1], words[2], words[3][:-1]
    if (
        size == b"0"
        or not size.isdigit()
        or len(digest) != _SHA1_DIGITS
        or digest.strip(_HEXITS)
    ):
        return None
    try:
        return magic.decode("ascii"), int(size), digest.decode("ascii").lower()
    except ValueError:
        return None


def open_log(
    name: str,
    magics: str = MAGIC,
    mode: str = READ_ONLY,
    *,
    locking: bool | None = None,
    disk: Disk = DISK,
) -> Log:
    """Open or create a log.

    `magics` are the kinds that the caller understands, separated by "|". The file is
    locked if `locking`, by default in each mode but READ_ONLY.
    Raises: OvsdbError.
    """
    if locking is None:
        locking = mode != READ_ONLY
    lock = None
    if locking:
        try:
            lock = lockfile.lock(name)
        except OSError as error:
            raise io_error(
                error.errno or 0, f"{name}: failed to lock lockfile"
            ) from error
    try:
        fd = _open_file(name, mode, disk)
        try:
            magic, start = _identify(name, fd, magics, disk)
        except BaseException:
            os.close(fd)
            raise
    except BaseException:
        if lock is not None:
            lock.release()
        raise
    return Log(name, os.path.abspath(name), fd, magic, lock, disk, start)


def _open_file(name: str, mode: str, disk: Disk) -> int:
    if name == "/dev/stdin" and mode == READ_ONLY:
        return os.dup(0)
    flags = os.O_RDONLY if mode == READ_ONLY else os.O_RDWR
    if mode == CREATE:
        flags |= os.O_CREAT
    elif mode == CREATE_EXCLUSIVE:
        flags |= os.O_CREAT
        # O_EXCL refuses a symbolic link even where it points to nothing.
        if not os.path.islink(name) or os.path.exists(name):
            flags |= os.O_EXCL
    try:
        return disk.open(name, flags)
    except OSError as error:
        verb = mode if mode in {CREATE, CREATE_EXCLUSIVE} else "open"
        raise io_error(error.errno or 0, f"{name}: {verb} failed") from error


def _identify(name: str, fd: int, magics: str, disk: Disk) -> tuple[str, bytes]:
    """Return the magic of the file's first record, and what was read for it.

    Where the file can be read again from its beginning, the latter is empty.
    Raises: OvsdbError.
    """
    try:
        start = _first_line(fd)
    except OSError as error:
        raise io_error(error.errno or 0, f"{name}: read error") from error
    if not start:
        if "|" in magics:
            raise OvsdbError(None, f"{name}: cannot identify file type")
        with _Ignored():  # some file systems can't
            disk.sync_folder(name)
        return magics, b""
    parsed = parse_header(start.split(b"\n")[0] + b"\n")
    if parsed is None:
        raise OvsdbError(None, f"{name}: unexpected file format")
    if parsed[0] not in magics.split("|"):
        raise OvsdbError(None, f"{name}: cannot identify file type")
    with _Ignored():  # a pipe can't
        os.lseek(fd, 0, os.SEEK_SET)
        start = b""
    return parsed[0], start


def _first_line(fd: int) -> bytes:
    start = b""
    while b"\n" not in start and len(start) < _HEADER_LIMIT:
        more = os.read(fd, _HEADER_LIMIT)
        if not more:
            break
        start += more
    return start
