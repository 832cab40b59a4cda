# SPDX-License-Identifier: Apache-2.0
"""Starting a program and ending it: what the launchers in bin/ have in common.

A command-line tool takes a few tens of milliseconds, nearly all of which is the
interpreter's: finding modules, loading them, and taking everything down again at the
end. Three things shorten it, without a change in what a program does:

- Modules of this package are found where they must be, with two system calls instead
  of a dozen. What isn't plainly there is left to the interpreter's own finder: a
  missing or outdated cache file, an extension module, a package of another kind.
- A tool's cyclic garbage collector looks at new objects less often.
- A process without other threads ends once its exit functions have run and its
  output is flushed; the operating system frees the memory faster.

Nothing else of the package imports this module.
"""

from __future__ import annotations

import gc
import marshal
import posix
import sys
from _frozen_importlib import ModuleSpec
from _frozen_importlib_external import MAGIC_NUMBER, SourceFileLoader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import CodeType
    from typing import NoReturn

_PACKAGE = "ovswitch."
_TOOLS = "ovswitch.tools."
_CACHED = f".{sys.implementation.cache_tag}.pyc"
_PLAIN = MAGIC_NUMBER + bytes(4)  # a cache file that is checked by its source's time
_HEADER_SIZE = 16
_GC_THRESHOLD = 50_000


class _Loader(SourceFileLoader):
    """The usual loader, given the contents of the cache file.

    They serve once: whoever reloads a module gets it from the files.
    """

    octets: bytes | None = None

    def get_code(self, fullname: str) -> CodeType | None:
        octets, self.octets = self.octets, None
        if octets is None:
            return super().get_code(fullname)
        code: CodeType = marshal.loads(memoryview(octets)[_HEADER_SIZE:])
        return code


class Finder:
    """Finds the package's modules and subpackages; an entry of `sys.meta_path`."""

    @staticmethod
    def find_spec(
        name: str, path: Sequence[str] | None = None, _target: object = None
    ) -> ModuleSpec | None:
        """Return where and how to load a module, None if others have to say."""
        if path is None or not name.startswith(_PACKAGE):
            return None
        folder = path[0]
        tail = name.rpartition(".")[2]
        spec = _spec(name, folder, tail)
        if spec is None:
            spec = _spec(name, f"{folder}/{tail}", "__init__")
            if spec is not None:
                spec.submodule_search_locations = [f"{folder}/{tail}"]
        return spec


def _spec(name: str, folder: str, stem: str) -> ModuleSpec | None:
    """Return the spec of a source file, None without an up to date cache file."""
    source = f"{folder}/{stem}.py"
    cached = f"{folder}/__pycache__/{stem}{_CACHED}"
    try:
        status = posix.stat(source)
        octets = _read(cached)
    except OSError:
        return None
    written = int(status.st_mtime).to_bytes(8, "little")[:4]
    size = status.st_size.to_bytes(8, "little")[:4]
    if octets[:_HEADER_SIZE] != _PLAIN + written + size:
        return None
    loader = _Loader(name, source)
    loader.octets = octets
    spec = ModuleSpec(name, loader, origin=source)
    spec.has_location = True
    spec.cached = cached
    return spec


def _read(path: str) -> bytes:
    """Return a file's contents. Raises: OSError."""
    fd = posix.open(path, posix.O_RDONLY | posix.O_CLOEXEC)
    try:
        octets = posix.read(fd, posix.fstat(fd).st_size)
    finally:
        posix.close(fd)
    return octets


def _as_called(path: str) -> str:
    """Return argv[0] as a program in C would have got it.

    Of a script the kernel tells the path only. One that a search of $PATH gives was
    most likely called by its bare name.
    """
    folder, _, name = path.rpartition("/")
    places = posix.environ.get(b"PATH", b"").split(b":")
    return name if folder.encode("utf-8", "surrogateescape") in places else path


def _name_process(name: str) -> None:
    """Have ps and pgrep show the program, not the interpreter."""
    try:
        fd = posix.open("/proc/self/comm", posix.O_WRONLY | posix.O_CLOEXEC)
        try:
            posix.write(fd, name.encode()[:15])
        finally:
            posix.close(fd)
    except OSError:
        pass  # it is only looks


def run(module: str, argv: list[str]) -> NoReturn:
    """Run the program whose `main()` is in `module`, and end with its status."""
    _name_process(module.rpartition(".")[2].replace("_", "-"))
    sys.meta_path.insert(0, Finder)
    if module.startswith(_TOOLS):
        gc.set_threshold(_GC_THRESHOLD)
    program = __import__(module, None, None, ["main"])
    try:
        status = program.main([_as_called(argv[0]), *argv[1:]])
    except SystemExit as error:
        status = error.code
    _exit(status)


def _exit(status: object) -> NoReturn:
    """End the process as `sys.exit(status)` does, faster where that is possible."""
    if type(status) is not int or "threading" in sys.modules:
        sys.exit(status)  # type: ignore[arg-type]  # as main() or a SystemExit had it
    atexit = sys.modules.get("atexit")
    if atexit is not None:
        atexit._run_exitfuncs()
    try:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    except (OSError, ValueError):
        sys.exit(status)  # which tells of it
    posix._exit(status & 0xFF)
