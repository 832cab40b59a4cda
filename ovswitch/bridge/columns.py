# SPDX-License-Identifier: Apache-2.0
"""Which columns of the database ovs-vswitchd follows.

`_READ` are those that configure the switch; `_WRITTEN` are those that it writes and
whose changes, its own above all, are no reason to reconfigure. Both are monitored, so
that an unchanged value needn't be written again. All others are left out.
"""

from __future__ import annotations

from ovswitch.ovsdb.idl import SchemaHelper
from ovswitch.ovsdb.replica import Replica

_READ: dict[str, tuple[str, ...]] = {
    "Open_vSwitch": (
        *("bridges", "next_cfg", "manager_options", "ssl", "other_config"),
        "datapaths",
    ),
    "Bridge": (
        *("name", "ports", "mirrors", "netflow", "sflow", "ipfix", "auto_attach"),
        *("controller", "flow_tables", "fail_mode", "protocols", "flood_vlans"),
        *("stp_enable", "rstp_enable", "mcast_snooping_enable", "datapath_type"),
        "other_config",
    ),
    "Port": (
        *("name", "interfaces", "vlan_mode", "tag", "trunks", "cvlans", "bond_mode"),
        *("bond_updelay", "bond_downdelay", "bond_fake_iface", "lacp", "qos", "mac"),
        *("fake_bridge", "protected", "other_config"),
    ),
    "Interface": (
        *("name", "type", "options", "other_config", "ofport_request", "mac"),
        *("mtu_request", "ingress_policing_rate", "ingress_policing_burst"),
        *("bfd", "lldp", "cfm_mpid"),
    ),
    "Controller": (
        *("target", "type", "max_backoff", "inactivity_probe", "connection_mode"),
        *("enable_async_messages", "controller_rate_limit", "controller_burst_limit"),
        *("other_config", "local_ip", "local_netmask", "local_gateway"),
    ),
    "Flow_Table": ("name", "flow_limit", "overflow_policy", "groups", "prefixes"),
    "Mirror": (
        *("name", "select_all", "select_src_port", "select_dst_port", "select_vlan"),
        *("output_port", "output_vlan", "snaplen"),
    ),
    "Manager": ("target", "connection_mode", "other_config"),
    "SSL": ("private_key", "certificate", "ca_cert", "bootstrap_ca_cert"),
}

_WRITTEN: dict[str, tuple[str, ...]] = {
    "Open_vSwitch": (
        *("cur_cfg", "statistics", "datapath_types", "iface_types"),
        *("dpdk_version", "dpdk_initialized"),
    ),
    "Bridge": ("datapath_id", "datapath_version", "status", "rstp_status"),
    "Port": ("status", "rstp_status", "statistics", "bond_active_slave"),
    "Interface": (
        *("admin_state", "duplex", "link_speed", "link_state", "link_resets"),
        *("mac_in_use", "ifindex", "mtu", "ofport", "statistics", "status", "error"),
        *("cfm_fault", "cfm_fault_status", "cfm_remote_mpids", "lacp_current"),
    ),
    "Controller": ("is_connected", "role", "status"),
    "Mirror": ("statistics",),
}


def helper(schema_path: str) -> SchemaHelper:
    """Return what the database client follows."""
    schema = SchemaHelper(schema_path)
    for table, columns in _READ.items():
        schema.register_columns(table, [*columns, *_WRITTEN.get(table, ())])
    return schema


def silence(replica: Replica) -> None:
    """Let changes of written columns pass without notice."""
    for table, columns in _WRITTEN.items():
        for column in columns:
            replica.table(table).omit_alert(column)
