# SPDX-License-Identifier: Apache-2.0
"""Every kind of request to both servers: the answers must be the same.

Equal means as JSON values; the order of a JSON object's members means nothing.
"""

import pytest
import requests_table
from server_pair import IMPLEMENTATIONS, Names, Server

pytestmark = pytest.mark.reference

SECTIONS = ("METHODS", "OPERATIONS", "CONSTRAINTS", "MONITORS", "LOCKS", "WAITS")


@pytest.fixture(scope="module")
def pair():
    servers = []
    try:
        for implementation in IMPLEMENTATIONS:
            servers.append(Server(implementation, requests_table.SCHEMA))  # noqa: PERF401  closed also if the second fails
        yield servers
    finally:
        for server in servers:
            server.close()


def play(server, steps):
    """Make the requests; return after each what every client got."""
    names = Names()
    for name in "ab":
        server.forget(name)
        server.client(name)
    for client, method, params, *more in steps:
        message = {"id": (more or ["id"])[0], "method": method, "params": params}
        server.client(client).send(message)
        names_in_turn = "ab" if client == "a" else "ba"  # who acts is through first
        answers = [
            (name, in_order(server.client(name).sync())) for name in names_in_turn
        ]
        yield names.normalise(sorted(answers))


def sort_rows(reply):
    results = reply.get("result")
    if isinstance(results, list):
        for result in results:
            if isinstance(result, dict) and "rows" in result:
                result["rows"].sort(key=str)
        if "_Server" in results:
            results.sort()


def in_order(messages):
    """Put what has no order into one: rows, databases, notifications in a row."""
    sorted_messages, notifications = [], []
    for message in messages:
        if isinstance(message, dict) and message.get("method"):
            notifications.append(message)
            continue
        if isinstance(message, dict):
            sort_rows(message)
        sorted_messages += [*sorted(notifications, key=str), message]
        notifications = []
    return sorted_messages + sorted(notifications, key=str)


@pytest.mark.parametrize("section", SECTIONS)
def test_both_servers_answer_the_same(pair, section):
    steps = getattr(requests_table, section)
    differing = []
    for step, theirs, ours in zip(
        steps, play(pair[0], steps), play(pair[1], steps), strict=True
    ):
        if theirs != ours:
            differing.append(f"{step}\n  reference {theirs}\n  ours      {ours}")
    assert not differing, f"{len(differing)}\n" + "\n".join(differing)
