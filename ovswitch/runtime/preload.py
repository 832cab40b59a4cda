# SPDX-License-Identifier: Apache-2.0
"""Importing now what would be imported later, before a daemon gives up its rights.

Where only root may read the interpreter's library or this package, an import after
`--user` took effect fails, at a moment when nobody looks: a log is reopened, a
controller connects, something crashes. So a daemon imports beforehand what its code
imports within functions. That is read from the compiled code itself and can't be
forgotten when the code changes; what the standard library imports late is a list.

Sources of the list: `asyncio` (threads for name resolution), `socket` (names are
encoded with the codec "idna"), `traceback` (`linecache` opens sources by `tokenize`).
"""

from __future__ import annotations

import dis
import importlib
import pkgutil
import sys
from types import CodeType, ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_PACKAGE = "ovswitch"
_OF_STANDARD_LIBRARY = (
    "concurrent.futures.thread",
    "encodings.ascii",
    "encodings.idna",
    "encodings.latin_1",
    "linecache",
    "queue",
    "ssl",
    "tokenize",
    "traceback",
)
_IMPORT_NAME = dis.opmap["IMPORT_NAME"]


def everything() -> None:
    """Import what the loaded modules of this package may import later, and so on."""
    for name in _OF_STANDARD_LIBRARY:
        _import(name)
    done: set[str] = set()
    while True:
        names = {name for name in sys.modules if name.split(".")[0] == _PACKAGE} - done
        if not names:
            return
        done |= names
        for name in sorted(names):
            for wanted in sorted(late_imports(sys.modules[name])):
                _import(wanted)


def late_imports(module: ModuleType) -> set[str]:
    """Return what a module's functions import, as full names.

    "from a import b" gives a.b too, which may be a module. With a function that makes
    up names, for `__import__()`, it may be any module of the packages in question.
    """
    spec = module.__spec__
    get_code = getattr(spec.loader if spec else None, "get_code", None)
    code = get_code(module.__name__) if get_code is not None else None
    functions = list(_nested(code)) if code is not None else []
    found: set[str] = set()
    for function in functions:
        found |= _imports(function)
    if any("__import__" in function.co_names for function in functions):
        packages = {name for function in functions for name in _packages_in(function)}
        for package in packages or {module.__name__}:
            found |= _modules_of(package)
    return found


def _nested(code: CodeType) -> Iterator[CodeType]:
    """Yield the code of all functions and classes in `code`."""
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _nested(constant)


def _imports(code: CodeType) -> set[str]:
    found: set[str] = set()
    if _IMPORT_NAME not in code.co_code[::2]:
        return found
    package = ""
    for instruction in dis.get_instructions(code):
        if instruction.opname == "IMPORT_NAME":
            package = instruction.argval
            found.add(package)
        elif instruction.opname == "IMPORT_FROM":
            found.add(f"{package}.{instruction.argval}")
    return found


def _packages_in(code: CodeType) -> Iterator[str]:
    """Yield the packages of this one that are named in `code` by a constant."""
    for constant in code.co_consts:
        if isinstance(constant, str) and constant.startswith(f"{_PACKAGE}."):
            yield constant.removesuffix(".")


def _modules_of(package: str) -> set[str]:
    _import(package)
    path = getattr(sys.modules.get(package), "__path__", ())
    return {f"{package}.{info.name}" for info in pkgutil.iter_modules(path)}


def _import(name: str) -> None:
    """Import a module if there is one by that name."""
    try:  # noqa: SIM105  as elsewhere in this package
        importlib.import_module(name)
    except ImportError:
        pass  # a name in a module, or an optional library
