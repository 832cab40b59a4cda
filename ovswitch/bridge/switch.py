# SPDX-License-Identifier: Apache-2.0
"""All of ovs-vswitchd: follows the database and keeps bridges, datapaths and timers.

One task waits for whatever can happen (the database changed, a link changed, a timer is
due) and does what follows. A reconfiguration computes first and opens sockets then;
only at its end is a transaction made of what must be written, so that no update from
the server comes in between.

Source: ovs-vswitchd.conf.db(5) for `next_cfg`, `cur_cfg` and the intervals.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import Any

from ovswitch.bridge import columns, in_band, status
from ovswitch.bridge.bridge import Bridge
from ovswitch.bridge.config import BridgeConfig, Row, get_int, optional, read_bridge
from ovswitch.bridge.datapaths import Datapaths
from ovswitch.bridge.dummy_streams import DummyWires
from ovswitch.bridge.engine import Engine
from ovswitch.bridge.links import Links
from ovswitch.bridge.status import Writes
from ovswitch.netdev import provider
from ovswitch.netdev.dummy import DummyNetdev
from ovswitch.ovsdb.aio_idl import AioIdl, AioTransaction
from ovswitch.ovsdb.idl_transaction import SUCCESS, UNCHANGED
from ovswitch.runtime import (
    clock,
    coverage,
    dirs,
    loop,
    memory,
    program,
    version,
    vlog,
)
from ovswitch.runtime.ssl_config import settings as ssl_settings

_log = vlog.Module("bridge")
_limit = vlog.RateLimit(1, 1)
_name_limit = vlog.RateLimit(1, 5)
_reconfigured = coverage.Counter("bridge_reconfigure")

LOCK = "ovs_vswitchd"
_STATS_INTERVAL_MS = 5000
_VLAN_LIMIT = 1


class Switch:
    """The bridges of one database.

    Args:
        remote: the database.
        on_ready: called once the first configuration is in force.
    """

    def __init__(
        self,
        remote: str,
        *,
        dummy: str | None = None,
        disable_system: bool = False,
        self_confine: bool = True,
        on_ready: Callable[[], None] = lambda: None,
    ) -> None:
        self.idl = AioIdl(remote, columns.helper(_schema_path()))
        columns.silence(self.idl.core.replica)
        self.idl.set_lock(LOCK)
        self.datapaths = Datapaths(dummy=dummy, disable_system=disable_system)
        self.bridges: dict[str, Bridge] = {}
        self.wires = DummyWires()
        self.engine = Engine(self.datapaths, self._datapath_lost)
        self._links = Links(self.link_changed)
        self._self_confine = self_confine
        self._on_ready: Callable[[], None] | None = on_ready
        self._tasks = loop.Group("switch")
        self._wake = asyncio.Event()
        self._seen_seqno = 0
        self._stale = False  # something beside the database asks to reconfigure
        self._next_stats = 0
        self._status_retry = False

    async def start(self) -> None:
        """Begin."""
        self.idl.start()
        self._links.start()
        provider.watch(self._wake.set)
        memory.register(self.memory_usage)
        self._tasks.spawn("database", self._follow_database())
        self._tasks.spawn("switch", self._run())

    async def stop(self, *, delete_datapath: bool) -> None:
        """End; the datapath goes on forwarding unless it is to be deleted."""
        self._tasks.cancel()
        self._links.stop()
        provider.unwatch(self._wake.set)
        for bridge in self.bridges.values():
            bridge.controllers.stop()
        self.engine.stop()
        for type_ in list(self.datapaths.open):
            self.datapaths.remove(type_, delete=delete_datapath)
        self.datapaths.close()
        await self.idl.close()

    def memory_usage(self) -> dict[str, int]:
        """Return what memory/show counts."""
        usage = {"handlers": 1, "revalidators": 1, "ports": 0, "rules": 0}
        usage["idl-cells-Open_vSwitch"] = sum(
            len(table.rows) * len(table.monitored_columns() or ())
            for table in self.idl.tables.values()
        )
        for bridge in self.bridges.values():
            ofproto = bridge.ofproto
            usage["ports"] += len(ofproto.ports)
            usage["rules"] += sum(table.n_flows for table in ofproto.tables)
            for name, count in ofproto.connmgr.memory_usage().items():
                usage[name] = usage.get(name, 0) + count
        for datapath in self.datapaths.open.values():
            n_keys = len(datapath.backer.udpif.ukeys)
            usage["udpif keys"] = usage.get("udpif keys", 0) + n_keys
        return {name: count for name, count in usage.items() if count}

    # What can happen.

    def link_changed(self, name: str, *, exists: bool) -> None:
        """Note that a link has appeared, changed or gone."""
        for bridge in self.bridges.values():
            iface = bridge.interfaces.get(name)
            if iface is None:
                continue
            if exists:
                iface.refresh_port()
            else:
                bridge.remove_gone(name)
                self._stale = True
            self._wake.set()
            return
        if exists and self._is_configured(name):
            self._stale = True
            self._wake.set()

    def _datapath_lost(self, type_: str) -> None:
        """Build the bridges of a datapath anew whose process is gone."""
        for name, bridge in list(self.bridges.items()):
            if bridge.datapath.type == type_:
                bridge.destroy()
                del self.bridges[name]
        self.datapaths.remove(type_, delete=False)
        self._stale = True
        self._wake.set()

    def _is_configured(self, name: str) -> bool:
        return any(
            config.name == name
            for bridge in self.bridges.values()
            for port in bridge.config.ports
            for config in port.interfaces
        )

    async def _follow_database(self) -> None:
        while True:
            await self.idl.changed.wait()
            self.idl.changed.clear()
            self._wake.set()

    async def _run(self) -> None:
        while True:
            pause = max(self._next_stats - clock.now(), 0) / 1000
            try:
                async with asyncio.timeout(pause or None):
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()
            await self._step()

    async def _step(self) -> None:
        if self.idl.is_lock_contended:
            _log.err_rl(
                _limit,
                "another ovs-vswitchd process is running, disabling this process "
                "(pid %d) until it goes away",
                os.getpid(),
            )
            self._give_up()
            return
        if not self.idl.has_lock or not self.idl.has_ever_connected():
            return
        if self.idl.change_seqno != self._seen_seqno or self._stale:
            self._seen_seqno = self.idl.change_seqno
            self._stale = False
            await self.engine.wait_for_commits()
            await self._reconfigure()
        self._write_status()
        if clock.now() >= self._next_stats:
            self._write_stats()

    def _give_up(self) -> None:
        """Let another process serve: it adopts the datapath."""
        for bridge in list(self.bridges.values()):
            bridge.controllers.stop()
        self.bridges.clear()
        self.engine.stop()
        for type_ in list(self.datapaths.open):
            self.datapaths.remove(type_, delete=False)
        self.datapaths.close()  # its owner from now on takes the upcalls
        self._seen_seqno = 0

    # Configuration.

    def _root(self) -> Row | None:
        row: Row | None = self.idl.tables["Open_vSwitch"].first()
        return row

    async def _reconfigure(self) -> None:
        _reconfigured.add()
        root = self._root()
        next_cfg = root.next_cfg if root else 0
        writes = Writes()
        if root:
            _configure_ssl(root)
            limit = get_int(root.other_config, "vlan-limit", _VLAN_LIMIT)
            self.datapaths.set_vlan_limit(limit)
        self._configure_bridges(root, writes)
        if root:
            self.engine.configure(dict(root.other_config))
        for bridge in list(self.bridges.values()):
            await bridge.configure_controllers(
                in_band.managers(root), self_confine=self._self_confine
            )
        opened = provider.open_devices()
        await self.wires.configure([d for d in opened if isinstance(d, DummyNetdev)])
        self.engine.kick()
        for bridge in self.bridges.values():
            self._put_status(bridge, writes, everything=False)
        if root:
            writes.put(root, self._root_columns(next_cfg))
        await self._commit_configuration(writes)

    def _configure_bridges(self, root: Row | None, writes: Writes) -> None:
        wanted = self._read_bridges(root)
        for name, bridge in list(self.bridges.items()):
            config = wanted.get(name)
            if config is None or config.datapath_type != bridge.config.datapath_type:
                bridge.destroy()
                del self.bridges[name]
            else:
                bridge.config = config
        for bridge in self.bridges.values():
            bridge.remove_unwanted()
        for name, config in wanted.items():
            if name not in self.bridges:
                self._create_bridge(config)
        self._close_unused_datapaths()
        for bridge in self.bridges.values():
            bridge.add_missing(writes)
        for datapath in self.datapaths.open.values():
            datapath.remove_unused_ports()
        for bridge in self.bridges.values():
            bridge.configure(writes)

    def _read_bridges(self, root: Row | None) -> dict[str, BridgeConfig]:
        configs: dict[str, BridgeConfig] = {}
        for row in root.bridges if root else ():
            name = row.name
            if "/" in name or "\\" in name:
                _log.warn_rl(
                    _name_limit, 'ignoring bridge with invalid name "%s"', name
                )
            elif name in configs:
                _log.warn_rl(_name_limit, "bridge %s specified twice", name)
            else:
                configs[name] = read_bridge(row)
        return configs

    def _create_bridge(self, config: BridgeConfig) -> None:
        try:
            datapath = self.datapaths.get(config.datapath_type, config.name)
        except OSError as error:
            _log.err("failed to create bridge %s: %s", config.name, error.strerror)
            return
        self.bridges[config.name] = Bridge(config, datapath, self.engine.kick)
        self.engine.watch(datapath)

    def _close_unused_datapaths(self) -> None:
        used = {bridge.datapath.type for bridge in self.bridges.values()}
        for type_ in set(self.datapaths.open) - used:
            self.engine.forget(self.datapaths.open[type_])
            self.datapaths.remove(type_, delete=True)

    def _root_columns(self, next_cfg: int) -> dict[str, Any]:
        return {
            "cur_cfg": next_cfg,
            "datapath_types": self.datapaths.types(),
            "iface_types": provider.types(),
            "dpdk_initialized": False,
            "dpdk_version": ["none"],
        }

    async def _commit_configuration(self, writes: Writes) -> None:
        result = self._commit(writes)
        if self._on_ready is None:
            self._status_retry = True
            return
        on_ready, self._on_ready = self._on_ready, None
        await result
        on_ready()
        _log.info("%s", version.version_text(program.name))

    def _commit(self, writes: Writes) -> asyncio.Future[str]:
        txn = AioTransaction(self.idl)
        writes.apply(self._exists)
        return txn.commit()

    def _exists(self, row: Row) -> bool:
        return any(
            table.rows.get(str(row.uuid)) is row for table in self.idl.tables.values()
        )

    # Status.

    def _put_status(self, bridge: Bridge, writes: Writes, *, everything: bool) -> None:
        """Gather the state of the interfaces that changed, or of all."""
        for iface in bridge.interfaces.values():
            is_new = iface.seen == 0
            if everything or iface.seen != iface.device.change_seq:
                iface.seen = iface.device.change_seq
                iface.refresh_port()
                writes.put(iface.config.row, status.link_columns(iface.device))
            if is_new:
                writes.put(iface.config.row, {"statistics": iface.statistics()})

    def _write_status(self) -> None:
        writes = Writes()
        for bridge in self.bridges.values():
            self._put_status(bridge, writes, everything=self._status_retry)
        self._status_retry = False
        result = self._commit(writes)
        result.add_done_callback(self._status_written)

    def _status_written(self, result: asyncio.Future[str]) -> None:
        if not result.cancelled() and result.result() not in (SUCCESS, UNCHANGED):
            self._status_retry = True

    def _write_stats(self) -> None:
        writes = Writes()
        for bridge in self.bridges.values():
            for iface in bridge.interfaces.values():
                writes.put(iface.config.row, {"statistics": iface.statistics()})
            for row, controller in bridge.controller_columns():
                writes.put(row, controller)
        self._commit(writes)
        root = self._root()
        interval = _STATS_INTERVAL_MS
        if root:
            wanted = get_int(root.other_config, "stats-update-interval", interval)
            interval = max(wanted, interval)
        self._next_stats = clock.now() + interval


def _configure_ssl(root: Row) -> None:
    row = optional(root.ssl)
    if row:
        ssl_settings.set_key_and_cert(row.private_key, row.certificate)
        ssl_settings.set_ca_cert(row.ca_cert, bootstrap=row.bootstrap_ca_cert)


def _schema_path() -> str:
    """Return the schema: the installed one, else the package's."""
    installed = f"{dirs.pkgdatadir()}/vswitch.ovsschema"
    if os.path.exists(installed) and "OVS_PKGDATADIR" in os.environ:
        return installed
    return os.path.join(os.path.dirname(__file__), "..", "ovsdb", "vswitch.ovsschema")
