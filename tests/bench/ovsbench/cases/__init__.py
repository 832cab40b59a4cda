# SPDX-License-Identifier: Apache-2.0
"""The cases, in the order in which they run."""

from . import forwarding, flow_setup, flow_tables, database, database_scale  # isort: skip
from . import commands, restart

__all__ = [
    "commands",
    "database",
    "database_scale",
    "flow_setup",
    "flow_tables",
    "forwarding",
    "restart",
]
