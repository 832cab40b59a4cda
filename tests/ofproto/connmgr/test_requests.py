# SPDX-License-Identifier: Apache-2.0
"""What single requests do, version by version."""

import pytest
from connmgr_switch import Peer

from ovswitch.openflow.messages.core import (
    BarrierReply,
    BarrierRequest,
    EchoReply,
    EchoRequest,
    FeaturesRequest,
)
from ovswitch.openflow.version import VERSIONS


@pytest.mark.parametrize("version", VERSIONS)
def test_echo_and_barrier_are_answered(switch, version):
    peer = Peer(switch, version)
    echo, barrier = peer.decoded(EchoRequest(b"abc"), BarrierRequest())
    assert isinstance(echo, EchoReply)
    assert echo.octets == b"abc"
    assert echo.xid == 7
    assert isinstance(barrier, BarrierReply)


@pytest.mark.parametrize("version", VERSIONS)
def test_features_tell_the_datapath_id(switch, version):
    (reply,) = Peer(switch, version).decoded(FeaturesRequest())
    assert reply.datapath_id == 1
    assert reply.n_tables == 254
    assert len(reply.ports) == (3 if version < 4 else 0)
