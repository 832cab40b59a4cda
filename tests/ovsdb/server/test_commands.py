# SPDX-License-Identifier: Apache-2.0
"""ovsdb-server's unixctl commands and its command line, beside the reference's.

Commands run in order on both servers, each of which has a database Tree, and files of
databases that may be added, or mayn't.
"""

import hashlib
import json
import re

import pytest
from helpers.programs import Ours, Reference, RunDir, wait_until
from server_pair import UUID, Client
from test_upstream import answers
from tree_schema import TREE

pytestmark = [pytest.mark.reference, pytest.mark.slow]

SECOND = {
    "name": "Second",
    "version": "1.0.0",
    "tables": {"T": {"columns": {"a": {"type": "integer"}}}},
}
COMMANDS = """\
ovsdb-server/list-dbs
ovsdb-server/list-dbs x
ovsdb-server/add-db
ovsdb-server/add-db a b
ovsdb-server/add-db nofile
ovsdb-server/add-db DIR/Tree.db
ovsdb-server/add-db DIR/./Tree.db
ovsdb-server/add-db /
ovsdb-server/add-db DIR/Second.db
ovsdb-server/add-db DIR/Second.db
ovsdb-server/add-db DIR/copy.db
ovsdb-server/add-db DIR/text.db
ovsdb-server/add-db DIR/empty.db
ovsdb-server/add-db DIR/reserved.db
ovsdb-server/add-db relay:Tree:unix:x
ovsdb-server/add-db relay:_Server:unix:x
ovsdb-server/add-db relay:Third
ovsdb-server/add-db relay:Third:unix:DIR/nothing
ovsdb-server/list-dbs
ovsdb-server/get-db-storage-status
ovsdb-server/get-db-storage-status x
ovsdb-server/get-db-storage-status Second
ovsdb-server/get-db-storage-status Third
ovsdb-server/get-db-storage-status _Server
ovsdb-server/tlog-list
ovsdb-server/remove-db
ovsdb-server/remove-db nope
ovsdb-server/remove-db _Server
ovsdb-server/remove-db Third
ovsdb-server/remove-db Second
ovsdb-server/remove-db Second
ovsdb-server/list-dbs
ovsdb-server/list-remotes
ovsdb-server/add-remote
ovsdb-server/add-remote foo
ovsdb-server/add-remote db:a
ovsdb-server/add-remote db:a,b,c
ovsdb-server/add-remote db:Tree,b,c
ovsdb-server/add-remote db:Tree,Root,c
ovsdb-server/add-remote db:Tree,Root,name
ovsdb-server/add-remote db:Tree,Root,name
ovsdb-server/add-remote punix:DIR/x.sock
ovsdb-server/list-remotes
ovsdb-server/remove-remote foo
ovsdb-server/remove-remote foo
ovsdb-server/remove-remote
ovsdb-server/remove-remote db:Tree,Root,name
ovsdb-server/list-remotes
ovsdb-server/compact
ovsdb-server/compact a b
ovsdb-server/compact nope
ovsdb-server/compact _Server
ovsdb-server/compact Tree
ovsdb-server/memory-trim-on-compaction
ovsdb-server/memory-trim-on-compaction x
ovsdb-server/memory-trim-on-compaction on
ovsdb-server/memory-trim-on-compaction off
ovsdb-server/memory-trim-on-compaction off
ovsdb-server/tlog-list x
ovsdb-server/tlog-set a
ovsdb-server/tlog-set a on
ovsdb-server/tlog-set a:b on
ovsdb-server/tlog-set Tree:b on
ovsdb-server/tlog-set Tree:Leaf foo
ovsdb-server/tlog-set Tree:Leaf ON
ovsdb-server/tlog-set Tree:Leaf:x ON
ovsdb-server/tlog-list
ovsdb-server/perf-counters-show
ovsdb-server/perf-counters-clear
ovsdb-server/perf-counters-show x
ovsdb-server/sync-status
ovsdb-server/sync-status x
ovsdb-server/get-active-ovsdb-server
ovsdb-server/connect-active-ovsdb-server
ovsdb-server/disconnect-active-ovsdb-server
ovsdb-server/set-active-ovsdb-server
ovsdb-server/set-active-ovsdb-server unix:DIR/none
ovsdb-server/get-active-ovsdb-server
ovsdb-server/get-sync-exclude-tables
ovsdb-server/set-sync-exclude-tables a:b,c:d
ovsdb-server/get-sync-exclude-tables
ovsdb-server/set-sync-exclude-tables ::x,a::b,:q:r,,z:y:x
ovsdb-server/get-sync-exclude-tables
ovsdb-server/set-sync-exclude-tables a b
ovsdb-server/set-active-ovsdb-server-probe-interval
ovsdb-server/set-active-ovsdb-server-probe-interval x
ovsdb-server/set-active-ovsdb-server-probe-interval 5x
ovsdb-server/set-active-ovsdb-server-probe-interval 50000000000
ovsdb-server/set-active-ovsdb-server-probe-interval -5
ovsdb-server/set-active-ovsdb-server-probe-interval +5
ovsdb-server/set-active-ovsdb-server-probe-interval 60000
ovsdb-server/connect-active-ovsdb-server
ovsdb-server/sync-status
ovsdb-server/set-sync-exclude-tables Tree:Leaf
ovsdb-server/sync-status
ovsdb-server/add-db DIR/Second.db
ovsdb-server/sync-status
ovsdb-server/disconnect-active-ovsdb-server
ovsdb-server/sync-status
memory/show
ovsdb-server/set-active-ovsdb-server unix:DIR/db.sock
ovsdb-server/connect-active-ovsdb-server
ovsdb-server/reconnect
ovsdb-server/reconnect x
ovsdb-server/disable-monitor-cond
ovsdb/file/column-diff-enable
ovsdb-server/nope
exit x
"""
LINES = [
    ["Tree.db", "--sync-from"],
    ["Tree.db", "--sync-exclude-tables"],
    ["Tree.db", "--active=x"],
    ["Tree.db", "--active", "--run=ASK sync-status"],
    ["Tree.db", "--sync-from=foo", "--run=ASK sync-status"],
    ["Tree.db", "--sync-from=", "--run=ASK sync-status"],
    ["Tree.db", "--sync-from=a", "--active", "--sync-exclude-tables=x:y,abc",
     "--run=ASK sync-status; ASK get-sync-exclude-tables; ASK get-active-ovsdb-server"],
    ["relay:foo"],
    ["relay:_Server:x"],
    ["relay:a:unix:x", "relay:a:unix:y"],
    ["relay:Tree:unix:x", "Tree.db"],
    ["relay:Tree:unix:x", "--remote=db:Tree,Root,name", "--run=true"],
    ["--no-dbs", "--remote=db:Tree,Root,name", "--run=true"],
    ["--no-dbs", "--private-key=db:Tree,Root,name", "--run=true"],
    ["--no-dbs", "--unixctl=/nowhere/x", "--run=true"],
    ["--no-dbs", "--run=exit 3"],
    ["--no-dbs", "--run=kill -9 $$"],
]  # fmt: skip
TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z\|\d+")


def prepare(run_dir, implementation):
    """Make the files."""
    tool = implementation.path("ovsdb-tool")
    for schema in (TREE, SECOND):
        name = schema["name"]
        (run_dir / name).write_text(json.dumps(schema))
        words = [tool, "create", run_dir / f"{name}.db", run_dir / name]
        run_dir.run(words, check=True)
    (run_dir / "copy.db").write_bytes((run_dir / "Tree.db").read_bytes())
    (run_dir / "text.db").write_text("hello\n")
    (run_dir / "empty.db").write_text("")
    text = json.dumps({**SECOND, "name": "_x"}) + "\n"
    digest = hashlib.sha1(text.encode()).hexdigest()
    (run_dir / "reserved.db").write_text(f"OVSDB JSON {len(text)} {digest}\n{text}")


def plain(text, run_dir):
    """Return text without what differs from run to run."""
    return TIME.sub("TIME", UUID.sub("UUID", text.replace(str(run_dir.path), "DIR")))


def asked(implementation):
    """Return each command with its answer, and the log."""
    with RunDir() as run_dir:
        prepare(run_dir, implementation)
        run_dir.start(
            [
                implementation.path("ovsdb-server"),
                run_dir / "Tree.db",
                f"--remote=punix:{run_dir / 'db.sock'}",
                f"--unixctl={run_dir / 'ctl'}",
                f"--log-file={run_dir / 'log'}",
                "-vconsole:off",
            ]
        )
        wait_until(lambda: answers(run_dir / "ctl"))
        with Client(run_dir / "ctl") as control:
            for line in COMMANDS.splitlines():
                words = line.replace("DIR", str(run_dir.path)).split()
                answer = control.call(*words)
                text = json.dumps(answer, sort_keys=True)
                yield f"$ {line}", plain(text, run_dir)


def test_commands_answer_as_the_references():
    for theirs, ours in zip(asked(Reference), asked(Ours), strict=True):
        assert ours == theirs


def what_it_says(implementation, run_dir, words):
    program = implementation.path("ovsdb-server")
    ask = f"ovs-appctl -t {run_dir.path}/ctl ovsdb-server/"
    words = [word.replace("ASK ", ask) for word in words]
    if not any(word.startswith("--unixctl") for word in words):
        words.insert(0, f"--unixctl={run_dir / 'ctl'}")
    result = run_dir.run([program, "-vconsole:off", *words])
    return plain(repr(result).replace(program, "ovsdb-server"), run_dir)


def test_command_lines_do_as_the_references():
    with RunDir() as run_dir:
        prepare(run_dir, Ours)
        for words in LINES:
            said = [what_it_says(i, run_dir, list(words)) for i in (Reference, Ours)]
            assert said[0] == said[1], words
