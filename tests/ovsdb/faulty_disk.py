# SPDX-License-Identifier: Apache-2.0
"""A disk on which any step can fail, the process can die, or the power can go.

`FaultyDisk` works on real files, never syncs them, and keeps beside them what a power
failure would leave: data are safe once their file was synced, names once the folder
was. A sync that fails forgets what it should have written, as Linux may: the file still
reads well, but no later sync writes that part.
"""

import os
import random

from ovswitch.ovsdb.disk import Disk


class KilledError(BaseException):
    """The process is dead: nothing may handle this."""


class _File:
    """An inode: what is safe, and what happened to it since."""

    def __init__(self):
        self.safe = b""
        self.dirty = []  # (offset, octets), or (size, None) for a truncation

    def image(self, count, torn=0):
        """The contents if `count` dirty steps and `torn` octets of one reached it."""
        octets = bytearray(self.safe)
        steps = self.dirty[:count]
        if torn and count < len(self.dirty):
            offset, data = self.dirty[count]
            if data is not None:
                steps.append((offset, data[:torn]))
        for offset, data in steps:
            if data is None:
                del octets[offset:]
            else:
                octets.extend(bytes(max(offset - len(octets), 0)))
                octets[offset : offset + len(data)] = data
        return bytes(octets)


class FaultyDisk(Disk):
    """Fails `length` steps from the `nth` on, in one of the ways of `FAULTS`.

    `nth` of 0 never fails; `steps` then tells how many there were.
    """

    def __init__(self, nth=0, fault="", length=1):
        self.steps = 0
        self.log = []
        self.is_dead = False
        self._failing = range(nth, nth + length) if nth else range(0)
        self.fault = fault
        self._files = {}
        self._names = {}
        self._safe_names = {}

    def _step(self, what):
        """Return whether the step that begins now must fail."""
        if self.is_dead:
            raise KilledError
        self.steps += 1
        self.log.append(what)
        return self.steps in self._failing

    def _fail(self):
        number = FAULTS[self.fault]
        if number is None:
            self.is_dead = True
            raise KilledError
        raise OSError(number, os.strerror(number))

    def open(self, path, flags):
        if flags & os.O_CREAT and self._step("open"):
            self._fail()
        fd = super().open(path, flags)
        self._files[fd] = self._names.setdefault(os.path.abspath(path), _File())
        return fd

    def read(self, fd, size):
        if self._step("read") and FAULTS[self.fault] is None:
            self._fail()
        return super().read(fd, size)

    def write(self, fd, octets):
        failed = self._step("write")
        if failed and self.fault.startswith("half"):
            octets = octets[: len(octets) // 2]
        elif failed:
            self._fail()
        offset = os.lseek(fd, 0, os.SEEK_CUR)
        size = super().write(fd, octets)
        self._files[fd].dirty.append((offset, octets[:size]))
        if failed:
            self._fail()
        return size

    def sync(self, fd):
        file = self._files[fd]
        if self._step("sync"):
            if FAULTS[self.fault] is not None:
                file.dirty.clear()
            self._fail()
        file.safe = file.image(len(file.dirty))
        file.dirty.clear()

    def truncate(self, fd, size):
        if self._step("truncate"):
            self._fail()
        super().truncate(fd, size)
        self._files[fd].dirty.append((size, None))

    def rename(self, old, new):
        if self._step("rename"):
            self._fail()
        super().rename(old, new)
        self._names[new] = self._names.pop(old)

    def unlink(self, path):
        if self._step("unlink"):
            self._fail()
        super().unlink(path)
        del self._names[path]

    def sync_folder(self, path):
        if self._step("sync_folder"):
            self._fail()
        self._safe_names = dict(self._names)

    def after_power_failure(self, seed=None):
        """Return contents by path: the least that is safe, or with luck by `seed`."""
        dice = random.Random(seed)
        names = self._safe_names
        if seed is not None and dice.random() < 0.5:
            names = self._names
        contents = {}
        for path, file in names.items():
            count = torn = 0
            if seed is not None:
                count = dice.randint(0, len(file.dirty))
                torn = dice.randint(0, 200)
            contents[path] = file.image(count, torn)
        return contents


# The error that a step ends with, None for the process's death.
FAULTS = {
    "full": 28,
    "error": 5,
    "half, full": 28,
    "kill": None,
    "half, kill": None,
}
