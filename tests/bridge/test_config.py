# SPDX-License-Identifier: Apache-2.0
"""Rows are read as ovs-vswitchd.conf.db(5) says, wrong values as their defaults."""

from types import SimpleNamespace

import pytest

from ovswitch.bridge import config, vlan


def row(defaults, **columns):
    return SimpleNamespace(**{**defaults, **columns})


INTERFACE = {
    "name": "p1",
    "type": "",
    "options": {},
    "other_config": {},
    "ofport": [],
    "ofport_request": [],
    "mac": [],
    "mtu_request": [],
}
PORT = {
    "name": "p1",
    "interfaces": [],
    "tag": [],
    "trunks": [],
    "cvlans": [],
    "vlan_mode": [],
    "mac": [],
    "fake_bridge": False,
    "protected": False,
    "other_config": {},
}
CONTROLLER = {
    "target": "tcp:127.0.0.1:6653",
    "type": [],
    "max_backoff": [],
    "inactivity_probe": [],
    "connection_mode": [],
    "enable_async_messages": [],
    "controller_rate_limit": [],
    "controller_burst_limit": [],
    "other_config": {},
    "local_ip": [],
    "local_netmask": [],
    "local_gateway": [],
}
BRIDGE = {
    "name": "br0",
    "datapath_type": "",
    "ports": [],
    "controller": [],
    "fail_mode": [],
    "protocols": [],
    "flood_vlans": [],
    "flow_tables": {},
    "other_config": {},
}


@pytest.mark.parametrize(
    ("ofport", "ofport_request", "wanted"),
    [
        ([], [], None),
        ([5], [], 5),
        ([5], [7], 7),
        ([-1], [], None),
        ([65534], [], None),
        ([], [65280], None),
        ([], [65279], 65279),
    ],
)
def test_requested_port_goes_before_the_last_one(ofport, ofport_request, wanted):
    cfg = config.read_interface(
        row(INTERFACE, ofport=ofport, ofport_request=ofport_request), "br0"
    )
    assert cfg.wanted_ofport == wanted


def test_interface_named_as_its_bridge_is_internal():
    assert config.read_interface(row(INTERFACE, name="br0"), "br0").type == "internal"
    assert config.read_interface(row(INTERFACE), "br0").type == "system"


@pytest.mark.parametrize(
    ("probe", "seconds"), [([], 5), ([0], 0), ([1], 1), ([999], 1), ([5500], 5)]
)
def test_probe_interval_is_whole_seconds_and_zero_only_when_asked(probe, seconds):
    cfg = config.read_controller(row(CONTROLLER, inactivity_probe=probe), {})
    assert cfg.probe_interval == seconds


@pytest.mark.parametrize(
    ("target", "kind", "is_primary"),
    [
        ("tcp:127.0.0.1", [], True),
        ("ptcp:6653", [], False),
        ("punix:x", ["primary"], True),
        ("tcp:127.0.0.1", ["service"], False),
    ],
)
def test_passive_controllers_are_services_unless_configured(target, kind, is_primary):
    cfg = config.read_controller(row(CONTROLLER, target=target, type=kind), {})
    assert cfg.is_primary is is_primary


@pytest.mark.parametrize(
    ("dscp", "taken"), [("0", 0), ("63", 63), ("64", 48), ("x", 48)]
)
def test_dscp_out_of_range_is_the_default(dscp, taken):
    cfg = config.read_controller(row(CONTROLLER, other_config={"dscp": dscp}), {})
    assert cfg.dscp == taken


@pytest.mark.parametrize(
    ("columns", "mode"),
    [
        ({}, "trunk"),
        ({"tag": [5]}, "access"),
        ({"tag": [5], "vlan_mode": ["native-tagged"]}, "native-tagged"),
        ({"trunks": [1, 2]}, "trunk"),
        ({"vlan_mode": ["dot1q-tunnel"]}, "dot1q-tunnel"),
    ],
)
def test_vlan_mode_follows_from_the_tag_if_unset(columns, mode):
    assert vlan.mode_of(config.read_port(row(PORT, **columns), "br0")) == mode


def test_bridge_with_controllers_gets_a_local_port():
    bare = config.read_bridge(row(BRIDGE))
    assert bare.ports == ()
    cfg = config.read_bridge(row(BRIDGE, controller=[row(CONTROLLER)]))
    assert [port.name for port in cfg.ports] == ["br0"]
    assert cfg.ports[0].interfaces[0].type == "internal"


@pytest.mark.parametrize(
    ("text", "value"), [("7", 7), ("-1", -1), ("0x10", 5), ("", 5), ("x", 5)]
)
def test_map_numbers_are_decimal(text, value):
    assert config.get_int({"k": text}, "k", 5) == value


@pytest.mark.parametrize(
    ("text", "default", "value"),
    [
        ("true", False, True),
        ("TRUE", False, True),
        ("yes", False, False),
        ("false", True, False),
        ("no", True, True),
    ],
)
def test_map_truth_is_the_default_unless_clearly_not(text, default, value):
    assert config.get_bool({"k": text}, "k", default) is value
