# SPDX-License-Identifier: Apache-2.0
"""Runs our tools many times without starting an interpreter each time.

As a module: `Forked(env)` is such a runner, in a process of its own. As a program: it
reads requests, one JSON object a line, runs each in a forked child with its outputs
in files, and writes the exit status.
"""

import io
import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

PATIENCE = 8  # seconds, after which a program is killed
PRELOADED = (
    "ovswitch.tools.ovsdb_tool",
    "ovswitch.tools.ovsdb_client",
    "ovswitch.tools.ovs_appctl",
    "ovswitch.ovsdb.client.dump",
    "ovswitch.ovsdb.client.lock",
    "ovswitch.ovsdb.client.monitor",
    "ovswitch.ovsdb.client.schema_commands",
    "ovswitch.ovsdb.cluster_check",
    "ovswitch.ovsdb.cluster_create",
    "ovswitch.ovsdb.cluster_show",
    "ovswitch.ovsdb.offline",
)


class Forked:
    """Runs `ovswitch.tools` programs in children of one small process."""

    def __init__(self, env):
        self._files = tempfile.TemporaryDirectory(prefix="ovswitch-forked-")
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, words, folder, stdin="/dev/null", stdout=None):
        """Run a program; return its status and what it wrote to stdout and stderr."""
        out = stdout or f"{self._files.name}/out"
        err = f"{self._files.name}/err"
        request = [[str(word) for word in words], str(folder), stdin, out, err]
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        status = json.loads(self._process.stdout.readline())
        texts = [
            Path(path).read_bytes().decode("utf-8", "surrogateescape")
            for path in (out, err)
        ]
        return status, "" if stdout else texts[0], texts[1]

    def close(self):
        """End the process."""
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()
        self._files.cleanup()


def in_child(words, folder, *paths):
    status = 70
    try:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        os.chdir(folder)
        for number, path in enumerate(paths):
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC if number else os.O_RDONLY
            os.dup2(os.open(path, flags), number)
        sys.stdin = io.TextIOWrapper(io.FileIO(0), errors="surrogateescape")
        sys.stdout = io.TextIOWrapper(io.FileIO(1, "w"), errors="surrogateescape")
        sys.stderr = io.TextIOWrapper(
            io.FileIO(2, "w"), errors="surrogateescape", write_through=True
        )
        name = words[0].replace("-", "_")
        try:
            status = sys.modules[f"ovswitch.tools.{name}"].main(words)
        except SystemExit as end:
            status = end.code or 0
        sys.stdout.flush()
    except BaseException:
        import traceback

        traceback.print_exc()
        status = 71
    finally:
        os._exit(status)


def serve():
    for name in PRELOADED:
        __import__(name)
    for line in sys.stdin:
        request = json.loads(line)
        child = os.fork()
        if not child:
            in_child(*request)
        signal.signal(signal.SIGALRM, lambda *_args, pid=child: os.kill(pid, 9))
        signal.alarm(PATIENCE)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        signal.alarm(0)
        print(json.dumps(status), flush=True)


if __name__ == "__main__":
    serve()
