# SPDX-License-Identifier: Apache-2.0
"""The cases, in the order in which they run."""

from . import forwarding, flow_setup, flow_tables, database, commands, restart  # isort: skip

__all__ = [
    "commands",
    "database",
    "flow_setup",
    "flow_tables",
    "forwarding",
    "restart",
]
