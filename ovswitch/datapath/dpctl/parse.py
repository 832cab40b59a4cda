# SPDX-License-Identifier: Apache-2.0
"""The test command parse-actions."""

from __future__ import annotations

from ovswitch.datapath.odp.action_parse import parse_actions
from ovswitch.datapath.odp.action_text import format_actions
from ovswitch.datapath.odp.key_parse import OdpError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovswitch.datapath.dpctl.session import Session


def parse(session: Session, args: list[str]) -> None:
    """Read actions and show them again."""
    for text in args:
        try:
            actions = parse_actions(text)
        except OdpError as error:
            session.fail(error.errno, "odp_actions_from_string")
        session.print(f"{format_actions(actions)}\n")
