# SPDX-License-Identifier: Apache-2.0
"""The reference's daemons with dummy datapaths, and our switches set up alike."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import time
from unittest import mock

from ovswitch.ofproto import bundle as b
from ovswitch.ofproto.backer import Backer
from ovswitch.ofproto.bundle import BundleSettings
from ovswitch.ofproto.flow_mod import ADD, DELETE
from ovswitch.ofproto.ofproto import Ofproto
from ovswitch.ofproto.trace import TraceError, Tracer
from ovswitch.openflow import codec
from ovswitch.openflow import protocol as protocols
from ovswitch.openflow.actions import control
from ovswitch.openflow.parse.flow import parse_flow_mod

MODES = {
    "access": b.ACCESS,
    "trunk": b.TRUNK,
    "native-tagged": b.NATIVE_TAGGED,
    "native-untagged": b.NATIVE_UNTAGGED,
    "dot1q-tunnel": b.DOT1Q_TUNNEL,
}

PROTOCOLS = {"OpenFlow10": protocols.OF10_NXM_TID, "OpenFlow13": protocols.OF13_OXM}


class PortSpec:
    """A port of a test's bridge."""

    def __init__(self, name, number, *, peer="", mode=None, tag=None, trunks=None,
                 priority_tags="", protected=False, cvlans=None, qinq=""):  # fmt: skip
        self.name = name
        self.number = number
        self.peer = peer
        self.mode = mode
        self.tag = tag
        self.trunks = trunks
        self.priority_tags = priority_tags
        self.protected = protected
        self.cvlans = cvlans
        self.qinq = qinq

    def vlan_columns(self):
        columns = []
        if self.mode:
            columns.append(f"vlan_mode={self.mode}")
        if self.tag is not None:
            columns.append(f"tag={self.tag}")
        if self.trunks is not None:
            columns.append("trunks=" + ",".join(map(str, self.trunks)))
        if self.cvlans is not None:
            columns.append("cvlans=" + ",".join(map(str, self.cvlans)))
        if self.priority_tags:
            columns.append(f"other_config:priority-tags={self.priority_tags}")
        if self.qinq:
            columns.append(f"other_config:qinq-ethtype={self.qinq}")
        if self.protected:
            columns.append("protected=true")
        return columns

    def settings(self):
        mode = MODES[self.mode] if self.mode else None
        if mode is None:
            mode = b.ACCESS if self.tag is not None else b.TRUNK
        trunks = None if self.trunks is None else frozenset(self.trunks)
        tags = {"": 0, "true": 1, "if-nonzero": 1, "always": 2, "never": 0}
        return BundleSettings(
            self.name,
            vlan_mode=mode,
            vlan=-1 if mode == b.TRUNK else self.tag or 0,
            trunks=None if mode in {b.ACCESS, b.DOT1Q_TUNNEL} else trunks,
            cvlans=None if self.cvlans is None else frozenset(self.cvlans),
            use_priority_tags=tags[self.priority_tags],
            protected=self.protected,
            qinq_ethtype=0x8100 if self.qinq == "802.1q" else 0x88A8,
        )


def over_the_wire(flow_mod, version):
    """Return what a switch decodes: some actions become others on the way."""
    wanted = PROTOCOLS[version]
    octets = codec.encode(flow_mod, protocols.version_of(wanted), protocol=wanted)
    with mock.patch.object(control, "debugging", True):
        return codec.decode(octets)


class Reference:
    """ovsdb-server and ovs-vswitchd in a folder of their own."""

    def __init__(self, folder):
        self.folder = str(folder)
        self.environment = {
            **os.environ,
            "OVS_RUNDIR": self.folder,
            "OVS_DBDIR": self.folder,
            "OVS_LOGDIR": self.folder,
            "OVS_SYSCONFDIR": self.folder,
        }
        schema = "/usr/share/openvswitch/vswitch.ovsschema"
        self.call("ovsdb-tool", "create", f"{folder}/conf.db", schema)
        self.processes = []
        self.start(
            "ovsdb-server", f"{folder}/conf.db", f"--remote=punix:{folder}/db.sock",
            f"--unixctl={folder}/ovsdb.ctl", "-vconsole:off",
        )  # fmt: skip
        self.wait_for("db.sock")
        self.call("ovs-vsctl", "--no-wait", "init")
        self.start(
            "ovs-vswitchd", f"unix:{folder}/db.sock", "--enable-dummy=override",
            "--disable-system", f"--unixctl={folder}/vswitchd.ctl", "-vconsole:off",
        )  # fmt: skip
        self.wait_for("vswitchd.ctl")

    def start(self, *arguments):
        self.processes.append(
            subprocess.Popen(
                arguments,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        )

    def wait_for(self, name):
        for _ in range(500):
            if os.path.exists(f"{self.folder}/{name}"):
                return
            time.sleep(0.01)
        raise TimeoutError(name)

    def stop(self):
        for process in reversed(self.processes):
            process.send_signal(signal.SIGTERM)
            process.wait(10)

    def call(self, *arguments, check=True, text=None):
        result = subprocess.run(
            arguments, env=self.environment, capture_output=True, text=True,
            check=False, input=text, timeout=30,
        )  # fmt: skip
        if check and result.returncode:
            raise RuntimeError(f"{arguments}: {result.stderr}")
        return result

    def appctl(self, command, *arguments):
        """Return what a command prints, or "ERROR " and why it failed."""
        request = {"id": 0, "method": command, "params": arguments}
        decoder = json.JSONDecoder()
        received = b""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(30)
            connection.connect(f"{self.folder}/vswitchd.ctl")
            connection.sendall(json.dumps(request).encode())
            while True:
                part = connection.recv(65536)
                if not part:
                    raise EOFError(command)
                received += part
                with contextlib.suppress(ValueError):
                    reply, _ = decoder.raw_decode(received.decode())
                    break
        if reply["error"] is not None:
            return "ERROR " + reply["error"].removesuffix("\n")
        return reply["result"].removesuffix("\n")

    def vsctl(self, *arguments):
        return self.call(
            "ovs-vsctl", f"--db=unix:{self.folder}/db.sock", "-t", "10", *arguments
        ).stdout

    def ofctl(self, *arguments, text=None, check=True):
        return self.call("ovs-ofctl", *arguments, text=text, check=check)


class Pair:
    """The same bridges in the reference and here."""

    def __init__(self, reference):
        self.reference = reference
        self.backer = Backer("dummy", clock=lambda: 1000)
        self.tracer = Tracer({"dummy": self.backer})

    def add_bridges(self, bridges):
        """Make bridges: name -> list of `PortSpec`."""
        commands = []
        for name, ports in bridges.items():
            commands += ["--", "add-br", name, "--", "set", "bridge", name,
                         "datapath_type=dummy", "fail-mode=secure",
                         "protocols=OpenFlow10,OpenFlow13,OpenFlow15"]  # fmt: skip
            for port in ports:
                commands += ["--", "add-port", name, port.name]
                commands += ["--", "set", "interface", port.name]
                commands.append(f"ofport_request={port.number}")
                if port.peer:
                    commands += ["type=patch", f"options:peer={port.peer}"]
        self.reference.vsctl(*commands[1:])
        orders = {name: self._flood_order(name, bridges) for name in bridges}
        vlans = []
        for ports in bridges.values():
            for port in ports:
                if port.vlan_columns():
                    vlans += ["--", "set", "port", port.name, *port.vlan_columns()]
        if vlans:
            self.reference.vsctl(*vlans[1:])
        numbers = self._datapath_ports()
        for name, ports in bridges.items():
            self._add_ours(name, ports, numbers, orders[name])

    def _flood_order(self, bridge, bridges):
        """Return the reference's ports in the order in which NORMAL floods.

        A patch shows as the local port of the bridge at its other end.
        """
        for name in bridges:
            self.reference.ofctl("del-flows", name)
            action = "NORMAL" if name == bridge else "LOCAL"
            self.reference.ofctl("add-flow", name, f"actions={action}")
        text = self.reference.appctl(
            "ofproto/trace", bridge, "--names", "in_port=ANY,dl_dst=ff:ff:ff:ff:ff:ff"
        )
        for name in bridges:
            self.reference.ofctl("del-flows", name)
        home = {port.name: name for name, ports in bridges.items() for port in ports}
        patches = {
            home[port.peer]: port.name for port in bridges[bridge] if port.peer in home
        }
        order = text.rpartition("Datapath actions: ")[2].strip().split(",")
        return [patches.get(name, name) for name in order]

    def _datapath_ports(self):
        numbers = {}
        for line in self.reference.appctl("dpif/show").splitlines():
            words = line.split()
            if len(words) > 2 and "/" in words[1]:
                odp = words[1].rstrip(":").partition("/")[2]
                numbers[words[0]] = None if odp == "none" else int(odp)
        return numbers

    def _add_ours(self, name, ports, numbers, order):
        ofproto = Ofproto(name, self.backer)
        made = {name: (ofproto.port_add(name, numbers[name]), PortSpec(name, 65534))}
        for spec in ports:
            port = ofproto.port_add(
                spec.name, numbers[spec.name], ofp_port=spec.number, peer_name=spec.peer
            )
            made[spec.name] = (port, spec)
        for port_name in order:
            if port_name in made:
                port, spec = made[port_name]
                ofproto.bundle_set(port_name, spec.settings(), [port])

    def add_flows(self, bridge, text, version="OpenFlow13"):
        """Add the same flows, one a line."""
        lines = [line.strip() for line in text.strip().splitlines()]
        self.reference.ofctl(
            "-O", version, "add-flows", bridge, "-", text="\n".join(lines)
        )
        ofproto = self.backer.ofprotos[bridge]
        for line in lines:
            flow_mod, _ = parse_flow_mod(line, ADD, ofproto.names())
            ofproto.tables.apply(over_the_wire(flow_mod, version))
        ofproto.tables.check_invariants()

    def add_flow_if_valid(self, bridge, text):
        """Add a flow unless the reference refuses it."""
        result = self.reference.ofctl(
            "-OOpenFlow13", "add-flow", bridge, text, check=False
        )
        if not result.returncode:
            ofproto = self.backer.ofprotos[bridge]
            flow_mod, _ = parse_flow_mod(text, ADD, ofproto.names())
            ofproto.tables.apply(over_the_wire(flow_mod, "OpenFlow13"))

    def delete_flows(self, bridge, text):
        """Delete the flows that a match covers."""
        self.reference.ofctl("del-flows", bridge, text)
        ofproto = self.backer.ofprotos[bridge]
        flow_mod, _ = parse_flow_mod(text, DELETE, ofproto.names())
        ofproto.tables.apply(flow_mod)

    def clear(self, bridge):
        """Delete all flows."""
        self.reference.ofctl("del-flows", bridge)
        self.backer.ofprotos[bridge].tables.flush()

    def trace(self, *arguments, command="ofproto/trace"):
        """Return both traces."""
        theirs = self.reference.appctl(command, *arguments)
        try:
            if command == "ofproto/trace":
                ours = self.tracer.command(list(arguments))
            else:
                ours = self.tracer.packet_out_command(list(arguments))
        except TraceError as error:
            ours = f"ERROR {error}"
        return ours.removesuffix("\n"), theirs
