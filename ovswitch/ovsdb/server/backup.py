# SPDX-License-Identifier: Apache-2.0
"""The server's role: active, or the backup of another.

A backup replicates the databases that it has files for, and clients can't write. It
becomes active when it is told to, or when replication fails for good; a lost connection
is no such failure.

Source: ovsdb/ovsdb-server.c.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovswitch.ovsdb.server import replication
from ovswitch.ovsdb.server.aio_upstream import Upstream
from ovswitch.ovsdb.server.replication import Excluded, Replication

if TYPE_CHECKING:
    from ovswitch.ovsdb.database import Database
    from ovswitch.ovsdb.server.app import App


class Backup:
    """What makes the server a backup, when it is to be one."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._replication: Replication | None = None
        self._upstream: Upstream | None = None
        self._probe_interval_ms = replication.DEFAULT_PROBE_INTERVAL_MS

    def begin(self) -> None:
        """Be the backup of the configured server from now on, or connect to it anew."""
        self._disconnect()
        config = self._app.config
        assert config.sync_from is not None
        self._replication = Replication(
            config.sync_from,
            Excluded(config.sync_exclude),
            self._app.server.uuid,
            self._find,
        )
        self._upstream = Upstream(self._replication, [config.sync_from], self._turn)
        self._upstream.set_probe_interval(self._probe_interval_ms)
        self._upstream.start()
        config.is_backup = True
        self._app.server.read_only = True

    def end(self) -> None:
        """Be active."""
        self._disconnect()
        self._app.config.is_backup = False
        self._app.server.read_only = False

    def restart(self) -> None:
        """Begin again if we are a backup: databases or the configuration changed."""
        if self._app.config.is_backup:
            self.begin()

    def set_probe_interval(self, ms: int) -> None:
        """Probe an active server that is silent for that long; 0 for never."""
        self._probe_interval_ms = ms
        if self._upstream is not None:
            self._upstream.set_probe_interval(ms)

    def status(self) -> str:
        """Return what `sync-status` says after the state."""
        return "" if self._replication is None else self._replication.status()

    async def close(self) -> None:
        """End replication, whatever the role."""
        if self._upstream is not None:
            await self._upstream.close()

    def _disconnect(self) -> None:
        if self._upstream is not None:
            self._app.finish(self._upstream)
        self._upstream = self._replication = None

    def _find(self, name: str) -> Database | None:
        opened = self._app.files.get(name)
        return None if opened is None else opened.database

    def _turn(self) -> None:
        if self._replication is not None and self._replication.has_failed:
            self.end()
        self._app.shell.schedule()
