# SPDX-License-Identifier: Apache-2.0
"""The records of clustered databases' files, and whether several fit together."""

import contextlib
import hashlib
import json
import re

import pytest
from helpers.programs import Reference
from hypothesis import given, settings
from hypothesis import strategies as st

from ovswitch.ovsdb import cluster_file, log
from ovswitch.ovsdb.cluster_check import Checker
from ovswitch.ovsdb.cluster_file import ClusterError, Header, Record
from ovswitch.ovsdb.cluster_show import ShowClusterLog
from ovswitch.ovsdb.error import OvsdbError


def uuid(number):
    return f"{number:04x}0000-0000-4000-8000-000000000000"


A, B, C = (uuid(0xA000 + number) for number in range(3))
DATA = [None, {"_date": 5, "T": {}}]
RECORDS = [
    {"term": 1},
    {"term": 2, "vote": A},
    {"term": 2, "leader": B, "comment": "why"},
    {"note": "left"},
    {"commit_index": 3},
    {"commit_index": -1},
    {"term": 2, "index": 4},
    {"term": -2, "index": 4, "election_timer": 500},
    {"term": 2, "index": 4, "data": DATA, "eid": C},
    {"term": 2, "index": 4, "servers": {A: "unix:a", B: "tcp:1.2.3.4:5"}},
]
SNAPSHOT = {
    "server_id": A,
    "cluster_id": C,
    "local_address": "unix:a",
    "name": "Small",
    "prev_servers": {A: "unix:a", B: "unix:b", C: "unix:c"},
    "prev_index": 1,
    "prev_term": 1,
    "prev_eid": uuid(9),
    "prev_data": [None, {}],
}
JOINING = {
    "server_id": A,
    "local_address": "unix:a",
    "name": "Small",
    "remote_addresses": ["tcp:[::1]:6644", "ssl:h:1"],
}
without = {
    name: {key: value for key, value in SNAPSHOT.items() if key != name}
    for name in SNAPSHOT
}


@pytest.mark.parametrize("json", RECORDS, ids=str)
def test_a_record_comes_out_as_it_went_in(json):
    assert Record.from_json(json).to_json() == json


@pytest.mark.parametrize("json", [SNAPSHOT, JOINING])
def test_a_header_comes_out_as_it_went_in(json):
    written = Header.from_json(json).to_json()
    remotes = written.get("remote_addresses", [])
    assert sorted(remotes) == sorted(json.get("remote_addresses", []))
    assert {**written, "remote_addresses": 0} == {**json, "remote_addresses": 0}


@pytest.mark.parametrize(
    ("json", "message"),
    [
        (without["server_id"], "Required 'server_id' member is missing."),
        (without["prev_servers"], "Required 'prev_servers' member is missing."),
        (without["prev_eid"], "Required 'prev_eid' member is missing."),
        ({**SNAPSHOT, "cluster_id": "x"}, "cluster_id is not a valid UUID"),
        ({**SNAPSHOT, "zz": 1}, "Member 'zz' is present but not allowed here."),
        ({**SNAPSHOT, "prev_servers": {}}, "must have at least one server"),
        ({**SNAPSHOT, "prev_servers": {"x": "unix:a"}}, "x is not a UUID"),
        ({**SNAPSHOT, "prev_servers": {A: 1}}, "server address is not string"),
        (
            {**JOINING, "remote_addresses": []},
            "at least one remote address is required",
        ),
        (
            {**JOINING, "remote_addresses": ["unix:a"]},
            "at least one remote address (other than the local address) is required",
        ),
        ([], "Object expected."),
    ],
)
def test_a_wrong_header_is_refused(json, message):
    with pytest.raises(OvsdbError) as caught:
        Header.from_json(json)
    assert str(caught.value).endswith(message)


@pytest.mark.parametrize(
    ("json", "message"),
    [
        ({}, "Required 'term' member is missing."),
        ({"term": 1, "vote": uuid(0)[:4] + "x"}, "vote is not a valid UUID"),
        (
            {"term": 1, "vote": "00000000-0000-0000-0000-000000000000"},
            "record votes for all-zeros SID",
        ),
        ({"term": 1, "index": 2, "data": []}, "Required 'eid' member is missing."),
        (
            {"commit_index": 1, "term": 2},
            "Member 'term' is present but not allowed here.",
        ),
        ({"term": 1e300}, "Type mismatch for member 'term'."),
    ],
)
def test_a_wrong_record_is_refused(json, message):
    with pytest.raises(OvsdbError) as caught:
        Record.from_json(json)
    assert str(caught.value).endswith(message)


@pytest.mark.parametrize(
    "address", ["unix:x", "tcp:1.2.3.4:5", "ssl:[::1]:5", "tcp:h:5"]
)
def test_a_server_may_have_such_an_address(address):
    cluster_file.validate_address(address)


@pytest.mark.parametrize(
    "address", ["", "x", "udp:1.2.3.4:5", "tcp:1.2.3.4", "tcp:h:x"]
)
def test_a_server_may_not_have_such_an_address(address):
    with pytest.raises(OvsdbError):
        cluster_file.validate_address(address)


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(-1e18, 1e300)
    | st.sampled_from([A, "x"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from([A, "T", "_date", "name"]), inner, max_size=2)
    ),
    max_leaves=6,
)
MEMBERS = st.dictionaries(
    st.sampled_from(sorted({*SNAPSHOT, *JOINING, *(k for r in RECORDS for k in r)})),
    VALUES,
    max_size=4,
)


@given(MEMBERS, st.sampled_from([{}, SNAPSHOT, JOINING, *RECORDS]))
@settings(max_examples=100, deadline=None)
def test_only_the_declared_error_comes_of_any_json(members, base):
    json = {**base, **members}
    for verbosity in (0, 2):
        shown = ShowClusterLog(verbosity)
        for _ in range(2):
            with contextlib.suppress(OvsdbError):
                "".join(shown.record(json))


# Several files


def entry(term, index, **more):
    return {"term": term, "index": index, **more}


def header(sid, **more):
    return {**SNAPSHOT, "server_id": sid, **more}


GOOD = [entry(1, 2), {"commit_index": 2}]
D1, D2 = ({"data": [None, {"n": n}], "eid": uuid(n)} for n in (1, 2))
CLUSTERS = {
    "one": [[header(A), *GOOD]],
    "empty": [[header(A)]],
    "term zero": [[header(A), {"commit_index": 1}]],
    "two alike": [[header(A), *GOOD], [header(B), *GOOD]],
    "joining": [[header(A), *GOOD], [JOINING]],
    "same server": [[header(A)], [header(A)]],
    "other cluster": [[header(A)], [header(B, cluster_id=B)]],
    "other name": [[header(A)], [header(B, name="X")]],
    "skips": [[header(A), entry(1, 3)]],
    "goes back": [[header(A), entry(1, 2), entry(1, 3), entry(1, 2)]],
    "goes back as leader": [
        [header(A), entry(1, 2), {"term": 1, "leader": A}, entry(1, 2)]
    ],
    "goes back behind commit": [[header(A), *GOOD, entry(1, 3), entry(1, 1)]],
    "older term": [[header(A), entry(3, 2), entry(2, 3)]],
    "older than snapshot": [[header(A, prev_term=5), entry(3, 2)]],
    "votes": [[header(A), {"term": 1, "vote": A}, {"term": 1, "vote": A}]],
    "votes twice": [[header(A), {"term": 1, "vote": A}, {"term": 1, "vote": B}]],
    "votes twice for files": [
        [header(A), {"term": 1, "vote": A}, {"term": 1, "vote": B}],
        [header(B)],
    ],
    "votes for past": [[header(A), {"term": 2}, {"term": 1, "vote": B}]],
    "left": [[header(A), {"term": 1}, {"note": "left"}, {"note": "other"}]],
    "commit regresses": [[header(A), *GOOD, entry(1, 3), {"commit_index": 1}]],
    "commit advances": [[header(A), entry(1, 2), {"commit_index": 3}]],
    "two leaders": [[header(A), {"term": 1, "leader": A}, {"term": 1, "leader": C}]],
    "leaders differ": [
        [header(A), {"term": 1, "leader": A}],
        [header(B), {"term": 1, "leader": C}],
    ],
    "leader lacks": [
        [header(A), entry(1, 2), entry(1, 3), {"commit_index": 3}],
        [header(B), entry(1, 2), {"term": 2, "leader": B}],
    ],
    "leader has": [
        [header(A), entry(1, 2), {"commit_index": 2}],
        [header(B), entry(1, 2), {"term": 2, "leader": B}],
    ],
    "entries differ": [
        [header(A), entry(1, 2, **D1), entry(1, 3)],
        [header(B), entry(1, 2, **D2), entry(1, 3)],
    ],
    "servers differ": [
        [header(A), entry(1, 2, servers={A: "unix:a"})],
        [header(B), entry(1, 2)],
    ],
    "terms differ": [
        [header(A), entry(1, 2, **D1), entry(1, 3)],
        [header(B), entry(1, 2, **D1), entry(2, 3)],
    ],
    "not a member": [[header(uuid(0xB))], [header(A), {"term": 1}]],
    "member later": [
        [header(uuid(0xB)), entry(1, 2, servers={uuid(0xB): "unix:x"})],
    ],
}


def write(path, records):
    octets = b""
    for record in records:
        body = json.dumps(record).encode() + b"\n"
        digest = hashlib.sha1(body).hexdigest()
        octets += f"OVSDB {log.CLUSTER_MAGIC} {len(body)} {digest}\n".encode() + body
    path.write_bytes(octets)


def check(files):
    """Return what `check-cluster` prints, and what is wrong."""
    printed = []
    try:
        Checker(printed.append).check(files)
    except (ClusterError, OvsdbError) as error:
        return "".join(printed), f"ovsdb-tool: {error}\n"
    return "".join(printed), ""


@pytest.mark.reference
@pytest.mark.parametrize("case", CLUSTERS.values(), ids=CLUSTERS)
def test_check_cluster_says_what_the_reference_says(case, run_dir, monkeypatch):
    names = [f"file{number}" for number in range(len(case))]
    for name, records in zip(names, case, strict=True):
        write(run_dir / name, records)
    monkeypatch.chdir(run_dir.path)
    result = run_dir.run([Reference.path("ovsdb-tool"), "check-cluster", *names])
    # It prints memory that it never wrote to as the entries' election timer.
    errors = re.sub(r'"election_timer":\d+,', "", result.err)
    assert check(names) == (result.out, errors)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("one", ""),
        ("two alike", ""),
        ("leader has", ""),
        ("empty", "all logs are empty"),
        ("votes twice", "file0: record 2 votes for file0 in term 1 but a previous "),
        ("leaders differ", "term 1 has two different leaders: file0 says that the "),
        ("leader lacks", "leader file1 for term 2 has log entries only up to index 2,"),
        ("entries differ", "log entries with index 2 differ:"),
    ],
)
def test_check_cluster_finds(name, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    case = CLUSTERS[name]
    names = [f"file{number}" for number in range(len(case))]
    for file, records in zip(names, case, strict=True):
        write(tmp_path / file, records)
    error = check(names)[1].removeprefix("ovsdb-tool: ")
    assert error.startswith(message)
    assert bool(error) == bool(message)
