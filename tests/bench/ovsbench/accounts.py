# SPDX-License-Identifier: Apache-2.0
"""What a run costs: CPU time and memory of everything that belongs to it.

A process belongs to a run when the run's OVS_RUNDIR stands in its environment. That
finds daemons, their children, and helpers that have detached themselves, which must
not escape the accounts. /proc is read anew each time, so no pid is ever trusted
after its process has gone.
"""

import contextlib
import os
import pathlib
import signal
import time

_TICK = 1 / os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
# Positions in /proc/PID/stat after the name: proc(5) counts from 1, and from 3 there.
_STATE, _REAPED_USER, _REAPED_SYSTEM, _RESIDENT = 0, 13, 14, 21


class Accounts:
    """The processes with one entry (NAME=VALUE) in their environment."""

    def __init__(self, entry):
        self._entry = entry.encode()

    def pids(self):
        """The living ones; a zombie has no environment and doesn't count."""
        found = []
        for folder in os.listdir("/proc"):
            if folder.isdigit():
                with contextlib.suppress(OSError):
                    octets = pathlib.Path("/proc", folder, "environ").read_bytes()
                    if self._entry in octets.split(b"\0"):
                        found.append(int(folder))
        return found

    def cpu_seconds(self):
        """User and system time so far, of all threads and of ended children."""
        seconds = 0.0
        for pid in self.pids():
            with contextlib.suppress(OSError):
                fields = _stat(pid)
                ended = int(fields[_REAPED_USER]) + int(fields[_REAPED_SYSTEM])
                seconds += ended * _TICK + time.clock_gettime(_cpu_clock(pid))
        return seconds

    def megabytes(self):
        """Resident memory."""
        pages = 0
        for pid in self.pids():
            with contextlib.suppress(OSError):
                pages += int(_stat(pid)[_RESIDENT])
        return pages * _PAGE / 1e6

    def end(self, grace=5):
        """End them all: first with SIGTERM, what is left then with SIGKILL."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            for pid in self.pids():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
            deadline = time.perf_counter() + grace
            while self.pids() and time.perf_counter() < deadline:
                time.sleep(0.02)


@contextlib.contextmanager
def on_one_cpu():
    """Keep the harness, and all that it starts meanwhile, on one CPU.

    A client and a server that take turns on two CPUs mostly wake each other, at a
    cost that hangs on the scheduler and the virtual machine.
    """
    cpus = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {generator_cpu()})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cpus)


def generator_cpu():
    """The last CPU: the packet generator has it to itself where there are two."""
    return max(os.sched_getaffinity(0))


def switch_cpus():
    """The CPUs that a switch may use beside a packet generator."""
    cpus = os.sched_getaffinity(0)
    return cpus - {generator_cpu()} or cpus


def _stat(pid):
    text = pathlib.Path(f"/proc/{pid}/stat").read_text()
    return text.rpartition(")")[2].split()


def _cpu_clock(pid):
    """The id of a process's CPU clock, as clock_getcpuclockid(3) computes it.

    Unlike utime and stime in /proc it doesn't move in steps of 10 ms.
    """
    return ~pid << 3 | 2
