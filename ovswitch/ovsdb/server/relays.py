# SPDX-License-Identifier: Apache-2.0
"""The relays of a running server and their connections.

Source: ovsdb/ovsdb-server.c.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovswitch.ovsdb.idl_session import shuffled
from ovswitch.ovsdb.server.aio_upstream import Upstream
from ovswitch.ovsdb.server.relay import Relay
from ovswitch.runtime import clock

if TYPE_CHECKING:
    from ovswitch.ovsdb.database import Database
    from ovswitch.ovsdb.server.app import App


class Relays:
    """Relays by name. They connect once `start` was called."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._open: dict[str, tuple[Relay, Upstream]] = {}
        self._is_started = False

    def __contains__(self, name: object) -> bool:
        return name in self._open

    @property
    def names(self) -> list[str]:
        """The databases' names."""
        return list(self._open)

    @property
    def specifications(self) -> list[str]:
        """What the user called them, "relay:DB:REMOTES"."""
        return [relay.specification for relay, _ in self._open.values()]

    def open(self, specification: str) -> None:
        """Serve a relay. Raises: OvsdbError."""
        relay = Relay(specification, self._app.server, self._replaced)
        upstream = Upstream(relay, shuffled(relay.remotes), self._turn)
        relay.on_output = upstream.flush
        self._open[relay.name] = relay, upstream
        if self._is_started:
            upstream.start()

    def start(self) -> None:
        """Connect the relays that are open, and those to come."""
        self._is_started = True
        for _, upstream in self._open.values():
            upstream.start()

    def close(self, name: str) -> None:
        """End a relay that is served no more."""
        _, upstream = self._open.pop(name)
        self._app.finish(upstream)

    async def close_all(self) -> None:
        """End all relays."""
        for _, upstream in self._open.values():
            await upstream.close()

    def update_status(self) -> None:
        """Tell clients which relays are connected, if that has changed."""
        now = clock.now()
        changed = [relay.update_status(now) for relay, _ in self._open.values()]
        if any(changed):
            self._app.update_server_database()
            self._app.shell.schedule()

    def _turn(self) -> None:
        self.update_status()
        self._app.shell.schedule()

    def _replaced(self, database: Database) -> None:
        self._app.watch(database)
        self._app.update_server_database()
