# SPDX-License-Identifier: Apache-2.0
"""Sets of programs: a name, and directories that are searched in order."""

import os
import pathlib

from .case import Failure

ROOT = pathlib.Path(__file__).resolve().parents[3]
SCHEMA = ROOT / "ovswitch" / "ovsdb" / "vswitch.ovsschema"
DEFAULT_SETS = ("reference=/usr/sbin:/usr/bin", f"ours={ROOT / '.venv' / 'bin'}")


class Programs:
    """One set."""

    def __init__(self, name, directories):
        self.name = name
        self.directories = directories

    @classmethod
    def parse(cls, text):
        """Read NAME=DIR[:DIR...]. Raises: ValueError."""
        name, _, directories = text.partition("=")
        if not name or not directories:
            raise ValueError(f"{text}: expected NAME=DIR[:DIR...]")
        return cls(name, [os.path.abspath(d) for d in directories.split(":")])

    def find(self, program):
        for directory in self.directories:
            path = os.path.join(directory, program)
            if os.access(path, os.X_OK):
                return path
        raise Failure(f"set {self.name} has no {program}")
