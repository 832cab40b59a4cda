# SPDX-License-Identifier: Apache-2.0
"""Remotes that rows configure: what both servers do with them and tell of them."""

import asyncio
import json
import re
import socket

import pytest
from server_pair import IMPLEMENTATIONS, Client, Ours, Server, wait_until
from test_rbac import MAP, SCHEMA, insert

from ovswitch.ovsdb.server import remote_config
from ovswitch.runtime import aio, loop

INTEGER = {"type": {"key": "integer", "min": 0}}


def manager_schema():
    schema = json.loads(json.dumps(SCHEMA))
    schema["tables"]["Manager"]["columns"].update(
        max_backoff=INTEGER, inactivity_probe=INTEGER, other_config={"type": MAP}
    )
    return schema


class Managed:
    """A server whose remotes are rows, and a listening socket for it to connect to."""

    def __init__(self, implementation):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(5)
        self.target = f"tcp:127.0.0.1:{self.listener.getsockname()[1]}"
        remote = "--remote=db:Rbac,Root,managers"
        self.server = Server(
            implementation, manager_schema(), remote, "-vPATTERN:file:%c|%p|%m"
        )
        self.client = self.server.client("own")
        self.peers = []

    def close(self):
        for peer in self.peers:
            peer.close()
        self.server.close()
        self.listener.close()

    def manage(self, *rows):
        """Have these remotes and no others."""
        delete = {"op": "delete", "table": "Root", "where": []}
        inserts = [insert("Manager", f"m{n}", **row) for n, row in enumerate(rows)]
        references = [["named-uuid", f"m{n}"] for n in range(len(rows))]
        root = insert("Root", managers=["set", references])
        reply = self.client.call("transact", "Rbac", delete, *inserts, root)
        assert not any("error" in result for result in reply["result"]), reply

    def change(self, **row):
        """Change all rows."""
        update = {"op": "update", "table": "Manager", "where": [], "row": row}
        assert "error" not in self.client.call("transact", "Rbac", update)["result"][0]

    def accept(self):
        accepted, _ = self.listener.accept()
        self.peers.append(Client(accepted))
        return self.peers[-1]

    def told(self):
        """Return what the rows tell, without what is due to time and chance."""
        columns = ["target", "is_connected", "status"]
        select = {"op": "select", "table": "Manager", "where": [], "columns": columns}
        (result,) = self.client.call("transact", "Rbac", select)["result"]
        return sorted(map(self._describe, result["rows"]))

    def _describe(self, row):
        status = dict(row["status"][1])
        for name in ("locks_held", "locks_waiting", "locks_lost"):
            if name in status:
                status[name] = " ".join(sorted(status[name].split()))
        if "bound_port" in status:
            status["bound_port"] = "a port"
        else:
            status = {
                name: "some" if name.startswith("sec_") else text
                for name, text in status.items()
            }
        target = row["target"].replace(self.target, "TARGET")
        return f"{target} {row['is_connected']} {sorted(status.items())}"

    @property
    def log(self):
        return self.server.log.replace(self.target, "TARGET")


@pytest.fixture
def managed():
    made = []

    def make(implementation):
        made.append(Managed(implementation))
        return made[-1]

    yield make
    for one in made:
        one.close()


WRONG = [
    "nope:x", "ptcp:x", "tcp:127.0.0.1:1", "punix:/nonexistent/x", "tcp:", "",
    "unix:/nonexistent", "ptcp:0:127.0.0.1", "pssl:0:127.0.0.1", "ssl:127.0.0.1:1",
    "tcp:127.0.0.1:99999",
]  # fmt: skip
N_WAITING = 8  # of these, the others listen
STATUS_TEXT = re.compile(r"^(?:socket_util|stream|stream_tcp)\|.*$", re.MULTILINE)


def complaints(log):
    """Return what the log says of remotes, without order and repetition."""
    log = re.sub(r"on port \d+", "on port PORT", log)
    return set(STATUS_TEXT.findall(log))


@pytest.mark.reference
@pytest.mark.slow
def test_wrong_targets_and_locks_are_told_of_in_the_same_words(managed):
    reference, ours = (managed(implementation) for implementation in IMPLEMENTATIONS)
    for one in (reference, ours):
        one.server.appctl("vlog/disable-rate-limit")
        one.manage(*({"target": target} for target in (*WRONG, one.target)))
        peer = one.accept()
        other = one.server.client("other")
        peer.call("lock", "first")
        peer.call("lock", "second")
        other.call("steal", "second")
        other.call("lock", "third")
        peer.call("lock", "third")
        peer.call("steal", "fourth")
        other.call("steal", "fourth")

    def is_settled():
        text = str(ours.told())
        return (
            "('locks_waiting', 'second third')" in text
            and text.count("('state', 'BACKOFF')") == N_WAITING
            and reference.told() == ours.told()
        )

    wait_until(is_settled)
    assert complaints(reference.log) == complaints(ours.log)


def test_changed_options_reconnect_only_where_they_must(managed):
    one = managed(Ours)
    one.manage({"target": one.target})
    peer = one.accept()
    one.change(max_backoff=2000)
    one.change(inactivity_probe=7000)
    assert peer.call("echo", "x")["result"] == ["x"]
    one.change(read_only=True)
    assert peer.receive() is None
    again = one.accept()
    assert "read only" in again.call("lock", "x")["error"]
    one.change(other_config=["map", [["dscp", "10"]]])
    assert again.receive() is None
    last = one.accept()
    one.manage()
    assert last.receive() is None
    wait_until(lambda: "TARGET: remote deconfigured" in one.log)


@pytest.mark.slow
def test_a_short_probe_interval_ends_a_silent_peer(managed):
    one = managed(Ours)
    one.manage({"target": one.target, "inactivity_probe": 1000})
    peer = one.accept()
    assert peer.receive() == {"id": "echo", "method": "echo", "params": []}
    assert peer.receive() is None
    assert "TARGET: no response to inactivity probe after 1" in one.log


@pytest.mark.slow
def test_a_remote_that_cannot_listen_is_tried_again(managed):
    one = managed(Ours)
    with socket.create_server(("127.0.0.1", 0)) as occupant:
        port = occupant.getsockname()[1]
        one.manage({"target": f"ptcp:{port}:127.0.0.1"})
        wait_until(lambda: "listen failed: Address already in use" in one.log)

    def is_listening():
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            return False
        return True

    wait_until(is_listening)


def test_the_class_of_packets_is_set_on_both_sides():
    async def main():
        accepted = []
        listener = await aio.listen("ptcp:0:127.0.0.1", accepted.append, dscp=48)
        name = f"tcp:127.0.0.1:{listener.bound_port}"
        stream = await aio.open_stream(name, dscp=10)
        await loop.real_sleep(20)
        for one, dscp in ((stream, 10), (accepted[0], 48)):
            raw = one._transport.get_extra_info("socket")
            assert raw.getsockopt(socket.IPPROTO_IP, socket.IP_TOS) == dscp << 2
            one.close()
        listener.close()
        await asyncio.sleep(0)

    event_loop = loop.Loop()
    try:
        event_loop.run_until_complete(main())
    finally:
        event_loop.close()


@pytest.mark.parametrize(
    ("text", "number"),
    [("12", 12), (" 7x", 7), ("-1", -1), ("+5", 5), ("x", 0), ("", 0)],
)
def test_a_dscp_is_read_as_atoi_does(text, number):
    assert remote_config._leading_integer(text) == number
