# SPDX-License-Identifier: Apache-2.0
"""News of the kernel's links for those devices that are open."""

from __future__ import annotations

import asyncio
from typing import Protocol

from ovswitch.netdev import provider
from ovswitch.netdev.linux import LinuxNetdev, rtnetlink
from ovswitch.netdev.rtnetlink import Change, Watcher


class OnChange(Protocol):
    """Who is told: the link's name and whether it still exists."""

    def __call__(self, name: str, *, exists: bool) -> None: ...  # noqa: D102


class Links:
    """Watches links on the event loop."""

    def __init__(self, on_change: OnChange) -> None:
        self._on_change = on_change
        self._watcher: Watcher | None = None

    def start(self) -> None:
        """Begin to watch."""
        self._watcher = Watcher()
        asyncio.get_running_loop().add_reader(self._watcher.fileno(), self._on_ready)

    def stop(self) -> None:
        """Stop watching."""
        if self._watcher:
            asyncio.get_running_loop().remove_reader(self._watcher.fileno())
            self._watcher.close()
            self._watcher = None

    def _on_ready(self) -> None:
        assert self._watcher is not None
        changes = self._watcher.changes()
        if changes is None:  # some were lost: look at everything
            changes = [Change(link, False) for link in rtnetlink().dump()]
        for change in changes:
            device = provider.from_name(change.link.name)
            if isinstance(device, LinuxNetdev):
                device.notice(change)
            self._on_change(change.link.name, exists=not change.deleted)
