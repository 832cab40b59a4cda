# SPDX-License-Identifier: Apache-2.0
"""Daemons as processes: detaching, pidfiles, the monitor, signals, the clock."""

import os
import re
import signal
import sys
from pathlib import Path

import pytest
from helpers.programs import Reference, is_alive, wait_until

TINY = Path(__file__).parent.parent / "helpers" / "tiny_daemon.py"


def tiny(run_dir, *options):
    return run_dir.run([sys.executable, TINY, *options])


def start(run_dir, *options):
    result = tiny(run_dir, "--detach", "--pidfile", "--log-file", *options)
    assert result.status == 0, result
    return run_dir.pid("tiny")


def parent(pid):
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def cmdline(pid):
    octets = Path(f"/proc/{pid}/cmdline").read_bytes()
    return octets.rstrip(b"\0").replace(b"\0", b" ").decode()


def test_the_parent_returns_when_the_daemon_serves(run_dir):
    pid = start(run_dir, "-vconsole:off")
    assert run_dir.appctl("-t", "tiny", "echo", "x").out == "x\n"
    assert os.readlink(f"/proc/{pid}/cwd") == "/"
    assert {os.readlink(f"/proc/{pid}/fd/{fd}") for fd in range(3)} == {"/dev/null"}


def test_the_daemons_early_exit_status_is_passed_on(run_dir):
    result = tiny(run_dir, "--detach", "--pidfile", "--fail-early")
    assert (result.status, result.err) == (7, "tiny: failing early\n")
    assert not list(run_dir.path.iterdir())
    result = tiny(run_dir, "--detach", "--monitor", "--pidfile", "--fail-early")
    assert (result.status, result.err) == (7, "tiny: failing early\n")


def test_a_second_daemon_is_refused_and_may_overwrite(run_dir):
    pid = start(run_dir, "-vconsole:off")
    result = tiny(run_dir, "--detach", "--pidfile")
    where = run_dir / "tiny.pid"
    assert result.status == 1
    assert result.err == f"tiny: {where}: already running as pid {pid}, aborting\n"
    assert run_dir.pid("tiny") == pid
    result = tiny(run_dir, "--detach", "--pidfile", "--overwrite-pidfile")
    assert result.status == 0
    second = run_dir.pid("tiny")
    assert second != pid
    run_dir.appctl("-t", "tiny", "exit", check=True)
    wait_until(lambda: not is_alive(second))
    os.kill(pid, signal.SIGTERM)
    wait_until(lambda: not is_alive(pid))


@pytest.mark.reference
def test_the_references_tools_respect_our_pidfile_and_we_theirs(run_dir):
    run_dir.start_ovsdb_server(Reference)
    result = tiny(run_dir, "--detach", "--pidfile=ovsdb-server.pid")
    assert "already running as pid" in result.err
    assert result.status == 1
    pid = start(run_dir, "-vconsole:off")
    server = Reference.path("ovsdb-server")
    (run_dir / "conf2.db").write_bytes((run_dir / "conf.db").read_bytes())
    words = [server, run_dir / "conf2.db", "--detach", "--pidfile=tiny.pid"]
    result = run_dir.run(words)
    assert f"already running as pid {pid}, aborting" in result.err


def test_a_stale_pidfile_is_replaced(run_dir):
    pid = start(run_dir, "-vconsole:off")
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not is_alive(pid))
    assert run_dir.appctl("-t", "tiny", "version").err.endswith("(No such process)\n")
    assert start(run_dir, "-vconsole:off") != pid


@pytest.mark.parametrize(
    ("number", "text"), [(15, "Terminated"), (2, "Interrupt"), (1, "Hangup")]
)
def test_a_fatal_signal_is_logged_cleans_up_and_kills(run_dir, number, text):
    child = run_dir.start(
        [sys.executable, TINY, "--pidfile", "--log-file", "-vconsole:off"]
    )
    wait_until(lambda: (run_dir / "tiny.log").exists())
    wait_until(lambda: "ready" in (run_dir / "tiny.log").read_text())
    child.send_signal(number)
    assert child.wait(10) == -number
    log = (run_dir / "tiny.log").read_text()
    assert f"|fatal_signal|WARN|terminating with signal {number} ({text})\n" in log
    assert [path.name for path in run_dir.path.iterdir()] == ["tiny.log"]


def test_the_monitor_restarts_a_crashed_daemon_and_ends_with_it(run_dir):
    pid = start(run_dir, "--monitor", "-vconsole:off")
    monitor = parent(pid)
    wait_until(lambda: cmdline(monitor) == f"tiny: monitoring pid {pid} (healthy)")
    assert cmdline(pid).startswith("tiny --detach --pidfile --log-file --monitor")
    assert Path(f"/proc/{pid}/comm").read_text() == "tiny\n"
    run_dir.appctl("-t", "tiny", "crash")
    wait_until(lambda: run_dir.pid("tiny") not in {None, pid})
    second = run_dir.pid("tiny")
    assert parent(second) == monitor
    crashed = f"1 crashes: pid {pid} died, killed (Aborted)"
    title = f"tiny: monitoring pid {second} ({crashed}"[:60]
    wait_until(lambda: cmdline(monitor).startswith(title))
    ready = "|vswitchd(tiny)|INFO|ready\n"  # the second one, once it has a pidfile
    wait_until(lambda: ready in (run_dir / "tiny.log").read_text())
    log = (run_dir / "tiny.log").read_text()
    assert f"|daemon_unix(monitor)|ERR|{crashed}, restarting\n" in log
    assert "|backtrace|EMER|task c failed: RuntimeError: as asked\n" in log
    wait_until(lambda: run_dir.appctl("-t", "tiny", "exit").status == 0)
    wait_until(lambda: not is_alive(monitor))
    log = (run_dir / "tiny.log").read_text()
    assert f"(monitor)|INFO|pid {second} died, exit status 0, exiting\n" in log
    assert all(re.match(r"[-\dT:.]{23}Z\|\d{5}\|", line) for line in log.splitlines())


def test_the_monitor_leaves_a_daemon_alone_that_was_killed(run_dir):
    pid = start(run_dir, "--monitor", "-vconsole:off")
    monitor = parent(pid)
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not is_alive(monitor))
    assert (
        f"pid {pid} died, killed (Killed), exiting"
        in (run_dir / "tiny.log").read_text()
    )


def test_stderr_of_a_failing_daemon_holds_only_log_lines(run_dir):
    child = run_dir.start([sys.executable, TINY, "--pidfile"], stderr=-1, text=True)
    wait_until(lambda: run_dir.appctl("-t", "tiny", "crash").status == 0)
    _, err = child.communicate(timeout=10)
    assert child.returncode == -signal.SIGABRT
    assert "as asked" in err
    assert all(
        re.match(r"[-\dT:]{19}Z\|\d{5}\|\w+\|", line) for line in err.splitlines()
    )


def test_time_can_be_stopped_and_warped(run_dir):
    start(run_dir, "--enable-dummy", "-vconsole:off")

    def appctl(*words):
        return run_dir.appctl("-t", "tiny", *words)

    assert appctl("time/stop").out == ""
    waiting = run_dir.start(
        [run_dir.env.get("PYTHON", sys.executable), "-c", _SLOW], stdout=-1, text=True
    )
    wait_until(lambda: "unixctl_received" in appctl("coverage/show").out)
    assert waiting.poll() is None
    assert appctl("time/warp", "3600000", "900000").out == "warped\n"
    wait_until(lambda: appctl("time/warp", "3600000").out and waiting.poll() == 0)
    assert waiting.stdout.read() == "(True, 'done\\n')\n"
    assert appctl("time/warp", "0").err.startswith("invalid MSECS\n")
    assert appctl("time/warp", "-5", "5").status == 2


_SLOW = """
from ovswitch.runtime import dirs, pidfile
from ovswitch.runtime.unixctl import client
pid = pidfile.read(dirs.rundir() + "/tiny.pid")
print(client.call(f"tiny.{pid}.ctl", "slow", ["3600000"]))
"""


def test_the_log_file_can_be_rotated(run_dir):
    start(run_dir, "-vconsole:off")
    log = run_dir / "tiny.log"
    log.rename(run_dir / "old")
    assert run_dir.appctl("-t", "tiny", "vlog/reopen").status == 0
    assert "|vlog|INFO|closing log file\n" in (run_dir / "old").read_text()
    assert f"|vlog|INFO|opened log file {log}\n" in log.read_text()
