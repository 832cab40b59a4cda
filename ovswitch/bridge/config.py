# SPDX-License-Identifier: Apache-2.0
"""What the database asks for, as plain values.

Rows are read once a change; everything after works on these. Wrong values that the
schema lets pass fall back to defaults here, as ovs-vswitchd.conf.db(5) says.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

from ovswitch.ofproto.port_order import name_order

DSCP_DEFAULT = 48
MAX_OFPORT = 65279

VLAN_MODES = ("access", "trunk", "native-tagged", "native-untagged", "dot1q-tunnel")


class Row(Protocol):
    """A row of the database client: columns are attributes."""

    @property
    def uuid(self) -> Any: ...  # noqa: D102

    def __getattr__(self, column: str) -> Any: ...


def optional(values: Any) -> Any:
    """Return the element of a set of at most one, or None."""
    return values[0] if values else None


def get_int(values: dict[str, str], key: str, default: int) -> int:
    """Return a map's value as a decimal number."""
    try:
        return int(values[key])
    except (KeyError, ValueError):
        return default


def get_bool(values: dict[str, str], key: str, default: bool) -> bool:
    """Return a map's value as a truth value: the default, or its clear opposite."""
    text = values.get(key, "").lower()
    return text != "false" if default else text == "true"


@dataclass(frozen=True, slots=True)
class InterfaceConfig:
    """One Interface row, or one that the bridge makes up for its local port."""

    name: str
    type: str
    row: Row | None
    options: dict[str, str] = field(default_factory=dict)
    other_config: dict[str, str] = field(default_factory=dict)
    ofport: int | None = None  # what the row says it was
    ofport_request: int | None = None
    mac: str = ""
    mtu_request: int | None = None

    @property
    def wanted_ofport(self) -> int | None:
        """The OpenFlow port to ask for: the request, else the one it had."""
        return self.ofport if self.ofport_request is None else self.ofport_request


@dataclass(frozen=True, slots=True)
class PortConfig:
    """One Port row."""

    name: str
    row: Row | None
    interfaces: tuple[InterfaceConfig, ...]
    tag: int | None = None
    trunks: frozenset[int] = frozenset()
    cvlans: frozenset[int] = frozenset()
    vlan_mode: str = ""
    mac: str = ""
    fake_bridge: bool = False
    protected: bool = False
    other_config: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ControllerConfig:
    """One Controller row; intervals in seconds as the OpenFlow side uses them."""

    target: str
    row: Row | None
    is_primary: bool = True
    max_backoff: int = 8
    probe_interval: int = 5
    in_band: bool = True
    enable_async_messages: bool = True
    max_queue_size: int = 100
    rate_limit: int = 0
    burst_limit: int = 0
    dscp: int = DSCP_DEFAULT
    local_ip: str = ""
    local_netmask: str = ""
    local_gateway: str = ""


@dataclass(frozen=True, slots=True)
class TableConfig:
    """One Flow_Table row."""

    name: str
    flow_limit: int | None
    evict: bool
    groups: tuple[str, ...]
    prefixes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BridgeConfig:
    """One Bridge row."""

    name: str
    datapath_type: str
    row: Row
    ports: tuple[PortConfig, ...]
    controllers: tuple[ControllerConfig, ...]
    is_secure: bool
    protocols: frozenset[str]
    flood_vlans: frozenset[int]
    tables: dict[int, TableConfig]
    other_config: dict[str, str]

    @property
    def disable_in_band(self) -> bool:
        """Whether nobody is reached through the bridge itself."""
        return get_bool(self.other_config, "disable-in-band", False)


def _valid_ofport(value: int | None) -> int | None:
    return value if value is not None and 1 <= value <= MAX_OFPORT else None


def read_interface(row: Row, bridge: str, type_: str | None = None) -> InterfaceConfig:
    """Read an Interface row of `bridge`; its local interface is always internal."""
    wanted = row.type or "system"
    return InterfaceConfig(
        name=row.name,
        type=type_ or ("internal" if row.name == bridge else wanted),
        row=row,
        options=dict(row.options),
        other_config=dict(row.other_config),
        ofport=_valid_ofport(optional(row.ofport)),
        ofport_request=_valid_ofport(optional(row.ofport_request)),
        mac=optional(row.mac) or "",
        mtu_request=optional(row.mtu_request),
    )


def read_port(row: Row, bridge: str) -> PortConfig:
    """Read a Port row and its interfaces."""
    return PortConfig(
        name=row.name,
        row=row,
        interfaces=tuple(read_interface(iface, bridge) for iface in row.interfaces),
        tag=optional(row.tag),
        trunks=frozenset(row.trunks),
        cvlans=frozenset(row.cvlans),
        vlan_mode=optional(row.vlan_mode) or "",
        mac=optional(row.mac) or "",
        fake_bridge=row.fake_bridge,
        protected=row.protected,
        other_config=dict(row.other_config),
    )


def _probe_interval(milliseconds: int | None) -> int:
    if milliseconds is None:
        return 5
    return 0 if milliseconds == 0 else max(milliseconds // 1000, 1)


def read_controller(row: Row, bridge_other_config: dict[str, str]) -> ControllerConfig:
    """Read a Controller row."""
    max_backoff = optional(row.max_backoff)
    dscp = get_int(row.other_config, "dscp", DSCP_DEFAULT)
    in_band = optional(row.connection_mode) in (None, "in-band")
    queue = get_int(
        row.other_config,
        "controller-queue-size",
        get_int(bridge_other_config, "controller-queue-size", 100),
    )
    kind = optional(row.type)
    return ControllerConfig(
        target=row.target,
        row=row,
        is_primary=kind == "primary" or (kind is None and is_active(row.target)),
        max_backoff=8 if max_backoff is None else max_backoff // 1000,
        probe_interval=_probe_interval(optional(row.inactivity_probe)),
        in_band=in_band and not get_bool(bridge_other_config, "disable-in-band", False),
        enable_async_messages=optional(row.enable_async_messages) is not False,
        max_queue_size=queue if 1 <= queue <= 512 else 100,
        rate_limit=optional(row.controller_rate_limit) or 0,
        burst_limit=optional(row.controller_burst_limit) or 0,
        dscp=dscp if 0 <= dscp <= 63 else DSCP_DEFAULT,
        local_ip=optional(row.local_ip) or "",
        local_netmask=optional(row.local_netmask) or "",
        local_gateway=optional(row.local_gateway) or "",
    )


def is_active(target: str) -> bool:
    """Return whether we connect to `target`, rather than listen on it."""
    return not target.startswith(("ptcp:", "pssl:", "punix:"))


def _read_table(row: Row) -> TableConfig:
    return TableConfig(
        name=optional(row.name) or "",
        flow_limit=optional(row.flow_limit),
        evict=optional(row.overflow_policy) == "evict",
        groups=tuple(row.groups),
        prefixes=tuple(row.prefixes),
    )


def read_bridge(row: Row) -> BridgeConfig:
    """Read a Bridge row with all that hangs on it."""
    other_config = dict(row.other_config)
    controllers = tuple(read_controller(c, other_config) for c in row.controller)
    ports: dict[str, PortConfig] = {}
    for port in row.ports:
        ports.setdefault(port.name, read_port(port, row.name))
    if controllers and row.name not in ports:
        local = InterfaceConfig(row.name, "internal", None)
        ports[row.name] = PortConfig(row.name, None, (local,))
    return BridgeConfig(
        name=row.name,
        datapath_type=row.datapath_type or "system",
        row=row,
        # As the reference visits them: who comes first gets the lower number.
        ports=tuple(ports[name] for name in name_order(ports)),
        controllers=controllers,
        is_secure=optional(row.fail_mode) == "secure",
        protocols=frozenset(row.protocols),
        flood_vlans=frozenset(row.flood_vlans),
        tables={
            number: _read_table(table) for number, table in row.flow_tables.items()
        },
        other_config=other_config,
    )
