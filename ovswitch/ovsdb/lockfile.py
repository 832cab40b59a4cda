# SPDX-License-Identifier: Apache-2.0
"""Locks on files by a lock file beside them: `.NAME.~lock~`.

The lock is an fcntl() lock on the lock file, which stays when the lock is released.
POSIX drops all of a process's locks on a file when it closes any descriptor of it, so
one process must not open a lock file twice; `lock` refuses that.

Source: lib/lockfile.c.
"""

from __future__ import annotations

import os

from ovswitch.runtime import vlog

_EAGAIN, _EACCES = 11, 13
_log = vlog.Module("lockfile")
_held: set[tuple[int, int]] = set()


class Lock:
    """A lock that is held."""

    __slots__ = ("_fd", "_inode", "_pid")

    def __init__(self, fd: int, inode: tuple[int, int]) -> None:
        self._fd = fd
        self._inode = inode
        self._pid = os.getpid()

    def release(self) -> None:
        """Release the lock; in a forked child, only forget it."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
            _held.discard(self._inode)


def lock_name(path: str) -> str:
    """Return the name of the lock file for `path`, symbolic links followed."""
    folder, slash, name = os.path.realpath(path).rpartition("/")
    if not path.startswith("/") and not os.path.islink(path):
        folder, slash, name = path.rpartition("/")
    return f"{folder}{slash}.{name}.~lock~"


def lock(path: str) -> Lock:
    """Lock `path` for writing, without waiting. Raises: OSError."""
    import fcntl

    name = lock_name(path)
    try:
        fd = os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        _log.warn("%s: failed to open lock file: %s", name, error.strerror)
        if error.errno == _EACCES:
            error = OSError(_EAGAIN, os.strerror(_EAGAIN))
        _log.warn("%s: failed to lock file: %s", name, error.strerror)
        raise error from None
    status = os.fstat(fd)
    inode = (status.st_dev, status.st_ino)
    if inode in _held:
        # Closing `fd` now would drop the lock that is held: it stays open.
        _log.warn(
            "%s: cannot lock file because this process has already locked it", name
        )
        raise OSError(_EAGAIN, os.strerror(_EAGAIN))
    try:
        fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        holder = _holder(fd)
        os.close(fd)
        _log.warn(
            "%s: cannot lock file because it is already locked by pid %d", name, holder
        )
        raise OSError(_EAGAIN, os.strerror(_EAGAIN)) from None
    _held.add(inode)
    return Lock(fd, inode)


def _holder(fd: int) -> int:
    """Return which process holds the lock."""
    import fcntl
    import struct

    # struct flock: type, whence, start, length, pid.
    layout = struct.Struct("=hh4xqqi4x")
    try:
        answer = fcntl.fcntl(
            fd, fcntl.F_GETLK, layout.pack(fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
        )
    except OSError:
        return 0
    pid: int = layout.unpack(answer)[4]
    return pid
