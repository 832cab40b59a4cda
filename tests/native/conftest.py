# SPDX-License-Identifier: Apache-2.0
"""A dummy datapath for each test that wants one."""

from __future__ import annotations

import pytest

from ovswitch.native import core

from . import odp


class Dummy:
    """A dummy datapath with ports 1 to 4, which send their upcalls to pid 1."""

    def __init__(self) -> None:
        self.core = core.DummyForwarder()
        self.core.set_time(1000)
        self.client = odp.InProcess(lambda octets: [self.core.request(octets)])
        pid = odp.u32(2, 1)
        reply = self.client.request(odp.DATAPATH, odp.NEW, 0, odp.string(1, "dp") + pid)
        self.dp = reply[0].dp
        for port in range(1, 5):
            self.add_port(port, f"p{port}")

    def request(self, family, cmd, attrs=b"", flags=odp.ECHO):
        return self.client.request(family, cmd, self.dp, attrs, flags)

    def add_port(self, port, name):
        attrs = odp.u32(1, port) + odp.u32(2, odp.NETDEV) + odp.string(3, name)
        return self.request(odp.VPORT, odp.NEW, attrs + odp.u32(5, 1))

    def put(self, key, mask, actions, flags=odp.ECHO | odp.CREATE, extra=b""):
        attrs = odp.flow_attrs(key, mask, actions) + extra
        return self.request(odp.FLOW, odp.NEW, attrs, flags)

    def put_port_flow(self, in_port, actions):
        return self.put(*odp.port_flow(in_port), actions)

    def flows(self):
        return self.request(odp.FLOW, odp.GET, flags=odp.DUMP)

    def execute(self, octets, actions, key=b""):
        attrs = odp.attr(1, octets) + odp.attr(2, key) + odp.attr(3, actions)
        self.request(odp.PACKET, odp.EXECUTE, attrs)
        return self.sent()

    def receive(self, port, octets):
        self.core.receive(self.dp, port, octets)
        return self.sent()

    def sent(self):
        """Return what ports transmitted as (port, octets); keep the upcalls."""
        sent = []
        self.upcalls = []
        for dp, number, octets in self.core.events():
            if dp:
                sent.append((number, octets))
            else:
                self.upcalls += odp.split(octets)
        return sent


@pytest.fixture
def dummy():
    made = Dummy()
    yield made
    made.core.close()
