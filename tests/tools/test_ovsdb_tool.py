# SPDX-License-Identifier: Apache-2.0
"""ovsdb-tool: scripts of commands whose every octet is the reference's."""

import re
from pathlib import Path

import pytest
from helpers.forked import Forked
from helpers.programs import Ours, Reference

import ovswitch.ovsdb

SCHEMA = Path(ovswitch.ovsdb.__file__).parent / "vswitch.ovsschema"
UUID = "11111111-1111-1111-1111-111111111111"
VOLATILE = re.compile(
    r"\d{4}-\d\d-\d\dT[\d:]+Z\|\d+\|"
    r"|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}"
    r"|[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"
)
INSERT = (
    '["Open_vSwitch",{"op":"insert","table":"QoS","uuid":"UUID","row":{"type":"x"}},'
    '{"op":"insert","table":"Bridge","row":{"name":"b","ports":["set",[]]}},'
    '{"op":"comment","comment":"hi"}]'
).replace("UUID", UUID)
UPDATE = (
    '["Open_vSwitch",{"op":"update","table":"QoS","where":[],'
    '"row":{"type":"y","other_config":["map",[["a","b"]]]}}]'
)
DELETE = '["Open_vSwitch",{"op":"delete","table":"QoS","where":[]}]'
SELECT = (
    '["Open_vSwitch",{"op":"select","table":"QoS","where":[],'
    '"columns":["_uuid","type","other_config"]}]'
)

SCRIPT = [
    ["create", "db", SCHEMA],
    ["create", "db", SCHEMA],
    ["create", "other", "/nonexistent"],
    ["db-name", "db"],
    ["db-name", "nope"],
    ["db-version", "db"],
    ["db-cksum", "db"],
    ["db-is-standalone", "db"],
    ["db-is-clustered", "db"],
    ["db-cid", "db"],
    ["schema-name", SCHEMA],
    ["schema-version", SCHEMA],
    ["schema-cksum", SCHEMA],
    ["schema-name", "db"],
    ["needs-conversion", "db", SCHEMA],
    ["needs-conversion", "db", "small"],
    ["transact", "db", INSERT],
    ["transact", "db", INSERT],
    ["transact", "db", UPDATE],
    ["query", "db", SELECT],
    ["query", "db", DELETE],
    ["transact", "db", "nonsense"],
    ["transact", "db", '["Nope"]'],
    ["transact", "db", '{"a":1}'],
    ["show-log", "db"],
    ["-m", "show-log", "db"],
    ["-mm", "show-log", "db"],
    ["transact", "db", DELETE],
    ["-m", "-m", "show-log", "db"],
    ["compact", "db"],
    ["-mm", "show-log", "db"],
    ["compact", "db", "copy"],
    ["-mm", "show-log", "copy"],
    ["convert", "db", "small"],
    ["-mm", "show-log", "db"],
    ["db-version", "db"],
    ["convert", "db", "/nonexistent"],
    ["compare-versions", "1.2.3", "<", "1.10.0"],
    ["compare-versions", "1.2.3", ">=", "1.10.0"],
    ["compare-versions", "1.2.3", "=", "1.10.0"],
    ["compare-versions", "1.2", "<", "1.10.0"],
    ["db-name", "torn"],
    ["-m", "show-log", "torn"],
    ["query", "torn", SELECT],
    ["db-name", "small"],
    ["db-name", "empty"],
    ["list-commands"],
    ["--option"],
    ["--version"],
    ["--help"],
    ["nonsense"],
    ["db-name", "a", "b"],
    ["compare-versions"],
    ["--nonsense"],
    [],
]
FILES = {"db", "other", "copy", "small", "torn", "empty", "nope"}
SMALL = (
    '{"name":"Open_vSwitch","version":"1.0.0","tables":'
    '{"QoS":{"isRoot":true,"columns":{"type":{"type":"string"}}}}}'
)


@pytest.mark.reference
def test_a_script_prints_what_the_references_tool_prints(run_dir):
    folders = {}
    for implementation in (Ours, Reference):
        folder = folders[implementation] = run_dir / implementation.name
        folder.mkdir()
        (folder / "small").write_text(SMALL)
        (folder / "empty").touch()
        tool = implementation.path("ovsdb-tool")
        run_dir.run([tool, "create", folder / "torn", SCHEMA], check=True)
        run_dir.run([tool, "transact", folder / "torn", INSERT], check=True)
        torn = (folder / "torn").read_bytes()
        (folder / "torn").write_bytes(torn[:-5])
    forked = Forked(run_dir.env)
    try:
        for words in SCRIPT:
            results = []
            for implementation, folder in folders.items():
                paths = [folder / word if word in FILES else word for word in words]
                if implementation is Ours:
                    result = forked.run(["ovsdb-tool", *paths], run_dir.path)
                else:
                    done = run_dir.run([Reference.path("ovsdb-tool"), *paths])
                    result = done.status, done.out, done.err
                text = repr(result).replace(str(folder), "DIR")
                text = text.replace(Reference.path("ovsdb-tool"), "ovsdb-tool")
                results.append(VOLATILE.sub("#", text))
            assert results[0] == results[1], words
    finally:
        forked.close()


def test_the_default_schema_comes_with_the_program(run_dir):
    """Where the reference's data aren't installed, our copy is used."""
    tool = Ours.path("ovsdb-tool")
    env = {"OVS_PKGDATADIR": str(run_dir.path)}
    run_dir.run([tool, "create", run_dir / "db"], check=True, env=env)
    assert run_dir.run([tool, "db-version", run_dir / "db"]).out == "8.3.1\n"


@pytest.mark.slow
@pytest.mark.reference
def test_the_references_server_runs_a_cluster_that_we_created(run_dir):
    """Each tool says the same of the file afterwards, and saves the same database."""
    ours, reference = Ours.path("ovsdb-tool"), Reference.path("ovsdb-tool")
    (run_dir / "small").write_text(SMALL)
    local = f"unix:{run_dir / 'raft'}"
    options = ["--election-timer=100"]
    create = [ours, *options, "create-cluster", "conf.db", "small", local]
    run_dir.run(create, check=True)
    run_dir.start_ovsdb_server(Reference)
    client = Reference.path("ovsdb-client")
    run_dir.run([client, "-voff", "wait", "Open_vSwitch", "connected"], check=True)
    for operation in (
        '{"op":"insert","table":"QoS","row":{"type":"x"}}',
        '{"op":"update","table":"QoS","where":[],"row":{"type":"y"}}',
    ):
        words = [client, "transact", f'["Open_vSwitch",{operation}]']
        assert "error" not in run_dir.run(words, check=True).out
    run_dir.appctl("-t", "ovsdb-server", "ovsdb-server/compact", check=True)
    run_dir.run([client, "transact", DELETE], check=True)
    run_dir.appctl("-t", "ovsdb-server", "exit", check=True)
    for words in (["-mm", "show-log"], ["check-cluster"], ["db-sid"], ["db-cid"]):
        its = run_dir.run([reference, *words, "conf.db"], check=True)
        assert run_dir.run([ours, *words, "conf.db"]) == its
    for tool, name in ((ours, "a"), (reference, "b")):
        run_dir.run([tool, "cluster-to-standalone", name, "conf.db"], check=True)
    assert (run_dir / "a").read_bytes() == (run_dir / "b").read_bytes()


def test_our_server_refuses_a_clustered_database(run_dir):
    (run_dir / "small").write_text(SMALL)
    create = ["create-cluster", "db", "small", "unix:raft"]
    run_dir.run([Ours.path("ovsdb-tool"), *create], check=True)
    result = run_dir.run([Ours.path("ovsdb-server"), "-vconsole:off", "db"])
    assert result.status == 1
    assert "db: cannot apply this operation to clustered database file" in result.err
