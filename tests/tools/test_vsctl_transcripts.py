# SPDX-License-Identifier: Apache-2.0
"""Transcripts of ovs-vsctl: commands and what the reference printed.

A transcript is a file of `tests/transcripts/vsctl/`: "$ command", its output, lines of
stderr behind "! ", "[exit N]" unless 0. UUIDs stand as <0>, <1> ... in the order of
their appearance in the file; "| sort" sorts the lines. Every transcript runs on an
empty database with --no-wait.

OVSWITCH_REWRITE=1 records all of them anew from the reference.
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

FOLDER = Path(__file__).parent.parent / "transcripts" / "vsctl"
TRANSCRIPTS = sorted(FOLDER.glob("*.txt"))
ROOT_TABLES = ("QoS", "Queue", "Flow_Sample_Collector_Set")
REWRITE = bool(os.environ.get("OVSWITCH_REWRITE"))

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\|\d{5}\|", re.MULTILINE)


class Player:
    """Runs the commands of a transcript and writes down what happens."""

    def __init__(self, rundir, run):
        self._rundir = rundir
        self._run = run
        self._uuids = {}

    def play(self, commands):
        return "".join(self._step(command) for command in commands)

    def _step(self, command):
        line, pipe, _ = command.partition(" | sort")
        words = shlex.split(line)
        status, out, err = self._run([words[0], "--no-wait", *words[1:]])
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
        text = text.replace(Reference.path("ovs-vsctl"), "ovs-vsctl")
        text = _TIME.sub("TIME|N|", text)
        return _UUID.sub(self._number, text)

    def _number(self, match):
        uuid = match[0]
        if (
            uuid.startswith("00000000")
            or uuid == "12345678-1234-1234-1234-123456789abc"
        ):
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
    """Our ovs-vsctl, many times, in children of one small process."""

    def __init__(self):
        self._processes = {}

    def __call__(self, rundir):
        process = self._processes.get(rundir)
        if process is None:
            process = self._processes[rundir] = subprocess.Popen(
                [sys.executable, FOLDER / "runner.py"],
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


@pytest.fixture(scope="module")
def run_ours():
    runner = Runner()
    yield runner
    runner.close()


@pytest.fixture(scope="module")
def servers():
    """One server of each implementation, started when first needed."""
    started = {}

    def get(implementation):
        rundir = started.get(implementation)
        if rundir is None:
            rundir = started[implementation] = RunDir()
            rundir.start_ovsdb_server(implementation)
        empty(rundir)
        return rundir

    yield get
    for rundir in started.values():
        rundir.close()


def empty(rundir):
    """Delete all rows; the root row first, so that nothing refers to the others."""
    with jsonrpc.Client(f"unix:{rundir.path}/db.sock") as client:
        for tables in (("Open_vSwitch",), ROOT_TABLES):
            operations = [
                {"op": "delete", "table": table, "where": []} for table in tables
            ]
            reply = client.call("transact", ["Open_vSwitch", *operations])
            errors = [result for result in reply.result if "error" in (result or {})]
            assert not errors


def check(transcript, rundir, runner):
    played = Player(rundir, runner(rundir)).play(commands_of(transcript))
    expected = transcript.read_text()
    if played != expected:
        lines = difflib.unified_diff(
            expected.splitlines(), played.splitlines(), "expected", "played", "", "", 1
        )
        pytest.fail("\n".join(lines), pytrace=False)


def each_transcript(function):
    ids = [transcript.stem for transcript in TRANSCRIPTS]
    return pytest.mark.parametrize("transcript", TRANSCRIPTS, ids=ids)(function)


@pytest.mark.slow
@pytest.mark.reference
@each_transcript
def test_reference_does_what_the_transcript_says(transcript, servers):
    if REWRITE:
        rundir = servers(Reference)
        player = Player(rundir, run_reference(rundir))
        transcript.write_text(player.play(commands_of(transcript)))
    check(transcript, servers(Reference), run_reference)


@pytest.mark.slow
@pytest.mark.reference
@each_transcript
def test_our_vsctl_on_the_reference_server(transcript, servers, run_ours):
    check(transcript, servers(Reference), run_ours)


@each_transcript
def test_our_vsctl_on_our_server(transcript, servers, run_ours):
    check(transcript, servers(Ours), run_ours)


@pytest.mark.slow
@pytest.mark.reference
@each_transcript
def test_reference_vsctl_on_our_server(transcript, servers):
    check(transcript, servers(Ours), run_reference)
