# SPDX-License-Identifier: Apache-2.0
"""The commands help and list-commands."""

from __future__ import annotations

from ovswitch.datapath import dpctl

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovswitch.datapath.dpctl.session import Session


def show_help(session: Session, _args: list[str]) -> None:
    """Show how to use the program."""
    if session.usage is not None:
        session.usage()


def list_commands(session: Session, _args: list[str]) -> None:
    """List the commands with their arguments."""
    session.print("The available commands are:\n")
    prefix = "dpctl/" if session.is_appctl else ""
    for command in dpctl.COMMANDS:
        if not (session.is_appctl and command.name == "help"):
            session.print(f"  {prefix}{command.name:<23} {command.usage}\n")
