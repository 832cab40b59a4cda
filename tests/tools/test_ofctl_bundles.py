# SPDX-License-Identifier: Apache-2.0
"""How ovs-ofctl sends a bundle: in pieces of some 64 kB, in order."""

import struct

from ovswitch.openflow import raws
from ovswitch.openflow.version import OF14
from ovswitch.tools.ofctl.bundles import _Bundle

LIMIT = 65536
HEADER = 16  # of what carries a message of the bundle


class Connection:
    """A connection that remembers what was sent at once."""

    target = "br0"
    version = OF14

    def __init__(self):
        self.sends = []
        self._queued = b""

    def queue(self, message):
        self._queued += message

    def send(self, message):
        self.sends.append(self._queued + message)
        self._queued = b""

    def receive(self, _doing):
        """Answer the last request: a barrier."""
        (xid,) = struct.unpack_from("!I", self.sends[-1], len(self.sends[-1]) - 4)
        return raws.put(raws.find("BARRIER_REPLY", OF14), OF14, xid)


def message(size, xid):
    return struct.pack("!BBHI", OF14, 14, size, xid) + bytes(size - 8)


def sent(sizes):
    """Return what is sent at once, when messages of such sizes go into a bundle."""
    connection = Connection()
    bundle = _Bundle(connection)
    for xid, size in enumerate(sizes):
        bundle.add(message(size, xid))
    bundle.settle()
    octets = b"".join(connection.sends)
    xids = []
    while octets:
        size, xid = struct.unpack_from("!HI", octets, 2)
        xids.append(xid)
        octets = octets[size:]
    assert xids[:-1] == list(range(len(sizes)))
    return [len(one) for one in connection.sends]


def test_messages_wait_until_there_are_64_kilobytes():
    each = 1024 + HEADER
    per_send = -(-LIMIT // each)
    sizes = sent([1024] * (per_send * 3 + 2))
    assert sizes[:3] == [per_send * each] * 3
    assert sizes[3:] == [2 * each + 8]  # with the barrier


def test_few_messages_go_with_the_barrier():
    assert sent([]) == [8]
    assert sent([100, 200]) == [300 + 2 * HEADER + 8]


def test_what_makes_64_kilobytes_full_goes_with_the_rest():
    assert sent([100, 65000, 65000]) == [100 + 2 * 65000 + 3 * HEADER, 8]
