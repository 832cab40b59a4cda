# SPDX-License-Identifier: Apache-2.0
"""Two hosts through br0, with real packets on real interfaces."""

import signal

import pytest

from tests.interop.lab import (
    Lab,
    can_make_namespaces,
    is_running,
    tcp_transfer,
    udp_echo,
    wait_for,
)

pytestmark = [
    pytest.mark.root,
    pytest.mark.slow,
    pytest.mark.skipif(not can_make_namespaces(), reason="needs root and iproute2"),
]

MEGABYTE = 1 << 20


@pytest.fixture(scope="module")
def used_lab():
    with Lab() as lab:
        lab.start(bridge=False)
        yield lab


@pytest.fixture
def lab(used_lab):
    with used_lab.fresh() as lab:
        lab.add_bridge()
        yield lab
        assert lab.bad_log_lines() == []


def two_hosts(lab, **options):
    return (
        lab.host("p1", "10.0.0.1/24", **options),
        lab.host("p2", "10.0.0.2/24", **options),
    )


def test_hosts_ping_each_other_both_ways(lab):
    h1, h2 = two_hosts(lab)
    assert h1.ping("10.0.0.2") == 3
    assert h2.ping("10.0.0.1") == 3
    assert "50:" not in lab.appctl("fdb/show", "br0").splitlines()[0]
    assert len(lab.appctl("fdb/show", "br0").splitlines()) == 3


def test_tcp_crosses_with_the_hosts_default_offloads(lab):
    h1, h2 = two_hosts(lab)
    assert tcp_transfer(h1, h2, "10.0.0.2", 100 * MEGABYTE) == 100 * MEGABYTE
    assert tcp_transfer(h2, h1, "10.0.0.1", 10 * MEGABYTE) == 10 * MEGABYTE


def test_ipv6_ping_and_tcp(lab):
    h1, h2 = two_hosts(lab)
    h1.add_address("fd00::1/64")
    h2.add_address("fd00::2/64")
    assert h1.ping("fd00::2") == 3
    assert tcp_transfer(h1, h2, "fd00::2", 10 * MEGABYTE) == 10 * MEGABYTE


def test_udp_of_all_sizes_crosses_both_ways_unharmed(lab):
    """From the smallest datagram to the largest, which is 45 fragments."""
    h1, h2 = two_hosts(lab)
    h1.add_address("fd00::1/64")
    h2.add_address("fd00::2/64")
    sizes = (8, 9, 100, 1452, 1472, 1473, 4000, 1001)
    for address in ("10.0.0.2", "fd00::2"):
        assert udp_echo(h1, h2, address, 1500, sizes) == 1500
        assert udp_echo(h1, h2, address, 20, (20001, 65507)) == 20
    assert udp_echo(h2, h1, "10.0.0.1", 500, sizes) == 500
    # The receivers' kernels found no wrong checksum either.
    for host in (h1, h2):
        text = host.run("cat", "/proc/net/snmp", "/proc/net/snmp6").stdout
        for line in text.splitlines():
            assert not line.startswith("Udp6InCsumErrors") or line.split()[1] == "0"
        names, values = (
            line.split() for line in text.splitlines() if line.startswith("Udp:")
        )
        assert values[names.index("InCsumErrors")] == "0"
    lab.ofctl("add-flow", "br0", "priority=9,udp,nw_frag=no,actions=NORMAL")
    lab.ofctl("add-flow", "br0", "priority=9,udp,nw_frag=later,actions=NORMAL")
    lab.appctl("revalidator/wait")
    assert udp_echo(h1, h2, "10.0.0.2", 40, (1000, 3000)) == 40
    # 20 whole datagrams and, of 20 others, two later fragments each; both ways.
    wait_for(lambda: sorted(lab.n_packets("udp")) == [40, 80])


def test_jumbo_frames_cross_whole(lab):
    h1, h2 = two_hosts(lab, mtu=9000)
    assert h1.run("ping", "-q", "-c", "2", "-M", "do", "-s", "8972", "-W", "1",
                  "10.0.0.2")  # fmt: skip
    assert tcp_transfer(h1, h2, "10.0.0.2", 10 * MEGABYTE) == 10 * MEGABYTE


def test_access_ports_of_different_vlans_are_isolated(lab):
    h1, h2 = two_hosts(lab)
    lab.host("p3", "10.0.0.3/24")
    lab.vsctl("set", "port", "p1", "tag=10", "--", "set", "port", "p2", "tag=20",
              "--", "set", "port", "p3", "tag=10")  # fmt: skip
    assert h1.ping("10.0.0.2", seconds=1) == 0
    assert h1.ping("10.0.0.3") == 3
    assert h2.ping("10.0.0.3", seconds=1) == 0


def test_trunk_carries_both_vlans_tagged(lab):
    """br0 and br1 over one veth pair; the hosts' own kernels need no VLAN support."""
    lab.expected_log_lines.append("dropping VLAN")  # the veths' own untagged IPv6
    lab.add_bridge("br1")
    lab.veth("t0", "t1")
    lab.vsctl("add-port", "br0", "t0", "--", "add-port", "br1", "t1")
    h1 = lab.host("p1", "10.0.0.1/24")
    h2 = lab.host("p2", "10.0.0.2/24")
    h3 = lab.host("p3", "10.0.0.3/24", bridge="br1")
    lab.host("p4", "10.0.0.4/24", bridge="br1")
    for port, tag in (("p1", 10), ("p2", 20), ("p3", 10), ("p4", 20)):
        lab.vsctl("set", "port", port, f"tag={tag}")
    lab.vsctl("set", "port", "t0", "trunks=10,20")
    assert h1.ping("10.0.0.3") == 3
    assert h2.ping("10.0.0.4") == 3
    assert h1.ping("10.0.0.4", seconds=1) == 0
    assert h2.ping("10.0.0.3", seconds=1) == 0
    lab.ofctl("add-flow", "br1", "priority=9,in_port=t1,dl_vlan=10,actions=NORMAL")
    assert h1.ping("10.0.0.3") == 3
    wait_for(lambda: lab.n_packets("dl_vlan=10", bridge="br1")[0] >= 3)
    lab.vsctl("set", "port", "t0", "trunks=10")
    lab.appctl("revalidator/wait")  # the configuration is in force, flows follow
    assert h2.ping("10.0.0.4", seconds=1) == 0
    assert h3.ping("10.0.0.1") == 3


@pytest.mark.parametrize("size", [MEGABYTE, 10 * MEGABYTE])
def test_tcp_crosses_a_tagged_trunk_with_default_offloads(lab, size):
    lab.add_bridge("br1")
    lab.veth("t0", "t1")
    lab.vsctl("add-port", "br0", "t0", "--", "add-port", "br1", "t1")
    h1 = lab.host("p1", "10.0.0.1/24")
    h3 = lab.host("p3", "10.0.0.3/24", bridge="br1")
    lab.vsctl("set", "port", "p1", "tag=10", "--", "set", "port", "p3", "tag=10")
    assert tcp_transfer(h1, h3, "10.0.0.3", size) == size
    assert tcp_transfer(h3, h1, "10.0.0.1", size) == size


def test_rule_that_drops_stops_traffic_and_counts(lab):
    h1, _h2 = two_hosts(lab)
    assert h1.ping("10.0.0.2") == 3
    lab.ofctl("add-flow", "br0", "priority=10,icmp,actions=drop")
    lab.appctl("revalidator/wait")
    assert h1.ping("10.0.0.2", count=4, seconds=1) == 0
    wait_for(lambda: lab.n_packets("icmp")[0] >= 4)
    lab.ofctl("del-flows", "br0", "icmp")
    assert h1.ping("10.0.0.2") == 3


def test_rule_that_rewrites_is_seen_by_the_receiver(lab):
    h1, h2 = two_hosts(lab)
    h2.add_address("10.0.0.20/24")
    h1.ping("10.0.0.2", count=1)
    lab.ofctl("add-flow", "br0", "priority=10,ip,nw_src=10.0.0.1,nw_dst=10.0.0.9,"
              "actions=mod_nw_dst:10.0.0.20,NORMAL")  # fmt: skip
    lab.ofctl("add-flow", "br0", "priority=10,ip,nw_src=10.0.0.20,nw_dst=10.0.0.1,"
              "actions=mod_nw_src:10.0.0.9,NORMAL")  # fmt: skip
    mac = h2.run("cat", "/sys/class/net/eth0/address").stdout.strip()
    h1.run("ip", "neigh", "replace", "10.0.0.9", "lladdr", mac, "dev", "eth0")
    assert h1.ping("10.0.0.9") == 3
    wait_for(lambda: lab.n_packets("ip,nw_dst=10.0.0.9")[0] >= 3)


def test_ports_come_and_go_at_run_time(lab):
    h1, _h2 = two_hosts(lab)
    assert h1.ping("10.0.0.2") == 3
    lab.vsctl("del-port", "p2")
    assert h1.ping("10.0.0.2", seconds=1) == 0
    lab.vsctl("add-port", "br0", "p2", "--", "set", "interface", "p2",
              "ofport_request=7")  # fmt: skip
    assert h1.ping("10.0.0.2") == 3
    assert lab.vsctl("get", "interface", "p2", "ofport") == "7\n"


def test_traffic_goes_on_while_vswitchd_is_killed_and_restarted(lab):
    h1, _h2 = two_hosts(lab)
    assert h1.ping("10.0.0.2") == 3
    # The new process may ask for the lock before the server sees the old one gone.
    lab.expected_log_lines.append("another ovs-vswitchd process is running")
    ping = h1.popen("ping", "-q", "-i", "0.02", "-c", "150", "10.0.0.2")
    lab.kill("ovs-vswitchd", signal.SIGKILL)
    lab.start_vswitchd()
    output, _ = ping.communicate(timeout=30)
    assert " 0% packet loss" in output
    names = lab.vsctl("list-ports", "br0").split()
    assert names == ["p1", "p2"]
    ports = [line.split()[2] for line in lab.appctl("dpctl/show").splitlines()
             if line.strip().startswith("port ")]  # fmt: skip
    assert sorted(ports) == ["br0", "ovs-netdev", "p1", "p2"]
    assert h1.ping("10.0.0.2") == 3


_CONTROLLER = """
import socket, struct
listener = socket.create_server(("10.0.0.2", 6653))
print("ready", flush=True)
link, _ = listener.accept()
link.sendall(struct.pack("!BBHI", 1, 0, 8, 1))
link.recv(4096)
print("connected", flush=True)
while octets := link.recv(4096):
    pass
"""


def test_controller_is_reached_through_the_bridge_that_it_controls(lab):
    """In-band control: there isn't a flow that would let anything through."""
    h1, h2 = two_hosts(lab)
    lab.vsctl("set", "bridge", "br0", "fail-mode=secure")
    controller = h2.popen("python3", "-c", _CONTROLLER)
    try:
        assert controller.stdout.readline() == "ready\n"
        lab.vsctl("set-controller", "br0", "tcp:10.0.0.2:6653",
                  "--", "set", "controller",
                  "br0", "local_ip=10.0.0.254", "max_backoff=1000")  # fmt: skip
        assert controller.stdout.readline() == "connected\n"
        wait_for(lambda: "priority=180003" in lab.appctl("bridge/dump-flows", "br0"))
        assert "actions" not in lab.ofctl("dump-flows", "br0")
        assert h1.ping("10.0.0.2", count=1, seconds=1) == 0
        mac = h2.run("cat", "/sys/class/net/eth0/address").stdout.strip()
        assert f"arp,dl_dst={mac},arp_op=2" in lab.appctl("bridge/dump-flows", "br0")
        lab.vsctl("set", "bridge", "br0", "other-config:disable-in-band=true")
        assert "priority=18" not in lab.appctl("bridge/dump-flows", "br0")
    finally:
        controller.kill()
        controller.communicate()


def test_database_survives_kill_with_every_committed_transaction(lab):
    for number in range(20):
        lab.vsctl("--no-wait", "set", "bridge", "br0", f"external-ids:n{number}=x")
    lab.expected_log_lines.append("|reconnect|WARN|")
    lab.kill("ovsdb-server", signal.SIGKILL)
    lab.start_database()
    found = lab.vsctl("--no-wait", "get", "bridge", "br0", "external-ids")
    assert found.count("=x") == 20
    pid = lab.pid("ovs-vswitchd")
    lab.host("p9", "10.0.0.9/24")  # ovs-vswitchd has found the database again
    assert is_running(pid)
