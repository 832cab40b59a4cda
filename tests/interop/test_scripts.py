# SPDX-License-Identifier: Apache-2.0
"""The same scripts on both implementations, and with each one's tools on the other.

A script is a section of a file in tests/transcripts/switch: a line "=== name", then a
command a line. A line "sorted:" before a command says that the order of its output's
lines means nothing (the reference lists flows by hash). Everything runs on the dummy
datapath with the clock stopped. What may differ by nature (UUIDs, durations, random
addresses) is replaced before texts are compared.
"""

import contextlib
import os
import pathlib
import re
import shlex
import shutil
import signal
import subprocess
import tempfile

import pytest

from tests.interop.lab import (
    REFERENCE_SCHEMA,
    SCHEMA,
    find,
    has_reference,
    is_running,
    wait_for,
)

pytestmark = [
    pytest.mark.reference,
    pytest.mark.slow,
    pytest.mark.skipif(not has_reference(), reason="needs the reference"),
]

FOLDER = pathlib.Path(__file__).parents[1] / "transcripts" / "switch"


def load():
    for path in sorted(FOLDER.glob("*.script")):
        name, lines = None, []
        for line in [*path.read_text().splitlines(), "=== "]:
            if line.startswith("=== "):
                if name:
                    yield pytest.param(lines, id=f"{path.stem}: {name}")
                name, lines = line[4:].strip(), []
            elif line.strip() and not line.startswith("#"):
                lines.append(line)


_REPLACEMENTS = [
    (re.compile(pattern), text)
    for pattern, text in (
        (r"duration=[\d.]+s", "duration=<>"),
        (r"\bxid=0x[\da-f]+", "xid=<>"),
        (r"xid=[\da-f]{8} time=[\d.]+ ms", "xid=<> time=<>"),
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\|\d{5}\|", "<time>|"),
        (r"used:[\d.]+s", "used:<>"),
        (r"dpid:[\da-f]{16}", "dpid:<>"),
        (r"pid=\d+", "pid=<>"),
        (r"aa:55:aa:55:[\da-f:]{5}", "<dummy address>"),
        (r"(LOCAL\(\w+\): addr:)[\da-f:]{17}", r"\1<>"),
    )
]
_UUID = re.compile(r"[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}")


class Normaliser:
    """Replaces what differs from run to run; UUIDs by their order of appearance."""

    def __init__(self, directory):
        self._directory = str(directory)
        self._uuids = {}

    def __call__(self, text):
        text = text.replace(self._directory, "<rundir>")
        for pattern, replacement in _REPLACEMENTS:
            text = pattern.sub(replacement, text)
        return _UUID.sub(self._number, text)

    def _number(self, match):
        return self._uuids.setdefault(match[0], f"<uuid {len(self._uuids)}>")


class Daemons:
    """A pair of daemons on the dummy datapath."""

    def __init__(self, implementation):
        self.implementation = implementation
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="ovs-scripts-"))
        self.env = {k: v for k, v in os.environ.items() if not k.startswith("OVS_")}
        for name in ("RUNDIR", "DBDIR", "LOGDIR", "SYSCONFDIR"):
            self.env[f"OVS_{name}"] = str(self.directory)
        try:
            self._start()
        except BaseException:
            self.close()
            raise

    def _start(self):
        schema = SCHEMA if self.implementation == "ours" else REFERENCE_SCHEMA
        database = self.directory / "conf.db"
        self._run("ovsdb-tool", "create", database, schema)
        common = (
            "-vconsole:off",
            "-vsyslog:off",
            "--log-file",
            "--pidfile",
            "--detach",
        )
        remote = f"--remote=punix:{self.directory}/db.sock"
        self._run("ovsdb-server", database, remote, *common)
        self._run("ovs-vsctl", "--no-wait", "init")
        self._run(
            "ovs-vswitchd",
            *("--enable-dummy=override", "--disable-system", *common),
        )

    def _run(self, program, *arguments):
        subprocess.run(
            [find(program, self.implementation), *map(str, arguments)],
            env=self.env,
            check=True,
            timeout=30,
            capture_output=True,
        )

    def script(self, lines, tools):
        """Run a script on these daemons with an implementation's tools.

        Returns a list of (command, output, errors, exit status).
        """
        self._run("ovs-appctl", "time/stop")
        normalise = Normaliser(self.directory)
        results = []
        try:
            for line in lines:
                is_unordered = line.startswith("sorted: ")
                command = line.removeprefix("sorted: ")
                done = self._command(command, tools)
                output = normalise(done.stdout)
                if is_unordered:
                    output = "\n".join(sorted(output.splitlines()))
                results.append(
                    (command, output, normalise(done.stderr), done.returncode)
                )
        finally:
            self._clean()
        return results

    def _command(self, command, tools):
        program, *arguments = shlex.split(command)
        if program in ("ovs-ofctl", "ovs-vsctl", "ovs-appctl"):
            arguments.insert(0, "--timeout=10")
        return subprocess.run(
            [find(program, tools), *arguments],
            env=self.env,
            cwd=self.directory,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    def _clean(self):
        listed = self._command("ovs-vsctl list-br", self.implementation).stdout.split()
        words = [f"-- --if-exists del-br {name}" for name in listed]
        self._command("ovs-vsctl emer-reset " + " ".join(words), self.implementation)
        self._command(
            "ovs-vsctl clear Open_vSwitch . external_ids", self.implementation
        )

    def close(self):
        for name in ("ovs-vswitchd", "ovsdb-server"):
            with contextlib.suppress(OSError, ValueError):
                pid = int((self.directory / f"{name}.pid").read_text())
                os.kill(pid, signal.SIGTERM)
                wait_for(lambda pid=pid: not is_running(pid))
        shutil.rmtree(self.directory)


@pytest.fixture(scope="module")
def ours():
    daemons = Daemons("ours")
    yield daemons
    daemons.close()


@pytest.fixture(scope="module")
def reference():
    daemons = Daemons("reference")
    yield daemons
    daemons.close()


@pytest.mark.parametrize("lines", list(load()))
def test_both_implementations_answer_alike(lines, ours, reference):
    expected = reference.script(lines, "reference")
    assert ours.script(lines, "ours") == expected
    assert reference.script(lines, "ours") == expected, "our tools, their daemons"
    assert ours.script(lines, "reference") == expected, "their tools, our daemons"
