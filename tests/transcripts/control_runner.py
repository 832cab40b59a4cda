# SPDX-License-Identifier: Apache-2.0
"""Runs our ovs-vsctl and vtep-ctl without starting an interpreter each time.

Reads command lines as JSON arrays, one a line, runs each in a forked child, and writes
[status, stdout, stderr] as JSON.
"""

import io
import json
import os
import signal
import sys

from ovswitch.tools import ovs_vsctl, vsctl, vtep_ctl, vtepctl

PROGRAMS = {"ovs-vsctl": ovs_vsctl.main, "vtep-ctl": vtep_ctl.main}
PRELOADED = {
    vsctl: ("bridges", "datapaths", "ports", "run", "settings"),
    vtepctl: ("logical", "macs", "managers", "run", "switches"),
}


def in_child(words, pipes):
    status = 70
    signal.alarm(20)  # nothing here waits that long
    try:
        for number, (_, write) in enumerate(pipes, 1):
            os.dup2(write, number)
        sys.stdout = io.TextIOWrapper(io.FileIO(1, "w"), errors="surrogateescape")
        sys.stderr = io.TextIOWrapper(
            io.FileIO(2, "w"), errors="surrogateescape", write_through=True
        )
        try:
            status = PROGRAMS[words[0]](words)
        except SystemExit as end:
            status = end.code or 0
        sys.stdout.flush()
    finally:
        os._exit(status)


def run_command(words):
    pipes = [os.pipe(), os.pipe()]
    child = os.fork()
    if not child:
        in_child(words, pipes)
    for _, write in pipes:
        os.close(write)
    texts = []
    for read, _ in pipes:
        with open(read, "rb") as file:
            texts.append(file.read().decode("utf-8", "surrogateescape"))
    return [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), *texts]


for package, modules in PRELOADED.items():
    for module in modules:
        __import__(f"{package.__name__}.{module}")
for line in sys.stdin:
    print(json.dumps(run_command(json.loads(line))), flush=True)
