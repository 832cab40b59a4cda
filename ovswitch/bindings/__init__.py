# SPDX-License-Identifier: Apache-2.0
"""A drop-in for the official Python bindings (the package `ovs`), on this library.

The modules and public names are those of `ovs` 3.1 as far as a database client needs
them: `db` with all its modules, `poller`, `stream`, `jsonrpc`, `reconnect`, `json`,
`timeval`, `vlog`, `ovsuuid`, `dirs`, `util`. A program changes its import:

    from ovswitch.bindings.db import idl

A program, or a library such as ovsdbapp, that can't be changed gets these modules under
the official names with `install()`, or runs as ``python -m ovswitch.bindings PROGRAM``.

What is new should rather use `ovswitch.ovsdb.idl` or `ovswitch.ovsdb.aio_idl`: leaner,
typed, and with UUIDs as strings. docs/python-bindings.md compares the three.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

_OFFICIAL = "ovs"


def install() -> None:
    """Let ``import ovs`` and ``from ovs.db import idl`` find these modules.

    To be called before the official bindings are imported, which this process then
    can't import any more. Raises: RuntimeError: they have been imported.
    """
    known = sys.modules.get(_OFFICIAL)
    if known is sys.modules[__name__]:
        return
    if known is not None:
        raise RuntimeError("the official bindings have been imported already")
    sys.modules[_OFFICIAL] = sys.modules[__name__]
    sys.meta_path.insert(0, _Finder())


class _Finder(MetaPathFinder):
    """Finds ``ovs.X`` as this package's module X: one module under two names."""

    def find_spec(
        self,
        name: str,
        _path: Sequence[str] | None,
        _target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """Return how to import an official name, None for any other."""
        package, _, rest = name.partition(".")
        if package != _OFFICIAL or not rest:
            return None
        ours = f"{__name__}.{rest}"
        if find_spec(ours) is None:
            return None
        return ModuleSpec(name, _Loader(ours))


class _Loader(Loader):
    """Gives the module of another name."""

    def __init__(self, name: str) -> None:
        self._name = name

    def create_module(self, _spec: ModuleSpec) -> ModuleType:
        """Import the module under its own name."""
        module = import_module(self._name)
        self._own_spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        """The module has run; only its own description was overwritten."""
        module.__spec__ = self._own_spec
