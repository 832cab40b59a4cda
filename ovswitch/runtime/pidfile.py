# SPDX-License-Identifier: Apache-2.0
"""Pidfiles: who wrote one is told by the lock on it, not by the number inside.

A file that nobody holds a lock on is stale. Reading a file that this very process
locked would drop the lock, so that case is recognised first.
"""

from __future__ import annotations

import fcntl
import posix
import struct

from ovswitch.runtime import vlog

_ENOENT, _ESRCH, _EINVAL, _EALREADY = 2, 3, 22, 114
_FLOCK = struct.Struct("@hhqqi4x")  # l_type, l_whence, l_start, l_len, l_pid
_log = vlog.Module("daemon_unix")

own: tuple[int, int] | None = None  # device and inode of this process's pidfile


def read(path: str, *, delete_if_stale: bool = False) -> int:
    """Return the process that holds the pidfile, or a negative error number.

    With `delete_if_stale` a missing file is 0, and so is a stale one, which is
    removed. What is wrong is logged.
    """
    if _is_own(path):
        return posix.getpid()
    try:
        fd = posix.open(path, posix.O_RDWR | posix.O_CLOEXEC)
    except OSError as error:
        number = error.errno or _EINVAL
        if number == _ENOENT and delete_if_stale:
            return 0
        _log.warn("%s: open: %s", path, posix.strerror(number))
        return -number
    try:
        return _examine(path, fd, delete_if_stale)
    finally:
        posix.close(fd)


def _is_own(path: str) -> bool:
    if own is None:
        return False
    try:
        status = posix.stat(path)
    except OSError:
        return False
    return own == (status.st_dev, status.st_ino)


def lock(fd: int) -> int:
    """Take the lock on a pidfile; return 0 or an error number."""
    try:
        fcntl.fcntl(fd, fcntl.F_SETLK, _FLOCK.pack(fcntl.F_WRLCK, 0, 0, 0, 0))
    except OSError as error:
        return error.errno or _EINVAL
    return 0


def _examine(path: str, fd: int, delete_if_stale: bool) -> int:
    try:
        asked = _FLOCK.pack(fcntl.F_WRLCK, 0, 0, 0, 0)
        answer = fcntl.fcntl(fd, fcntl.F_GETLK, asked)
    except OSError as error:
        _log.warn("%s: fcntl: %s", path, posix.strerror(error.errno or 0))
        return -(error.errno or _EINVAL)
    kind, _, _, _, holder = _FLOCK.unpack(answer)
    if kind == fcntl.F_UNLCK:
        if not delete_if_stale:
            _log.dbg("%s: pid file is stale", path)
            return -_ESRCH
        return _delete_stale(path, fd)
    return _compare(path, fd, holder)


def _compare(path: str, fd: int, holder: int) -> int:
    """Return the lock's holder if it is also the process that the file names."""
    try:
        line = posix.read(fd, 127).decode("ascii", "replace").partition("\n")[0]
    except OSError as error:
        _log.warn("%s: read: %s", path, posix.strerror(error.errno or 0))
        return -(error.errno or _EINVAL)
    if not line:
        _log.warn("%s: read: unexpected end of file", path)
        return -_ESRCH
    if line.strip() != str(holder):
        # The holder is about to delete a stale file that another process wrote.
        _log.warn(
            "%s: stale pidfile for pid %s being deleted by pid %d", path, line, holder
        )
        return -_ESRCH
    return holder


def _delete_stale(path: str, fd: int) -> int:
    """Remove a pidfile that nobody holds.

    Only whoever gets the lock may: the file could have been replaced by a valid one
    in the meantime.
    """
    error = lock(fd)
    if error:
        _log.warn("%s: lost race to lock pidfile", path)
        return -error
    try:
        named, opened = posix.stat(path), posix.fstat(fd)
    except OSError:
        named = None
    if named is None or (named.st_dev, named.st_ino) != (opened.st_dev, opened.st_ino):
        _log.warn("%s: lost race to delete pidfile", path)
        return -_EALREADY
    try:
        posix.unlink(path)
    except OSError as failure:
        text = posix.strerror(failure.errno or 0)
        _log.warn("%s: failed to delete stale pidfile (%s)", path, text)
        return -(failure.errno or _EINVAL)
    _log.dbg("%s: deleted stale pidfile", path)
    return 0
