# SPDX-License-Identifier: Apache-2.0
"""Starting programs of either implementation in a private run directory.

A `RunDir` sets OVS_RUNDIR and its relatives for what it starts, and ends the
processes that still run when it is closed: those it started itself and those whose
pidfiles lie in it, always by process id.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SCHEMA = Path(__file__).parents[2] / "ovswitch" / "ovsdb" / "vswitch.ovsschema"
TIMEOUT = 20


class Ours:
    """This project's programs, beside the interpreter that runs the tests."""

    name = "ours"

    @staticmethod
    def path(program):
        return str(Path(sys.executable).parent / program)


class Reference:
    """The reference's programs, where the system's packages put them."""

    name = "reference"
    _NEEDED = ("ovs-appctl", "ovs-vsctl", "ovs-ofctl", "ovsdb-server", "ovs-vswitchd")

    @staticmethod
    def path(program):
        found = shutil.which(program, path="/usr/bin:/usr/sbin")
        return found or f"/usr/bin/{program}"

    @classmethod
    def missing(cls):
        """Return the first program that isn't there, "" if all are."""
        for program in cls._NEEDED:
            if not Path(cls.path(program)).exists():
                return program
        return ""


class Result:
    """What a program printed and its exit status; negative for a signal."""

    def __init__(self, status, out, err):
        self.status, self.out, self.err = status, out, err

    def __eq__(self, other):
        mine = (self.status, self.out, self.err)
        return mine == (other.status, other.out, other.err)

    def __hash__(self):
        return hash((self.status, self.out, self.err))

    def __repr__(self):
        return f"status {self.status}\n--- out\n{self.out}--- err\n{self.err}"


class RunDir:
    """A private run directory and the processes in it."""

    def __init__(self):
        self.path = Path(tempfile.mkdtemp(prefix="ovswitch-test-"))
        self.env = dict(os.environ)
        for name in ("RUNDIR", "LOGDIR", "DBDIR", "SYSCONFDIR"):
            self.env[f"OVS_{name}"] = str(self.path)
        self.env.pop("OVS_CTL_TIMEOUT", None)
        self.env["OVS_SYSLOG_METHOD"] = "null"
        self._children = []

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        self.close()

    def __truediv__(self, name):
        return self.path / name

    def run(self, words, *, check=False, stdin=None, env=None, timeout=TIMEOUT):
        """Run a program to its end."""
        done = subprocess.run(
            [str(word) for word in words],
            env={**self.env, **(env or {})},
            cwd=self.path,
            input=stdin,
            stdin=None if stdin is not None else subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="surrogateescape",
            timeout=timeout,
            check=False,
        )
        result = Result(done.returncode, done.stdout, done.stderr)
        assert not check or not result.status, f"{words}: {result}"
        return result

    def start(self, words, **options):
        """Start a program; it is ended with the run directory."""
        child = subprocess.Popen(
            [str(word) for word in words],
            env=self.env,
            cwd=self.path,
            stdin=subprocess.DEVNULL,
            **options,
        )
        self._children.append(child)
        return child

    def pid(self, program):
        """Return the process id in a program's pidfile, None without one."""
        try:
            return int((self.path / f"{program}.pid").read_text())
        except (OSError, ValueError):
            return None

    def appctl(self, *words, implementation=Ours, **options):
        """Run ovs-appctl."""
        return self.run([implementation.path("ovs-appctl"), *words], **options)

    def start_ovsdb_server(self, implementation, *options, schema=None):
        """Create a database and serve it on DIR/db.sock."""
        database = self.path / "conf.db"
        if not database.exists():
            tool = implementation.path("ovsdb-tool")
            schema = schema or SCHEMA
            self.run([tool, "create", database, schema], check=True)
        self.run(
            [
                implementation.path("ovsdb-server"),
                database,
                f"--remote=punix:{self.path}/db.sock",
                "--detach",
                "--no-chdir",
                "--pidfile",
                "--log-file",
                "-vconsole:off",
                *options,
            ],
            check=True,
        )

    def close(self):
        """End what still runs and remove the directory."""
        for child in self._children:
            if child.poll() is None:
                child.terminate()
                try:
                    child.wait(5)
                except subprocess.TimeoutExpired:
                    child.kill()
                    child.wait()
            for stream in (child.stdout, child.stderr):
                if stream is not None:
                    stream.close()
        for pidfile in self.path.glob("*.pid"):
            pid = self.pid(pidfile.stem)
            if pid is not None:
                end(pid)
        shutil.rmtree(self.path, ignore_errors=True)


def is_alive(pid):
    """Return whether a process exists and isn't a zombie."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def wait_until(condition, timeout=TIMEOUT):
    """Wait until `condition()` holds; fail if it never does."""
    deadline = time.monotonic() + timeout  # noqa: TID251  the tests' own clock
    while not condition():
        assert time.monotonic() < deadline, f"{condition} never held"  # noqa: TID251
        time.sleep(0.02)


def end(pid):
    """End a process that isn't our child."""
    for number, patience in ((signal.SIGTERM, 3), (signal.SIGKILL, 3)):
        try:
            os.kill(pid, number)
        except OSError:
            return
        deadline = time.monotonic() + patience  # noqa: TID251  the tests' own clock
        while time.monotonic() < deadline:  # noqa: TID251
            if not is_alive(pid):
                return
            time.sleep(0.02)
