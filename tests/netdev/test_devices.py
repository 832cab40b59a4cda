# SPDX-License-Identifier: Apache-2.0
import errno

import pytest

from ovswitch.netdev import dummy, linux, patch, provider
from ovswitch.netdev.rtnetlink import Rtnetlink
from ovswitch.packet import pcap


@pytest.fixture(autouse=True)
def classes(monkeypatch):
    monkeypatch.setattr(provider, "_classes", {})
    monkeypatch.setattr(provider, "_open", {})
    linux.register_classes()
    patch.register_class()
    dummy.register_classes()
    socket = Rtnetlink()
    monkeypatch.setattr(linux, "_rtnetlink", socket)
    yield
    socket.close()


def test_same_name_gives_the_same_device_until_the_last_close():
    first = provider.open_netdev("p0", "dummy")
    assert provider.open_netdev("p0", "dummy") is first
    provider.close_netdev(first)
    assert provider.from_name("p0") is first
    provider.close_netdev(first)
    assert provider.from_name("p0") is None


def test_watchers_hear_of_changes():
    heard = []

    def note():
        heard.append(True)

    device = provider.open_netdev("p0", "dummy")
    provider.watch(note)
    device.set_up(False)
    device.set_up(False)
    assert len(heard) == 1
    provider.unwatch(note)
    device.set_up(True)
    assert len(heard) == 1
    provider.close_netdev(device)


@pytest.mark.parametrize(
    ("name", "type_", "code"),
    [
        ("no-such", "system", errno.ENODEV),
        ("p0", "nonsense", errno.EAFNOSUPPORT),
        ("used", "patch", errno.EEXIST),
    ],
)
def test_device_that_cannot_be_opened_says_why(name, type_, code):
    provider.open_netdev("used", "dummy")
    with pytest.raises(provider.NetdevError) as caught:
        provider.open_netdev(name, type_)
    assert caught.value.errno == code


@pytest.mark.parametrize(
    "name", ["vxlan_sys_4789", "genev_sys_6081", "gre_sys", "ovs-netdev", "ovs-system"]
)
def test_names_of_the_datapath_are_reserved(name):
    assert provider.is_reserved_name(name)
    assert not provider.is_reserved_name("x" + name)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({}, "p0: patch type requires valid 'peer' argument"),
        ({"peer": "p1", "x": "y"}, "p0: patch type takes only a 'peer' argument"),
        ({"peer": "p0"}, "p0: patch peer must not be self"),
    ],
)
def test_patch_options_are_checked_with_the_references_texts(options, text):
    port = provider.open_netdev("p0", "patch")
    with pytest.raises(provider.NetdevError) as caught:
        port.set_config(options)
    assert str(caught.value) == text


def test_patch_peer_shows_in_its_configuration():
    port = provider.open_netdev("p0", "patch")
    seq = port.change_seq
    port.set_config({"peer": "p1"})
    assert port.get_config() == {"peer": "p1"}
    assert port.change_seq > seq


def test_dummy_addresses_are_consecutive():
    first = provider.open_netdev("p0", "dummy").get_etheraddr()
    second = provider.open_netdev("p1", "dummy").get_etheraddr()
    assert first[:3] == b"\xaa\x55\xaa"
    assert int.from_bytes(second, "big") == int.from_bytes(first, "big") + 1


def test_dummy_counts_what_passes_and_drops_it_when_down():
    port = provider.open_netdev("p0", "dummy")
    got = []
    port.on_receive = got.append
    port.receive(bytes(60))
    port.transmit(bytes(100))
    port.transmit(bytes(13))  # shorter than an Ethernet header
    port.transmit(bytes(1515))  # longer than the MTU allows
    port.transmit(bytes(12) + b"\x81\x00" + bytes(1504))  # a VLAN tag is allowed for
    port.set_up(False)
    port.receive(bytes(60))
    port.transmit(bytes(60))
    assert got == [bytes(60)]
    assert port.get_stats() == {
        "rx_packets": 1,
        "tx_packets": 2,
        "rx_bytes": 60,
        "tx_bytes": 1618,
    }


def test_dummy_writes_both_directions_into_its_pcap(tmp_path):
    path = tmp_path / "p0.pcap"
    port = provider.open_netdev("p0", "dummy")
    port.set_config({"pcap": str(path)})
    port.on_receive = lambda packet: None
    port.receive(b"\1" * 60)
    port.transmit(b"\2" * 60)
    provider.close_netdev(port)
    packets = [packet for _time, packet in pcap.read(path.read_bytes())]
    assert packets == [b"\1" * 60, b"\2" * 60]


def test_override_replaces_every_class_but_patch():
    dummy.register_classes("override")
    device = provider.open_netdev("no-such-device", "system")
    assert device.type == "system"
    assert isinstance(device, dummy.DummyNetdev)
    assert isinstance(provider.open_netdev("p0", "patch"), patch.PatchNetdev)


@pytest.mark.parametrize(
    ("features", "bps"),
    [
        (0, 0),
        (provider.Feature.SPEED_10MB_HD | provider.Feature.COPPER, 10**7),
        (provider.Feature.SPEED_1GB_FD | provider.Feature.SPEED_10GB_FD, 10**10),
        (provider.Feature.SPEED_1TB_FD, 10**12),
    ],
)
def test_speed_is_that_of_the_fastest_feature(features, bps):
    assert provider.features_to_bps(features) == bps
