# SPDX-License-Identifier: Apache-2.0
"""The forwarder's life: how it starts, what keeps it, what ends it."""

import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import pytest

from . import odp
from .lab import PROGRAM, wait_until


@pytest.fixture
def folder():
    path = tempfile.mkdtemp(prefix="ovs-forwarder-")
    yield Path(path)
    shutil.rmtree(path, ignore_errors=True)


def run(*arguments):
    return subprocess.run(
        [PROGRAM, *map(str, arguments)], capture_output=True, text=True, timeout=10
    )


def is_running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture
def daemon(folder):
    """A detached forwarder; its process id."""
    done = run("--rundir", folder, "--detach")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    pid = int((folder / "ovs-forwarder.pid").read_text())
    yield pid
    if is_running(pid):
        os.kill(pid, signal.SIGKILL)


def test_it_listens_when_the_parent_has_returned(daemon, folder):
    client = odp.Client(str(folder / "ovs-forwarder.sock"))
    assert client.request(odp.DATAPATH, odp.GET, 0, flags=odp.DUMP) == []
    client.close()
    assert Path(f"/proc/{daemon}/comm").read_text() == "ovs-forwarder\n"
    assert os.readlink(f"/proc/{daemon}/cwd") == "/"


def test_a_directory_has_only_one(daemon, folder):
    done = run("--rundir", folder)
    assert done.returncode == 1
    assert done.stderr == "ovs-forwarder: another one runs in this directory\n"
    done = run("--rundir", folder, "--detach")
    assert done.returncode == 1
    assert is_running(daemon)


def test_sigterm_ends_it_and_its_files(daemon, folder):
    os.kill(daemon, signal.SIGTERM)
    wait_until(lambda: not is_running(daemon))
    assert list(folder.iterdir()) == []


def test_it_ends_when_its_directory_is_gone(daemon, folder):
    shutil.rmtree(folder)
    wait_until(lambda: not is_running(daemon))


def test_it_starts_after_one_that_was_killed(daemon, folder):
    os.kill(daemon, signal.SIGKILL)
    wait_until(lambda: not is_running(daemon))
    done = run("--rundir", folder, "--detach")
    assert done.returncode == 0
    pid = int((folder / "ovs-forwarder.pid").read_text())
    assert pid != daemon
    os.kill(pid, signal.SIGTERM)
    wait_until(lambda: not is_running(pid))


def test_a_client_s_end_leaves_it(daemon, folder):
    for _ in range(3):
        client = odp.Client(str(folder / "ovs-forwarder.sock"))
        client.sock.send(b"nonsense" * 100)
        client.close()
    assert is_running(daemon)


@pytest.mark.root
def test_it_ends_with_its_last_datapath(daemon, folder):
    client = odp.Client(str(folder / "ovs-forwarder.sock"))
    names = [f"ovst{os.getpid()}{c}" for c in "ab"]
    for name in names:
        client.request(odp.DATAPATH, odp.NEW, 0, odp.string(1, name))
    client.request(odp.DATAPATH, odp.DEL, 1)
    assert is_running(daemon)
    client.request(odp.DATAPATH, odp.DEL, 2)
    wait_until(lambda: not is_running(daemon))
    client.close()


def test_a_long_directory_name(folder):
    long = folder / ("x" * 120)
    long.mkdir()
    assert run("--rundir", long, "--detach").returncode == 0
    pid = int((long / "ovs-forwarder.pid").read_text())
    assert (long / "ovs-forwarder.sock").is_socket()
    os.kill(pid, signal.SIGTERM)
    wait_until(lambda: not is_running(pid))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "--rundir is required; use --help for help"),
        (("--rundir", "/no/such/place"), "/no/such/place: No such file or directory"),
        (("--rundir", "/", "x"), "takes no arguments but options; use --help for help"),
        (("--rundir", "/", "--threads", "9"), "--threads: not a number from 1 to 7"),
    ],
)
def test_what_it_says_when_it_cannot_start(arguments, message):
    done = run(*arguments)
    assert (done.returncode, done.stderr) == (1, f"ovs-forwarder: {message}\n")


def test_help_and_version():
    assert "--rundir" in run("--help").stdout
    assert run("--version").stdout == "ovs-forwarder (Open vSwitch) 3.1.0\n"
