# SPDX-License-Identifier: Apache-2.0
"""The operations on files that can fail, in one place.

A log does all that it does to its file through a `Disk`, so that tests can put one in
its place that fails at any step, or that forgets what was never synced.
"""

from __future__ import annotations

import os


class Disk:
    """The file system. Everything raises OSError."""

    def open(self, path: str, flags: int) -> int:
        """Open a file."""
        return os.open(path, flags | os.O_CLOEXEC, 0o660)

    def read(self, fd: int, size: int) -> bytes:
        """Read up to `size` octets; b"" at the end."""
        return os.read(fd, size)

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

    def unlink(self, path: str) -> None:
        """Remove a file."""
        os.unlink(path)

    def sync_folder(self, path: str) -> None:
        """Make a new name in the folder of `path` durable.

        Where the folder may not be read, that can't be done and isn't an error.
        """
        try:
            fd = os.open(os.path.dirname(path) or ".", os.O_RDONLY | os.O_DIRECTORY)
        except OSError:
            return
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


DISK = Disk()
