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
from ovswitch.ovsdb.disk import DISK
from ovswitch.ovsdb.error import OvsdbError, io_error, syntax_error
from ovswitch.ovsdb.log_record import (
    HEADER_LIMIT,
    Reader,
    header_text,
    parse_header,
    sha1,
)
from ovswitch.runtime import json as _json
from ovswitch.runtime import vlog

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ovswitch.ovsdb.disk import Disk

    Record = dict[str, Any]

MAGIC = "JSON"
CLUSTER_MAGIC = "CLUSTER"

READ_ONLY = "read only"
READ_WRITE = "read/write"
CREATE = "create or open"
CREATE_EXCLUSIVE = "create"

_BASE_FLOOR = 10 * 1024 * 1024

_log = vlog.Module("ovsdb_log")
_limit = vlog.RateLimit(5, 5)


class _Ignored:
    """A context in which OSError means nothing (`contextlib` is slow to load)."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type | None, *_others: object) -> bool:
        return kind is not None and issubclass(kind, OSError)


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
        self._prefix = f"OVSDB {magic} ".encode()
        self.offset = 0
        self.base = 0
        self.name_may_be_new = False  # then the next sync includes the folder
        self.encode: Callable[[Record], bytes] = _json.to_bytes
        self.decode: Callable[[bytes], object] = _json.from_string
        self._fd = fd
        self._lock = lock
        self._disk = disk
        self._previous_offset = 0
        self._reader: Reader | None = Reader(fd, disk, start)
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

    def _read_record(self, reader: Reader) -> Record | None:
        good = reader.take_good(self._prefix)
        if good is None:
            good = self._read_with_care(reader)
            if good is None:
                return None
        size, octets = good
        try:
            record = self.decode(octets)
            if not isinstance(record, dict):
                record = _json.from_string(octets)  # tells which ones aren't JSON
        except _json.JsonError as error:
            raise syntax_error(
                None, f"{self._place(octets, size)} are not valid JSON ({error})"
            ) from error
        if not isinstance(record, dict):
            raise syntax_error(
                None, f"{self._place(octets, size)} are not a JSON object"
            )
        self._previous_offset = self.offset
        self.offset += size
        return record

    def _place(self, octets: bytes, size: int) -> str:
        start = self.offset + size - len(octets)
        return f"{self.name}: {len(octets)} bytes starting at offset {start}"

    def _read_with_care(self, reader: Reader) -> tuple[int, bytes] | None:
        """Return the next record's size and JSON, None at the end.

        Raises: OvsdbError: it tells what is wrong.
        """
        try:
            header = reader.line(HEADER_LIMIT)
        except OSError as error:
            raise io_error(error.errno or 0, f"{self.name}: read failed") from error
        if not header:
            return None
        parsed = parse_header(header)
        if parsed is None or parsed[0] != self.magic:
            raise syntax_error(
                None,
                f"{self.name}: parse error at offset {self.offset} in header line "
                f'"{header_text(header)}"',
            )
        _, size, digest = parsed
        start = self.offset + len(header)
        try:
            octets = reader.take(size)
        except OSError as error:
            raise self._body_error(error.errno or 0, size, start) from error
        if len(octets) < size:
            # The reference tells how much of the body's last chunk was missing.
            raise self._body_error(-1, size - len(octets) // 8192 * 8192, start)
        actual = sha1(octets)
        if actual != digest:
            raise syntax_error(
                None,
                f"{self._place(octets, len(header) + size)} have SHA-1 hash {actual} "
                f"but should have hash {digest}",
            )
        return len(header) + size, octets

    def _body_error(self, number: int, size: int, start: int) -> OvsdbError:
        text = f"{self.name}: error reading {size} bytes starting at offset {start}"
        return io_error(number, text)

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
        self._previous_offset = self.offset
        try:
            self._write_all(header.encode() + octets)
        except OSError as error:
            raise self._write_failed(error) from error

    def take_back(self) -> None:
        """Cut off the record written last, which must not take effect after all."""
        self.offset = self._previous_offset
        self._cut()

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
        self._cut()
        self._error = io_error(error.errno or 0, f"{self.name}: write failed")
        return self._error

    def _cut(self) -> None:
        """Remove what lies behind the last good record, by the next write at last."""
        with _Ignored():
            self._disk.truncate(self._fd, self.offset)
        self._is_writing = False

    def sync(self) -> None:
        """Make what was written durable, and the file's name if that is new.

        After a failure the kernel may have given up what it couldn't write, and
        another sync says nothing about it: only `replace` makes sure again.
        Raises: OvsdbError.
        """
        try:
            self._disk.sync(self._fd)
            if self.name_may_be_new:
                self._sync_name()
        except OSError as error:
            raise io_error(error.errno or 0, f"{self.name}: fsync failed") from error

    def _sync_name(self) -> None:
        self._disk.sync_folder(os.path.realpath(self.path))
        self.name_may_be_new = False

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
            self._disk.unlink(temporary)
        except FileNotFoundError:
            pass
        except OSError as error:
            raise io_error(error.errno or 0, f"failed to remove {temporary}") from error
        new = open_log(
            temporary, self.magic, CREATE_EXCLUSIVE, locking=False, disk=self._disk
        )
        new.name_may_be_new = False  # the one that counts it gets in the end
        new.encode = self.encode
        try:
            for record in records:
                new.write(record)
            new.sync()
            self._rename(temporary, path)
        except BaseException:
            new.close()
            with _Ignored():
                self._disk.unlink(temporary)
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
        """Go on with the new file.

        Until the folder is synced, the old file may come back: the next sync that a
        durable transaction waits for tries again if it can't be done now.
        """
        os.close(self._fd)
        self._fd, new._fd = new._fd, -1
        self._reader = None
        self._error = None
        self._is_writing = True
        self.offset = self._previous_offset = new.offset
        self.mark_base()
        self.name_may_be_new = True
        try:
            self._sync_name()
        except OSError as error:
            _log.warn_rl(_limit, "%s: fsync failed (%s)", self.path, error.strerror)

    def close(self) -> None:
        """Close the file and release its lock."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        if self._lock is not None:
            self._lock.release()
            self._lock = None


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
    log = Log(name, os.path.abspath(name), fd, magic, lock, disk, start)
    log.name_may_be_new = mode != READ_ONLY  # who wrote it may have died at that
    return log


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

    Where the file can be read again from its beginning, the latter is empty. A new
    file, which has no record, gets the only magic that the caller knows.
    Raises: OvsdbError.
    """
    try:
        start = _first_line(fd, disk)
    except OSError as error:
        raise io_error(error.errno or 0, f"{name}: read error") from error
    if not start:
        if "|" in magics:
            raise OvsdbError(None, f"{name}: cannot identify file type")
        return magics, b""
    line, newline, _ = start.partition(b"\n")
    parsed = parse_header(line + newline)
    if parsed is None:
        raise OvsdbError(None, f"{name}: unexpected file format")
    if parsed[0] not in magics.split("|"):
        raise OvsdbError(None, f"{name}: cannot identify file type")
    with _Ignored():  # a pipe can't
        os.lseek(fd, 0, os.SEEK_SET)
        start = b""
    return parsed[0], start


def _first_line(fd: int, disk: Disk) -> bytes:
    start = b""
    while b"\n" not in start and len(start) < HEADER_LIMIT:
        more = disk.read(fd, HEADER_LIMIT)
        if not more:
            break
        start += more
    return start
