# SPDX-License-Identifier: Apache-2.0
"""The same scripts on both implementations, and with each one's tools on the other.

A script is a section of a file in tests/transcripts/switch: a line "=== name", then a
command a line. A word before a command says what means nothing in its output:
"sorted:" the order of lines (the reference lists flows by hash), "flooded:" the order
of the ports that a datapath action floods to (the reference walks ports by address).
A line "write NAME TEXT" makes a file of the run directory ("\\n" is a new line).
Everything runs on the dummy datapath with the clock stopped. What may differ by nature
(UUIDs, durations, random addresses) is replaced before texts are compared.
"""

import concurrent.futures
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
    OURS,
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
    number = 0
    for path in sorted(FOLDER.glob("*.script")):
        name, lines = None, []
        for line in [*path.read_text().splitlines(), "=== "]:
            if line.startswith("=== "):
                if name:
                    yield pytest.param(number, lines, id=f"{path.stem}: {name}")
                    number += 1
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
        (r"\bpid[ =]\d+", "pid=<>"),
        (r"\brecirc(_id=|\()(0x[\da-f]+|[1-9]\d*)", r"recirc\1<>"),
        # Which end of a connection notices first that they disagree.
        (r"connect to socket \((Broken pipe|Protocol error)\)", "connect (<>)"),
        (r"(?m)^  \d+: \(keys", "  <>: (keys"),
        (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}", "<time>"),
        (rf"(?m)^(/usr/s?bin|{re.escape(str(OURS))})/", ""),
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


_ACTION = re.compile(r"[^,(]+(?:\([^()]*\))?")


def _unordered_flood(text):
    """Replace datapath actions by what each port gets, in the order of ports."""
    vlan = re.search(r"^Flow: .*?dl_vlan=(\d+),dl_vlan_pcp=(\d)", text, re.MULTILINE)
    tags = [f"vid={vlan[1]},pcp={vlan[2]}"] if vlan else []
    return re.sub(
        r"(?m)(actions: ?)(\S*)$",
        lambda match: match[1] + " ".join(sorted(_outputs(match[2], list(tags)))),
        text,
    )


def _outputs(actions, tags):
    for action in _ACTION.findall(actions):
        if action.startswith("push_vlan("):
            tags.append(action[10:-1])
        elif action == "pop_vlan":
            tags.pop()
        else:
            yield f"{action}[{' '.join(tags)}]"


# Bridges of scripts are br0 to br2.
_CLEAN = (
    "ovs-vsctl emer-reset -- clear Open_vSwitch . external_ids "
    "-- --if-exists del-br br0 -- --if-exists del-br br1 -- --if-exists del-br br2"
)


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
        self._command("ovs-appctl time/stop", "reference")
        normalise = Normaliser(self.directory)
        try:
            return [self._step(line, tools, normalise) for line in lines]
        finally:
            self._command(_CLEAN, "reference")

    def _step(self, line, tools, normalise):
        command = line.removeprefix("sorted: ").removeprefix("flooded: ")
        if command.startswith("write "):
            _, name, text = command.split(" ", 2)
            (self.directory / name).write_text(text.replace("\\n", "\n"))
            return command, "", "", 0
        done = self._command(command, tools)
        output = normalise(done.stdout)
        if line.startswith("flooded: "):
            output = _unordered_flood(output)
        if line.startswith("sorted: "):
            output = "\n".join(sorted(output.splitlines()))
        return command, output, normalise(done.stderr), done.returncode

    def _command(self, command, tools):
        command = command.replace("RUNDIR", str(self.directory))
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

    def close(self):
        for name in ("ovs-vswitchd", "ovsdb-server"):
            with contextlib.suppress(OSError, ValueError):
                pid = int((self.directory / f"{name}.pid").read_text())
                os.kill(pid, signal.SIGTERM)
                wait_for(lambda pid=pid: not is_running(pid))
        logs = [path.read_text() for path in self.directory.glob("*.log")]
        shutil.rmtree(self.directory)
        assert not any("|backtrace|" in log for log in logs), logs


_PAIRS = [  # daemons, tools
    ("reference", "reference"),
    ("reference", "ours"),
    ("ours", "reference"),
    ("ours", "ours"),
]
#: When both say what the reference's say, our tools on our daemons hardly differ: only
#: every so manieth section runs on them.
_OURS_ALONE = 4


@pytest.fixture(scope="module")
def runs():
    """Runs a script in some pairs at once; returns the pairs' results."""
    with (
        contextlib.ExitStack() as stack,
        concurrent.futures.ThreadPoolExecutor(len(_PAIRS)) as pool,
    ):
        pairs = []
        for implementation, tools in _PAIRS:
            daemons = Daemons(implementation)
            stack.callback(daemons.close)
            pairs.append((daemons, tools))
        yield lambda lines, n_pairs: [
            future.result()
            for future in [
                pool.submit(daemons.script, lines, tools)
                for daemons, tools in pairs[:n_pairs]
            ]
        ]


@pytest.mark.parametrize(("number", "lines"), list(load()))
def test_both_implementations_answer_alike(number, lines, runs):
    n_pairs = len(_PAIRS) if number % _OURS_ALONE == 0 else len(_PAIRS) - 1
    expected, our_tools, our_daemons, *ours = runs(lines, n_pairs)
    assert our_tools == expected, "our tools, their daemons"
    assert our_daemons == expected, "their tools, our daemons"
    assert ours in ([], [expected]), "our tools, our daemons"
