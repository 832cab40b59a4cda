# SPDX-License-Identifier: Apache-2.0
"""Paused packets: what a controller gets of them, and how they go on when it is done.

The same pipelines run on both implementations, each with an `ovs-ofctl monitor resume`
as its controller. What the monitor prints, which ports the packets leave by and what
the flows count must agree.
"""

import concurrent.futures
import contextlib
import subprocess

import pytest

from ovswitch.packet import pcap
from tests.interop.lab import find, has_reference, wait_for
from tests.interop.test_scripts import Daemons, Normaliser

pytestmark = [
    pytest.mark.reference,
    pytest.mark.slow,
    pytest.mark.skipif(not has_reference(), reason="needs the reference"),
]

_SET_UP = (
    "ovs-vsctl add-br br0 -- set bridge br0 datapath_type=dummy fail-mode=secure "
    "other-config:hwaddr=aa:66:aa:66:00:00",
    *(
        f"ovs-vsctl add-port br0 p{n} -- set interface p{n} type=dummy "
        f"ofport_request={n} options:tx_pcap=RUNDIR/p{n}.pcap"
        for n in (1, 2, 3)
    ),
    "ovs-vsctl add-br br1 -- set bridge br1 datapath_type=dummy fail-mode=secure "
    "other-config:hwaddr=aa:66:aa:66:00:01",
    "ovs-vsctl add-port br0 to1 -- set interface to1 type=patch options:peer=to0 "
    "ofport_request=10 -- add-port br1 to0 -- set interface to0 type=patch "
    "options:peer=to1 ofport_request=11",
    "ovs-vsctl add-port br1 p4 -- set interface p4 type=dummy ofport_request=4 "
    "options:tx_pcap=RUNDIR/p4.pcap",
)
_PACKETS = (
    "in_port(1),eth(src=50:54:00:00:00:05,dst=50:54:00:00:00:07),eth_type(0x0800),"
    "ipv4(src=192.168.0.1,dst=192.168.0.2,proto=17,tos=0,ttl=64,frag=no),"
    "udp(src=8,dst=9)",
    "in_port(1),eth(src=50:54:00:00:00:05,dst=50:54:00:00:00:07),"
    "eth_type(0x8100),vlan(vid=9,pcp=3),encap(eth_type(0x0806),arp(sip=10.0.0.1,"
    "tip=10.0.0.2,op=1,sha=50:54:00:00:00:05,tha=00:00:00:00:00:00))",
)

PIPELINES = {
    "plain": ["actions=controller(pause),2"],
    "last": ["actions=2,controller(pause)"],
    "userdata": [
        "cookie=5,actions=controller(pause,userdata=01.02.03.04.05,id=0,max_len=20),3"
    ],
    "tables": [
        "cookie=0x12,actions=set_field:1->reg0,resubmit(,1),set_field:9->reg4,2",
        "table=1,cookie=0x34,reg0=1,actions=set_field:7->metadata,"
        "controller(pause,userdata=aa),set_field:2->reg1,goto_table:2",
        "table=2,cookie=0x56,reg1=2,metadata=7,actions=3",
    ],
    "rules that send packets themselves": [
        "cookie=1,actions=resubmit(,1),controller(max_len=99),2",
        "table=1,cookie=2,actions=resubmit(,2),controller,dec_ttl,3",
        "table=2,cookie=3,actions=controller(pause),resubmit(,3)",
        "table=3,cookie=4,actions=controller(reason=invalid_ttl)",
    ],
    "twice": ["actions=controller(pause),2,controller(pause,userdata=05),3"],
    "stack": [
        "actions=set_field:0x1234->reg0,push:NXM_NX_REG0[0..15],"
        "push:NXM_NX_REG0[4..7],controller(pause),pop:NXM_NX_REG1[0..7],"
        "pop:NXM_NX_REG2[0..31],resubmit(,1)",
        "table=1,reg1=3,reg2=0x1234,actions=2",
    ],
    "changed": [
        "actions=mod_dl_src:00:00:00:00:00:01,push_vlan:0x8100,"
        "set_field:4106->vlan_vid,controller(pause),3,pop_vlan,2",
    ],
    "clone": ["actions=clone(set_field:1->reg0,controller(pause),2),3"],
    "another bridge": ["actions=10,2"],
    "normal": ["actions=controller(pause),NORMAL"],
}
_NEED_13 = ("tables", "changed")
_BOTH = ("plain", "changed", "another bridge")  # of _PACKETS; the others have one
_BRIDGE1 = "cookie=0x77,actions=set_field:5->reg3,controller(pause,userdata=bb),4"


class _Story:
    """One implementation's daemons and, as controllers of its bridges, its monitors."""

    def __init__(self, daemons):
        self._daemons = daemons
        self._said = daemons.directory / "monitor.txt"
        for command in _SET_UP:
            self._run(command)
        self._run("ovs-appctl time/stop")

    def _run(self, text):
        """Run a command of the reference's: that is quicker."""
        done = self._daemons._command(text, "reference")
        assert done.returncode == 0, done
        return done.stdout

    @contextlib.contextmanager
    def _monitors(self, version):
        daemons = self._daemons
        monitors = []
        with self._said.open("w") as output:
            for bridge in ("br0", "br1"):
                control = daemons.directory / f"{bridge}{version}.ctl"
                words = f"monitor {bridge} 65534 resume -P nxt_packet_in2 -O{version}"
                command = [
                    find("ovs-ofctl", daemons.implementation),
                    *words.split(),
                    f"--unixctl={control}",
                ]
                monitors.append(
                    subprocess.Popen(
                        command,
                        env=daemons.env,
                        cwd=daemons.directory,
                        stderr=output,
                    )
                )
                wait_for(control.exists)
        try:
            yield
        finally:
            for monitor in monitors:
                monitor.kill()
                monitor.wait()

    def _settle(self, version):
        """Wait until the controllers and the switch have nothing more to say."""
        quiet = 0
        while quiet < 2:
            heard = self._heard()
            for bridge in ("br0", "br1"):
                self._run(f"ovs-appctl -t RUNDIR/{bridge}{version}.ctl ofctl/barrier")
            quiet = quiet + 1 if self._heard() == heard else 0

    def _heard(self):
        """Return what the monitors have printed, but for our barriers."""
        lines = self._said.read_text().splitlines()
        return [line for line in lines if "BARRIER" not in line]

    def _pipeline(self, flows, packets, version):
        """Return what is seen of packets through `flows`, as one text."""
        directory = self._daemons.directory
        begin = len(self._heard())
        (directory / "flows").write_text("\n".join(["delete", *flows]))
        self._run(f"ovs-ofctl -O{version} add-flows br0 flows")
        self._run(f"ovs-ofctl -O{version} add-flow br1 '{_BRIDGE1}'")
        self._run("ovs-appctl revalidator/wait")
        sizes = {}
        for number in (1, 2, 3, 4):
            sizes[number] = (directory / f"p{number}.pcap").stat().st_size
        for packet in packets:
            self._run(f"ovs-appctl netdev-dummy/receive p1 '{packet}'")
            self._settle(version)
        self._run("ovs-appctl revalidator/wait")
        texts = self._heard()[begin:]
        texts += [self._run(f"ovs-ofctl dump-flows {b}") for b in ("br0", "br1")]
        texts.append(self._run("ovs-appctl fdb/show br0"))
        for number, size in sizes.items():
            octets = (directory / f"p{number}.pcap").read_bytes()
            file = pcap.file_header() + octets[size:]
            packets = [packet.hex() for _, packet in pcap.read(file)]
            texts += [f"to port {number}:", *packets]
        return "\n".join(map(Normaliser(directory), texts))

    def tell(self):
        """Return all pipelines' texts by name."""
        texts = {}
        for version in ("OpenFlow10", "OpenFlow13"):
            with self._monitors(version):
                for name, flows in PIPELINES.items():
                    if (name in _NEED_13) == (version == "OpenFlow13"):
                        texts[name] = self._pipeline(
                            flows, _PACKETS if name in _BOTH else _PACKETS[:1], version
                        )
        return texts


@pytest.fixture(scope="module")
def stories():
    with contextlib.ExitStack() as stack:
        told = []
        for implementation in ("reference", "ours"):
            daemons = Daemons(implementation)
            stack.callback(daemons.close)
            told.append(_Story(daemons))
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            return list(pool.map(_Story.tell, told))


@pytest.mark.parametrize("name", PIPELINES)
def test_paused_packets_go_on_as_in_the_reference(stories, name):
    expected, ours = stories
    assert ours[name] == expected[name]
    assert "continuation" in expected[name]
    assert "send: NXT_RESUME" in expected[name]
