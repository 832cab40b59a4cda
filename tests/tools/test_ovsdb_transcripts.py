# SPDX-License-Identifier: Apache-2.0
"""Transcripts of ovsdb-tool and ovsdb-client: commands and what the reference printed.

A transcript is a file of `tests/transcripts/ovsdb-tool/` or `.../ovsdb-client/`:
"$ command", its output, lines of stderr behind "! ", "[exit N]" unless 0. It runs in an
empty folder; those of ovsdb-client also have a server, whose databases are empty:
Open_vSwitch, and those which the transcript adds by "serve FILE".

Words before "| sort" sort the lines; "< FILE" and "> FILE" are a command's input and
output. UUIDs stand as <0>, <1> ... in the order of their appearance, four digits behind
"id" words as XXXX, times as TIME. Besides programs there are some commands of our own:

    schema FILE NAME VERSION COLUMNS   write a schema with a table T of such columns
    write FILE TEXT, cat FILE, size FILE, cut FILE SIZE, poke FILE OFFSET TEXT, ls, rm
    await FILE N                       wait until the file has N lines
    await-exit PIDFILE                 wait until that program has ended
    kill-pid PIDFILE                   end it
    serve FILE, unserve NAME           add a database to the server, remove it

OVSWITCH_REWRITE=1 records all of them anew from the reference, and runs our client on
the reference's server too. Otherwise that is left out: it takes its time, and our
client on our server and the reference's client on ours are to print the same.
"""

import difflib
import json
import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest
from helpers.forked import Forked
from helpers.programs import Ours, Reference, RunDir, end, is_alive, wait_until

from ovswitch.runtime import jsonrpc

FOLDER = Path(__file__).parent.parent / "transcripts"
# The default where the reference isn't installed.
OUR_SCHEMA = Path(__file__).parents[2] / "ovswitch" / "ovsdb" / "vswitch.ovsschema"
TOOL = sorted((FOLDER / "ovsdb-tool").glob("*.txt"))
CLIENT = sorted((FOLDER / "ovsdb-client").glob("*.txt"))
PATIENCE = 5  # seconds
REWRITE = bool(os.environ.get("OVSWITCH_REWRITE"))

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_LOG_TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\|\d{5}\|", re.MULTILINE)
_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}")
_DATE = re.compile(r'"_date":\d{13}')
_HASH = re.compile(r"\b[0-9a-f]{40}\b")
_SHORT = re.compile(
    r"((?:_id|eid|vote|leader|servers): |(?:server|cluster)(?: ID)? )[0-9a-f]{4}\b"
)


class Player:
    """Runs the commands of a transcript and writes down what happens."""

    def __init__(self, rundir, folder, run):
        self._rundir = rundir
        self._folder = folder
        self._run = run
        self._uuids = {}
        self._served = []

    def play(self, commands):
        try:
            return "".join(self._step(command) for command in commands)
        finally:
            for name in list(self._served):
                self.do_unserve(name)

    def _step(self, command):
        line, pipe, _ = command.partition(" | sort")
        line, _, stdout = line.partition(" > ")
        line, _, stdin = line.partition(" < ")
        words = shlex.split(line)
        own = getattr(self, "do_" + words[0].replace("-", "_"), None)
        if own:
            status, out, err = 0, own(*words[1:]) or "", ""
        else:
            stdin = str(self._folder / stdin) if stdin else "/dev/null"
            stdout = str(self._folder / stdout) if stdout else None
            status, out, err = self._run(words, self._folder, stdin, stdout)
        out, err = self._normal(out), self._normal(err)
        if pipe:
            out = "".join(sorted(out.splitlines(keepends=True)))
        if out and not out.endswith("\n"):
            out += "\\\n"
        errors = "".join(f"! {line}\n" for line in err.splitlines())
        exit_line = f"[exit {status}]\n" if status else ""
        return f"$ {command}\n{out}{errors}{exit_line}"

    def _normal(self, text):
        text = text.replace(str(self._folder), "FOLDER")
        text = text.replace(str(self._rundir.path), "RUNDIR")
        text = text.replace(str(OUR_SCHEMA), "/usr/share/openvswitch/vswitch.ovsschema")
        text = re.sub(r"/usr/s?bin/(ovs)", r"\1", text)
        text = _LOG_TIME.sub("TIME|N|", text)
        text = _TIME.sub("TIME", _DATE.sub('"_date":TIME', text))
        text = _HASH.sub("HASH", _SHORT.sub(r"\1XXXX", text))
        return _UUID.sub(self._number, text)

    def _number(self, match):
        uuid = match[0]
        if uuid.startswith("00000000") or uuid[4:8] == "1234":
            return uuid
        return f"<{self._uuids.setdefault(uuid, len(self._uuids))}>"

    # Our own commands

    def do_schema(self, name, database, version, columns):
        table = {"isRoot": True, "columns": json.loads(columns)}
        schema = {"name": database, "version": version, "tables": {"T": table}}
        self.do_write(name, json.dumps(schema))

    def do_write(self, name, text):
        (self._folder / name).write_text(text)

    def do_cat(self, name):
        return (self._folder / name).read_text()

    def do_size(self, name):
        return f"{(self._folder / name).stat().st_size}\n"

    def do_cut(self, name, size):
        os.truncate(self._folder / name, int(size))

    def do_poke(self, name, offset, text):
        octets = bytearray((self._folder / name).read_bytes())
        start = int(offset)
        octets[start : start + len(text)] = text.encode()
        (self._folder / name).write_bytes(octets)

    def do_ls(self):
        return "".join(f"{name}\n" for name in sorted(os.listdir(self._folder)))

    def do_rm(self, *names):
        for name in names:
            (self._folder / name).unlink(missing_ok=True)

    def do_await(self, name, n_lines):
        path = self._folder / name
        wait_until(
            lambda: path.exists() and path.read_text().count("\n") >= int(n_lines),
            PATIENCE,
        )

    def do_await_exit(self, name):
        path = self._rundir / name
        if path.exists():
            pid = int(path.read_text())
            wait_until(lambda: not is_alive(pid), PATIENCE)

    def do_kill_pid(self, name):
        end(int((self._rundir / name).read_text()))

    def do_serve(self, name):
        path = self._folder / name
        self._control("ovsdb-server/add-db", str(path))
        schema = json.loads(path.read_text().splitlines()[1])
        self._served.append(schema["name"])

    def do_unserve(self, name):
        self._served.remove(name)
        self._control("ovsdb-server/remove-db", name)

    def _control(self, command, argument):
        """Tell the server something, as ovs-appctl does."""
        name = f"ovsdb-server.{self._rundir.pid('ovsdb-server')}.ctl"
        with jsonrpc.Client(f"unix:{self._rundir / name}") as client:
            assert client.call(command, [argument]).error is None


def commands_of(transcript):
    lines = transcript.read_text().splitlines()
    return [line[2:] for line in lines if line.startswith("$ ")]


class Runners:
    """What runs programs in a run directory, for each implementation of the tools."""

    def __init__(self):
        self._forked = {}

    def reference(self, rundir):
        def run(words, folder, stdin, stdout):
            out, err = stdout or rundir / "out", rundir / "err"
            with open(stdin) as in_, open(out, "w") as out_, open(err, "w") as err_:
                done = subprocess.run(
                    [Reference.path(words[0]), *words[1:]],
                    env=rundir.env,
                    cwd=folder,
                    stdin=in_,
                    stdout=out_,
                    stderr=err_,
                    timeout=20,
                    check=False,
                )
            texts = [
                path.read_bytes().decode("utf-8", "surrogateescape")
                for path in (Path(out), err)
            ]
            return done.returncode, "" if stdout else texts[0], texts[1]

        return run

    def ours(self, rundir):
        if rundir not in self._forked:
            self._forked[rundir] = Forked(rundir.env)
        return self._forked[rundir].run

    def close(self):
        for forked in self._forked.values():
            forked.close()


@pytest.fixture(scope="module")
def runners():
    made = Runners()
    yield made
    made.close()


@pytest.fixture(scope="module")
def servers():
    """One server of each implementation, started when first needed."""
    started = {}

    def get(implementation, *, serving=True):
        rundir = started.get((implementation, serving))
        if rundir is None:
            rundir = started[implementation, serving] = RunDir()
            if serving:
                rundir.start_ovsdb_server(implementation)
            rundir.env["OVS_DBDIR"] = str(rundir / "files")
        return rundir

    yield get
    for rundir in started.values():
        rundir.close()


def empty(rundir):
    """Delete all rows."""
    with jsonrpc.Client(f"unix:{rundir.path}/db.sock") as client:
        for table in ("Open_vSwitch", "QoS", "Queue", "Flow_Sample_Collector_Set"):
            operation = {"op": "delete", "table": table, "where": []}
            reply = client.call("transact", ["Open_vSwitch", operation])
            assert "error" not in reply.result[0]


def play(transcript, rundir, run):
    folder = rundir / "files"
    folder.mkdir(exist_ok=True)
    for path in folder.iterdir():
        path.unlink()
    if (rundir / "db.sock").exists():
        empty(rundir)
    return Player(rundir, folder, run).play(commands_of(transcript))


def check(transcript, rundir, run):
    played = play(transcript, rundir, run)
    expected = transcript.read_text()
    if played != expected:
        lines = difflib.unified_diff(
            expected.splitlines(), played.splitlines(), "expected", "played", "", "", 1
        )
        pytest.fail("\n".join(lines), pytrace=False)


def each(transcripts):
    names = [f"{transcript.stem}" for transcript in transcripts]
    return pytest.mark.parametrize("transcript", transcripts, ids=names)


def when_recording(transcripts):
    return transcripts if REWRITE else []


def record(transcript, rundir, runners):
    run = runners.reference(rundir)
    transcript.write_text(play(transcript, rundir, run))
    check(transcript, rundir, run)


@pytest.mark.reference
@each(when_recording(TOOL))
def test_reference_tool_does_what_the_transcript_says(transcript, servers, runners):
    record(transcript, servers(Reference, serving=False), runners)


@each(TOOL)
def test_our_tool_does_what_the_transcript_says(transcript, servers, runners):
    rundir = servers(Ours, serving=False)
    check(transcript, rundir, runners.ours(rundir))


@pytest.mark.reference
@each(when_recording(CLIENT))
def test_reference_client_does_what_the_transcript_says(transcript, servers, runners):
    record(transcript, servers(Reference), runners)


@pytest.mark.reference
@each(when_recording(CLIENT))
def test_our_client_on_the_reference_server(transcript, servers, runners):
    rundir = servers(Reference)
    check(transcript, rundir, runners.ours(rundir))


@each(CLIENT)
def test_our_client_on_our_server(transcript, servers, runners):
    rundir = servers(Ours)
    check(transcript, rundir, runners.ours(rundir))


@pytest.mark.slow
@pytest.mark.reference
@each(CLIENT)
def test_reference_client_on_our_server(transcript, servers, runners):
    rundir = servers(Ours)
    check(transcript, rundir, runners.reference(rundir))
