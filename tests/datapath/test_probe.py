# SPDX-License-Identifier: Apache-2.0
"""Features are found, and nothing is left of the search."""

import pytest

from ovswitch.datapath.dpif import Dpif
from ovswitch.datapath.probe import probe

pytest.importorskip("ovswitch.native.core")
from ovswitch.datapath.transport_dummy import DummyTransport


def test_features_of_the_forwarder():
    transport = DummyTransport()
    dpif = Dpif.create_and_open(transport, "ovs-dummy")
    found = probe(dpif)
    for name in ("masked_set_action", "trunc", "clone", "check_pkt_len", "recirc"):
        assert found[name] is True, name
    for name in ("ufid", "nd_ext", "explicit_drop_action", "add_mpls"):
        assert found[name] is True, name
    assert found["sample_nesting"] == 10
    assert found["max_mpls_depth"] == 3
    assert found["max_vlan_headers"] in (1, 2)
    assert found["max_hash_alg"] == 1
    assert list(dpif.flow_dump()) == []
    transport.close()


def test_names_are_those_that_the_switch_knows():
    from ovswitch.ofproto.features import FEATURES

    transport = DummyTransport()
    dpif = Dpif.create_and_open(transport, "ovs-dummy")
    assert set(probe(dpif)) == {name for name, _, _ in FEATURES}
    transport.close()
