# SPDX-License-Identifier: Apache-2.0
import pytest

from ovswitch.bridge import identity
from ovswitch.bridge.config import PortConfig
from ovswitch.bridge.identity import Candidate


def port(name, *, mac="", tag=None):
    return PortConfig(name, None, (), mac=mac, tag=tag)


LOW = bytes.fromhex("0010f3000001")
HIGH = bytes.fromhex("0010f3000002")
LOCAL = bytes.fromhex("0210f3000000")  # locally administered


def test_lowest_global_unicast_address_is_chosen():
    ports = [
        (port("p1"), [Candidate("p1", False, HIGH)]),
        (port("p2"), [Candidate("p2", False, LOW)]),
        (port("p3"), [Candidate("p3", False, LOCAL)]),
        (port("p4"), [Candidate("p4", False, bytes(6))]),
        (port("p5"), [Candidate("p5", False, None)]),
    ]
    assert identity.lowest_address(ports) == LOW


def test_bridges_own_port_has_no_say():
    assert (
        identity.lowest_address([(port("br0"), [Candidate("br0", True, LOW)])]) is None
    )


def test_bond_counts_with_its_first_member_by_name():
    members = [Candidate("b2", False, LOW), Candidate("b1", False, HIGH)]
    assert identity.lowest_address([(port("bond"), members)]) == HIGH


def test_configured_port_address_goes_before_the_devices():
    ports = [(port("p1", mac="00:10:f3:00:00:01"), [Candidate("p1", False, HIGH)])]
    assert identity.lowest_address(ports) == LOW


def test_fake_bridge_takes_ports_of_its_vlan():
    ports = [
        (port("p1", tag=10), [Candidate("p1", False, LOW)]),
        (port("p2", tag=20), [Candidate("p2", False, HIGH)]),
    ]
    assert identity.lowest_address(ports, tag=20) == HIGH


@pytest.mark.parametrize(
    ("text", "dpid"),
    [
        ("0000000000000001", 1),
        ("0x1", 1),
        ("0xfedcba9876543210", 0xFEDCBA9876543210),
        ("1", None),
        ("0000000000000000", None),
        ("0x", None),
        ("0xfedcba98765432100", None),
        ("000000000000000g", None),
        ("", None),
    ],
)
def test_datapath_id_is_sixteen_digits_or_prefixed(text, dpid):
    assert identity.parse_datapath_id(text) == dpid


@pytest.mark.parametrize("hwaddr", ["01:00:00:00:00:01", "00:00:00:00:00:00", "x", ""])
def test_unusable_hwaddr_is_ignored(hwaddr):
    assert identity.configured_address("br0", hwaddr) is None


def test_default_address_is_local_and_stable():
    uuid = "8d1c4862-a227-4b6e-9d1c-3f1c2e5a6b7c"
    address = identity.default_address(uuid)
    assert address == identity.default_address(uuid)
    assert address[0] & 3 == 2
    assert address == bytes.fromhex("62481c8d6e4b")
