# SPDX-License-Identifier: Apache-2.0
r"""Transcripts of ovs-ofctl: commands and what the reference printed.

A transcript is a file of `tests/transcripts/ofctl/`: "$ command", its output, lines of
stderr behind "! ", "[exit N]" unless 0. "<<< 'text'" is the standard input ("\n" ends
its lines), "$ write NAME 'text'" makes a file, "| sort" sorts the output's lines.
"2> NAME" has stderr written to a file, which "$ show NAME" prints at the end.
ovs-vsctl and ovs-appctl are the reference's. What changes with time stands as N.

Every transcript runs against the reference's ovs-vswitchd, on a fresh bridge br0 with
the dummy ports p1 (1) and p2 (2). OVSWITCH_REWRITE=1 records all of them anew.
"""

import difflib
import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest
from helpers.programs import Ours, Reference, RunDir

FOLDER = Path(__file__).parent.parent / "transcripts" / "ofctl"
TRANSCRIPTS = sorted(FOLDER.glob("*.txt"))
REWRITE = bool(os.environ.get("OVSWITCH_REWRITE"))

_NORMAL = (
    (re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\|\d{5}\|", re.MULTILINE), "TIME|N|"),
    (re.compile(r"duration=(\x1b\S*?K)?[0-9.]+s"), "duration=Ns"),
    (re.compile(r"duration:[0-9.]+s"), "duration:Ns"),
    (re.compile(r"addr:aa:55:aa:55:(?!00:00)[0-9a-f:]{5}"), "addr:N"),
    (re.compile(r"time=[0-9.]+ ms"), "time=N ms"),
    (re.compile(r"idle_age=\d+"), "idle_age=N"),
    (re.compile(r", hard_age=\d+"), ""),
    (re.compile(r"Finished in .*"), "Finished in N"),
)
#: Transcripts that differ as yet, and why.
_TO_DO = {
    "bundles": "groups",
    "conntrack": "ct-flush",
    "groups": "groups",
    "meters": "meters",
}
_VERSIONS = ",".join(f"OpenFlow1{minor}" for minor in range(6))


class Switch:
    """The reference's daemons in a run directory."""

    def __init__(self):
        self.rundir = RunDir()
        self.rundir.start_ovsdb_server(Reference)
        self.vsctl("--no-wait", "init")
        words = ["ovs-vswitchd", f"unix:{self.rundir.path}/db.sock", "--enable-dummy"]
        words += ["--detach", "--no-chdir", "--pidfile", "-vconsole:off", "--log-file"]
        self.rundir.run([Reference.path(words[0]), *words[1:]], check=True)

    def vsctl(self, *words):
        self.rundir.run([Reference.path("ovs-vsctl"), *words], check=True)

    def renew(self):
        """Make br0 anew."""
        ports = []
        for number in (1, 2):
            name = f"p{number}"
            ports += ["--", "add-port", "br0", name, "--", "set", "interface", name]
            ports += ["type=dummy", f"ofport_request={number}"]
        self.vsctl("--if-exists", "del-br", "br0")
        self.vsctl(
            *["add-br", "br0"],
            *["--", "set", "bridge", "br0", "datapath-type=dummy", "fail-mode=secure"],
            "other-config:hwaddr=aa:55:aa:55:00:00",
            f"protocols={_VERSIONS}",
            *ports,
        )
        for file in self.rundir.path.glob("*.flows"):
            file.unlink()


class Player:
    """Runs the commands of a transcript and writes down what happens."""

    def __init__(self, rundir, implementation):
        self._rundir = rundir
        self._implementation = implementation

    def play(self, commands):
        return "".join(self._step(command) for command in commands)

    def _step(self, command):
        line, pipe, _ = command.partition(" | sort")
        line, arrows, text = line.partition(" <<< ")
        words = shlex.split(line)
        if words[0] == "write":
            content = words[2].replace("\\n", "\n")
            (self._rundir / words[1]).write_text(content)
            return f"$ {command}\n"
        if words[0] == "show":
            text = self._normal((self._rundir / words[1]).read_text())
            return f"$ {command}\n{text}"
        owner = Reference if words[0] != "ovs-ofctl" else self._implementation
        stdin = shlex.split(text)[0].replace("\\n", "\n") if arrows else None
        words[0] = owner.path(words[0])
        if "2>" in words:
            self._start(words[: words.index("2>")], words[-1])
            return f"$ {command}\n"
        result = self._rundir.run(words, stdin=stdin)
        out, err = self._normal(result.out), self._normal(result.err)
        if pipe:
            out = "".join(sorted(out.splitlines(keepends=True)))
        if out and not out.endswith("\n"):
            out += "\\\n"
        errors = "".join(f"! {line}\n" for line in err.splitlines())
        status = f"[exit {result.status}]\n" if result.status else ""
        return f"$ {command}\n{out}{errors}{status}"

    def _start(self, words, name):
        """Run a program that goes on in the background."""
        with (self._rundir / name).open("w") as file:
            subprocess.run(
                words, env=self._rundir.env, cwd=self._rundir.path, stderr=file,
                stdout=subprocess.DEVNULL, timeout=30, check=True,
            )  # fmt: skip

    def _normal(self, text):
        text = text.replace(str(self._rundir.path), "RUNDIR")
        text = text.replace(self._implementation.path("ovs-ofctl"), "ovs-ofctl")
        for pattern, replacement in _NORMAL:
            text = pattern.sub(replacement, text)
        return text


def commands_of(transcript):
    lines = transcript.read_text().splitlines()
    return [line[2:] for line in lines if line.startswith("$ ")]


@pytest.fixture(scope="module")
def switch():
    made = Switch()
    yield made
    made.rundir.close()


def check(transcript, switch, implementation):
    switch.renew()
    played = Player(switch.rundir, implementation).play(commands_of(transcript))
    expected = transcript.read_text()
    if played != expected:
        lines = difflib.unified_diff(
            expected.splitlines(), played.splitlines(), "expected", "played", "", "", 1
        )
        pytest.fail("\n".join(lines), pytrace=False)


def each_transcript(function):
    ids = [transcript.stem for transcript in TRANSCRIPTS]
    return pytest.mark.parametrize("transcript", TRANSCRIPTS, ids=ids)(function)


@pytest.mark.reference
@each_transcript
def test_reference_does_what_the_transcript_says(transcript, switch):
    if REWRITE:
        switch.renew()
        player = Player(switch.rundir, Reference)
        transcript.write_text(player.play(commands_of(transcript)))
    check(transcript, switch, Reference)


@pytest.mark.reference
@each_transcript
def test_our_ofctl_prints_the_same(transcript, switch, request):
    if transcript.stem in _TO_DO:
        reason = _TO_DO[transcript.stem]
        request.applymarker(pytest.mark.xfail(reason=reason, strict=True))
    check(transcript, switch, Ours)
