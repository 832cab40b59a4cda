# SPDX-License-Identifier: Apache-2.0
"""Transcripts of the control tools, ovs-vsctl and vtep-ctl: playing and checking them.

A transcript is a file of `tests/transcripts/{vsctl,vtep}/`: "$ command", its output,
lines of stderr behind "! ", "[exit N]" unless 0. UUIDs stand as <0>, <1> ... in the
order of their appearance in the file; "| sort" sorts the lines. Every transcript runs
on an empty database.

A transcript was recorded from the reference's tool on the reference's server. Ours on
ours plays all of them, and each of the mixed pairs every other one.
OVSWITCH_ALL_PAIRS=1 plays all transcripts with all four pairs, OVSWITCH_REWRITE=1
records them anew.
"""

import difflib
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.programs import Ours, Reference, RunDir
from ovswitch.runtime import jsonrpc

FOLDER = Path(__file__).parent.parent / "transcripts"
RUNNER = FOLDER / "control_runner.py"
REWRITE = bool(os.environ.get("OVSWITCH_REWRITE"))
ALL_PAIRS = REWRITE or bool(os.environ.get("OVSWITCH_ALL_PAIRS"))
TOOLS = {"ours": Ours, "reference": Reference}

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\|\d{5}\|", re.MULTILINE)
_KEPT_UUIDS = ("00000000-", "12345678-1234-1234-1234-123456789abc")


class Player:
    """Runs the commands of a transcript and writes down what happens."""

    def __init__(self, rundir, run, always):
        self._rundir = rundir
        self._run = run
        self._always = always
        self._uuids = {}

    def play(self, commands):
        return "".join(self._step(command) for command in commands)

    def _step(self, command):
        line, pipe, _ = command.partition(" | sort")
        words = shlex.split(line)
        status, out, err = self._run([words[0], *self._always, *words[1:]])
        out, err = self._normal(out), self._normal(err)
        if pipe:
            out = "".join(sorted(out.splitlines(keepends=True)))
        if out and not out.endswith("\n"):
            out += "\\\n"
        errors = "".join(f"! {line}\n" for line in err.splitlines())
        exit_line = f"[exit {status}]\n" if status else ""
        return f"$ {command}\n{out}{errors}{exit_line}"

    def _normal(self, text):
        text = text.replace(str(self._rundir.path), "RUNDIR")
        for program in ("ovs-vsctl", "vtep-ctl"):
            text = text.replace(Reference.path(program), program)
        text = _TIME.sub("TIME|N|", text)
        return _UUID.sub(self._number, text)

    def _number(self, match):
        uuid = match[0]
        if uuid.startswith(_KEPT_UUIDS):
            return uuid
        return f"<{self._uuids.setdefault(uuid, len(self._uuids))}>"


def commands_of(transcript):
    lines = transcript.read_text().splitlines()
    return [line[2:] for line in lines if line.startswith("$ ")]


def run_reference(rundir):
    def run(words):
        result = rundir.run([Reference.path(words[0]), *words[1:]])
        return result.status, result.out, result.err

    return run


class Runner:
    """Our tools, many times, in children of one small process."""

    def __init__(self):
        self._processes = {}

    def __call__(self, rundir):
        process = self._processes.get(rundir)
        if process is None:
            process = self._processes[rundir] = subprocess.Popen(
                [sys.executable, RUNNER],
                env=rundir.env,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )

        def run(words):
            process.stdin.write(json.dumps(words) + "\n")
            process.stdin.flush()
            return json.loads(process.stdout.readline())

        return run

    def close(self):
        for process in self._processes.values():
            process.stdin.close()
            process.wait(10)
            process.stdout.close()


class Suite:
    """The transcripts of one tool, and the servers that they are played on."""

    def __init__(self, name, schema, always=()):
        self.transcripts = sorted((FOLDER / name).glob("*.txt"))
        self._schema = schema
        contents = json.loads(schema.read_text())
        self._database = contents["name"]
        roots = {
            table: description.get("maxRows") == 1
            for table, description in contents["tables"].items()
            if description.get("isRoot")
        }
        # First what refers to the others, which are still counted until then.
        self._roots = sorted(roots, key=lambda table: not roots[table])
        self._always = always
        self._started = {}
        self._runner = Runner()

    def close(self):
        self._runner.close()
        for rundir in self._started.values():
            rundir.close()
        self._started.clear()

    def server(self, implementation):
        """A server with an empty database, started when first needed."""
        rundir = self._started.get(implementation)
        if rundir is None:
            rundir = self._started[implementation] = RunDir()
            rundir.start_ovsdb_server(implementation, schema=self._schema)
        with jsonrpc.Client(f"unix:{rundir.path}/db.sock") as client:
            for tables in (self._roots[:1], self._roots[1:]):
                operations = [
                    {"op": "delete", "table": table, "where": []} for table in tables
                ]
                reply = client.call("transact", [self._database, *operations])
                assert not [row for row in reply.result if "error" in (row or {})]
        return rundir

    def record(self, transcript):
        """Write a transcript anew, from the reference."""
        rundir = self.server(Reference)
        player = Player(rundir, run_reference(rundir), self._always)
        transcript.write_text(player.play(commands_of(transcript)))

    def check(self, transcript, tool, server):
        """Play a transcript and compare; `tool` and `server` are implementations."""
        rundir = self.server(server)
        run = self._runner(rundir) if tool is Ours else run_reference(rundir)
        played = Player(rundir, run, self._always).play(commands_of(transcript))
        expected = transcript.read_text()
        if played != expected:
            lines = difflib.unified_diff(
                expected.splitlines(),
                played.splitlines(),
                "expected",
                "played",
                "",
                "",
                1,
            )
            pytest.fail("\n".join(lines), pytrace=False)

    def each(self, function):
        """Parametrise a test of ours on ours with all transcripts."""
        ids = [transcript.stem for transcript in self.transcripts]
        return pytest.mark.parametrize("transcript", self.transcripts, ids=ids)(
            function
        )

    def each_mixed(self, function):
        """Parametrise a test with transcripts, tools and servers beside the reference.

        The two mixed pairs take turns; the reference alone said what is written.
        """
        cases = []
        for number, transcript in enumerate(self.transcripts):
            pairs = [("ours", "reference"), ("reference", "ours")]
            if not ALL_PAIRS:
                pairs = [pairs[number % 2]]
            else:
                pairs.insert(0, ("reference", "reference"))
            cases += [
                pytest.param(transcript, *pair, id=f"{transcript.stem}-{pair[0]}-tool")
                for pair in pairs
            ]
        function = pytest.mark.parametrize(("transcript", "tool", "server"), cases)(
            function
        )
        return pytest.mark.reference(pytest.mark.slow(function))
