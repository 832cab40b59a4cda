# SPDX-License-Identifier: Apache-2.0
"""The running program's name, as it appears in messages, log lines and file names.

`name` is set once by `set_name()`; `subprogram` is empty in the main process and
"monitor" in the process that `--monitor` leaves behind. Everything else reads them
through this module, so that a late change is seen everywhere. `called_by` is argv[0]
as it stands: getopt's error messages begin with it.
"""

from __future__ import annotations

name = "ovswitch"
called_by = "ovswitch"
subprogram = ""


def set_name(argv0: str) -> None:
    """Take the program's name from `argv[0]`: its last path component."""
    global called_by, name
    called_by = argv0
    name = argv0.rpartition("/")[2]


def set_subprogram(text: str) -> None:
    """Name the part of the program that runs in this process ("" for the main one)."""
    global subprogram
    subprogram = text


def prefix() -> str:
    """Return what error messages start with: "ovs-vsctl" or "ovsdb-server(monitor)"."""
    return f"{name}({subprogram})" if subprogram else name
