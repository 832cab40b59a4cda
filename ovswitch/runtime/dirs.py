# SPDX-License-Identifier: Apache-2.0
"""Where the programs keep their sockets, databases, logs and configuration.

Each folder has a default and an environment variable that overrides it (ovs-vsctl(8)
and others, "FILES"). The environment is read at every call: tests and embedding
programs may change it.
"""

from __future__ import annotations

import posix


def environment(name: str) -> str:
    """Return an environment variable, "" when it is unset."""
    return posix.environ.get(name.encode(), b"").decode("utf-8", "surrogateescape")


def set_environment(name: str, text: str) -> None:
    """Set a variable for this process (as this module sees it)."""
    posix.environ[name.encode()] = text.encode("utf-8", "surrogateescape")


def rundir() -> str:
    """Return the folder of pidfiles and sockets."""
    return environment("OVS_RUNDIR") or "/var/run/openvswitch"


def logdir() -> str:
    """Return the folder of log files."""
    return environment("OVS_LOGDIR") or "/var/log/openvswitch"


def dbdir() -> str:
    """Return the folder of databases; it follows OVS_SYSCONFDIR unless set itself."""
    own = environment("OVS_DBDIR")
    if own:
        return own
    if b"OVS_SYSCONFDIR" in posix.environ:
        return environment("OVS_SYSCONFDIR") + "/openvswitch"
    return "/etc/openvswitch"


def sysconfdir() -> str:
    """Return the folder of the system's configuration."""
    return environment("OVS_SYSCONFDIR") or "/etc"


def pkgdatadir() -> str:
    """Return the folder of read-only data: schemas."""
    return environment("OVS_PKGDATADIR") or "/usr/share/openvswitch"


def bindir() -> str:
    """Return the folder of programs."""
    return environment("OVS_BINDIR") or "/usr/bin"


def abs_file_name(folder: str, name: str) -> str:
    """Return `name` if it is absolute, otherwise `name` inside `folder`.

    An empty `folder` stands for the current one.
    """
    if name.startswith("/"):
        return name
    if folder:
        return f"{folder}/{name}"
    try:
        return f"{posix.getcwd()}/{name}"
    except OSError:
        return name
