# SPDX-License-Identifier: Apache-2.0
"""A request to change flow tables, as `FlowTables.apply()` takes it.

The OpenFlow message of the same name has these attributes, and so does what the switch
asks of itself (default flows, `learn`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from ovswitch.flow.match import MATCH_ALL

if TYPE_CHECKING:
    from ovswitch.flow.match import Match
    from ovswitch.openflow.actions.types import Action

ADD, MODIFY, MODIFY_STRICT, DELETE, DELETE_STRICT = range(5)

NO_BUFFER = 0xFFFFFFFF
OFPP_ANY = 0xFFFF  # in 16-bit form; as an output port it selects every rule
OFPG_ANY = 0xFFFFFFFF


class FlowModLike(Protocol):
    """What `FlowTables.apply()` reads."""

    command: int
    match: Match
    priority: int
    table_id: int
    cookie: int
    cookie_mask: int
    new_cookie: int
    modify_cookie: bool
    idle_timeout: int
    hard_timeout: int
    flags: int
    importance: int
    buffer_id: int
    out_port: int
    out_group: int
    actions: tuple[Action, ...]


class FlowMod:
    """A change of flow tables.

    Attributes:
        cookie, cookie_mask: which rules modify and delete apply to.
        new_cookie: of a new rule; all ones for "don't add one" in modify.
        modify_cookie: whether modify also changes the cookies.
        internal: asked for by the switch itself, which may touch read-only tables.
    """

    __slots__ = (
        "actions", "buffer_id", "command", "cookie", "cookie_mask", "flags",
        "hard_timeout", "idle_timeout", "importance", "match", "modify_cookie",
        "new_cookie", "out_group", "out_port", "priority", "table_id",
    )  # fmt: skip

    def __init__(
        self,
        command: int = ADD,
        match: Match = MATCH_ALL,
        priority: int = 0x8000,
        actions: tuple[Action, ...] = (),
        *,
        table_id: int = 0,
        cookie: int = 0,
        cookie_mask: int = 0,
        new_cookie: int = 0,
        modify_cookie: bool = False,
        idle_timeout: int = 0,
        hard_timeout: int = 0,
        flags: int = 0,
        importance: int = 0,
        out_port: int = OFPP_ANY,
        out_group: int = OFPG_ANY,
    ) -> None:
        self.command = command
        self.match = match
        self.priority = priority
        self.actions = actions
        self.table_id = table_id
        self.cookie = cookie
        self.cookie_mask = cookie_mask
        self.new_cookie = new_cookie
        self.modify_cookie = modify_cookie
        self.idle_timeout = idle_timeout
        self.hard_timeout = hard_timeout
        self.flags = flags
        self.importance = importance
        self.buffer_id = NO_BUFFER
        self.out_port = out_port
        self.out_group = out_group
