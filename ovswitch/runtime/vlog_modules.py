# SPDX-License-Identifier: Apache-2.0
"""The log modules that each program of the reference has.

Scripts name them in `-vMODULE` and `vlog/set` and read them from `vlog/list`, so all
are known from the start, although ours come into being with the code that logs.
The table is read only when a name isn't a module already.
"""

from __future__ import annotations

_COMMON = """
    backtrace bundle command_line conntrack conntrack_tp coverage ct_dpif
    dns_resolve dpdk dpif dpif_lookup_autovalidator dpif_lookup_generic
    dpif_mfex_extract_study dpif_netdev dpif_netdev_extract dpif_netdev_impl
    dpif_netdev_lookup dpif_netlink dpif_netlink_rtnl entropy fatal_signal flow hmap
    ipf jsonrpc meta_flow native_tnl netdev netdev_afxdp netdev_linux netdev_offload
    netdev_offload_tc netdev_vport netlink netlink_conntrack netlink_notifier
    netlink_socket nx_match odp_execute odp_execute_impl odp_util ofp_actions
    ofp_bundle ofp_connection ofp_errors ofp_flow ofp_group ofp_match ofp_meter
    ofp_monitor ofp_msgs ofp_packet ofp_port ofp_protocol ofp_queue ofp_table
    ofp_util ovs_numa ovs_rcu ovs_replay ovs_router ovs_thread ovsdb_cs ovsdb_error
    ovsdb_idl ox_stat pmd_perf poll_loop reconnect route_table sha1 signals
    socket_util socket_util_unix stream stream_fd stream_replay stream_ssl
    stream_tcp stream_unix svec tc timeval unixctl userspace_tso util uuid vlog
"""
_DAEMON = """
    daemon daemon_unix lockfile process
"""
_DATABASE = """
    ovsdb ovsdb_file ovsdb_jsonrpc_server ovsdb_log ovsdb_monitor ovsdb_rbac
    ovsdb_util raft raft_rpc storage transaction transaction_forward trigger
"""
_SWITCH = """
    bfd bond bridge bundles cfm collectors connmgr fail_open in_band ipfix lacp lldp
    lldpd lldpd_structs memory netdev_dummy netflow ofproto ofproto_dpif
    ofproto_dpif_mirror ofproto_dpif_monitor ofproto_dpif_rid ofproto_dpif_upcall
    ofproto_dpif_xlate ofproto_xlate_cache ovs_lldp pcap rconn rstp rstp_sm sflow
    stp system_stats tunnel vconn vconn_stream vswitchd
"""
_PROGRAMS = {
    "ovs-appctl": _DAEMON,
    "ovs-dpctl": "",
    "ovs-ofctl": _DAEMON + "ofctl pcap vconn vconn_stream",
    "ovs-testcontroller": _DAEMON
    + "controller learning_switch rconn vconn vconn_stream",
    "ovs-vsctl": "db_ctl_base process vconn vconn_stream vsctl",
    "ovs-vswitchd": _DAEMON + _SWITCH,
    "ovsdb-client": _DAEMON + _DATABASE + "ovsdb_client",
    "ovsdb-server": _DAEMON + _DATABASE + "memory ovsdb_server relay replication",
    "ovsdb-tool": _DATABASE + "lockfile",
    "vtep-ctl": "db_ctl_base process vtep_ctl",
}


def known(program: str) -> frozenset[str]:
    """Return the names of a program's modules, none for a program not listed."""
    own = _PROGRAMS.get(program)
    return frozenset() if own is None else frozenset((_COMMON + own).split())
