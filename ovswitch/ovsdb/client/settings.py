# SPDX-License-Identifier: Apache-2.0
"""What ovsdb-client's options say, for all of its commands."""

from __future__ import annotations

import sys

from ovswitch.ovsdb.output import Style
from ovswitch.runtime import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovswitch.runtime.daemon import Daemon

style = Style("table")
timestamp = False
force = False
leader_only = True
# Whether to tell the server that we follow changes of databases: None if it knows how.
db_change_aware: bool | None = None
# The daemon options, once one was given.
daemon: Daemon | None = None


def write(text: str) -> None:
    """Print on stdout at once."""
    sys.stdout.buffer.write(text.encode("utf-8", "surrogateescape"))
    sys.stdout.flush()


def write_json(value: object) -> None:
    """Print JSON on a line, or indented if --pretty."""
    write(json.to_string(value, sort=True, pretty=style.pretty) + "\n")


def detaches() -> bool:
    """Return whether the program is to go on in the background."""
    return daemon is not None and daemon.detach


def start_daemon(*, keep_stderr: bool) -> None:
    """Detach if asked to, keeping the standard streams that are wanted."""
    if daemon is not None:
        daemon.save_fd(1)
        if keep_stderr:
            daemon.save_fd(2)
        daemon.start()


def complete_daemon() -> None:
    """Let the program that the user started end: we serve."""
    if daemon is not None:
        daemon.complete()
