# SPDX-License-Identifier: Apache-2.0
"""File names and error texts, as `ovs.util`."""

from __future__ import annotations

import os
import sys

from ovswitch.runtime import dirs, fatal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

    from ovswitch.bindings.vlog import Vlog

PROGRAM_NAME = os.path.basename(sys.argv[0]) if sys.argv else ""
EOF = fatal.EOF


def abs_file_name(dir_: str | None, file_name: str) -> str:
    """Return `file_name` if it is absolute, otherwise inside `dir_`."""
    return dirs.abs_file_name(dir_ or "", file_name)


def ovs_retval_to_string(retval: int) -> str:
    """Return the text of an error number, of EOF, or "" for 0."""
    return fatal.retval_text(retval) if retval else ""


def ovs_error(err_no: int, message: str, vlog: Vlog | None = None) -> None:
    """Print an error as "PROGRAM: message (text of the number)" and log it."""
    text = f"{PROGRAM_NAME}: {message}"
    if err_no:
        text += f" ({ovs_retval_to_string(err_no)})"
    sys.stderr.write(f"{text}\n")
    if vlog is not None:
        vlog.err(text)


def ovs_fatal(err_no: int, message: str, vlog: Vlog | None = None) -> NoReturn:
    """Print and log an error and exit with status 1."""
    ovs_error(err_no, message, vlog)
    sys.exit(1)
