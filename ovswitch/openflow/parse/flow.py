# SPDX-License-Identifier: Apache-2.0
"""Flows as people write them: "table=0,priority=5,tcp,actions=output:1".

A flow becomes a `FlowMod`, along with the set of protocols that can say all of it.
Lists of actions and plain fields are remembered by their text, since files of flows
repeat them.

Source: ovs-ofctl(8) "Flow Syntax"; the reference's ofp-flow.c for the texts.
"""

from __future__ import annotations

from ovswitch.flow import access, prereqs, values
from ovswitch.flow import parse as match_text
from ovswitch.flow.fields import FIELDS
from ovswitch.flow.layout import SLOTS
from ovswitch.flow.match import MATCH_ALL, Match
from ovswitch.flow.numbers import scan_sized
from ovswitch.openflow import protocol
from ovswitch.openflow.actions import checks, context, subfield
from ovswitch.openflow.actions.text import parse_list
from ovswitch.openflow.errors import OpenFlowError
from ovswitch.openflow.messages.flow_mod import (
    OFPFC_ADD,
    OFPFC_DELETE,
    OFPFC_DELETE_STRICT,
    OFPFC_MODIFY,
    OFPFC_MODIFY_STRICT,
    FlowMod,
)
from ovswitch.openflow.parse.tokens import (
    ParseError,
    key_values,
    u16,
    u64,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ovswitch.flow.fields import Field
    from ovswitch.flow.names import Names
    from ovswitch.openflow.actions.action import Action

    _FieldKey = tuple[int, str, Names | None]

#: `command` of `parse_flow()`: a request for statistics; whatever the text begins with.
REQUEST, BY_TEXT = -1, -2

OFPG_ANY = 0xFFFFFFFF
OFPG_ALL = 0xFFFFFFFC
DEFAULT_PRIORITY = 0x8000
ALL_TABLES = 0xFF
NO_COOKIE = 0xFFFFFFFFFFFFFFFF

_COMMANDS = (
    ("add", OFPFC_ADD),
    ("delete", OFPFC_DELETE),
    ("delete_strict", OFPFC_DELETE_STRICT),
    ("modify", OFPFC_MODIFY),
    ("modify_strict", OFPFC_MODIFY_STRICT),
)
_COMMANDS_BEGIN = "adm, "  # a separator: an empty word is short for each command
_MODIFIES = (OFPFC_MODIFY, OFPFC_MODIFY_STRICT)

# What may be said with which command.
_OUT_PORT, _ACTIONS, _IMPORTANCE, _TIMEOUT, _PRIORITY, _FLAGS = (
    1 << bit for bit in range(6)
)
_CHANGES = _ACTIONS | _TIMEOUT | _PRIORITY | _FLAGS
_ALLOWED = {
    REQUEST: _OUT_PORT,
    OFPFC_ADD: _CHANGES | _IMPORTANCE,
    OFPFC_DELETE: _OUT_PORT,
    OFPFC_DELETE_STRICT: _OUT_PORT | _PRIORITY,
    OFPFC_MODIFY: _CHANGES,
    OFPFC_MODIFY_STRICT: _CHANGES,
}
_FLAG_WORDS = {
    "send_flow_rem": (1 << 0, protocol.ANY),
    "check_overlap": (1 << 1, protocol.ANY),
    "reset_counts": (1 << 2, protocol.OF12_UP),
    "no_packet_counts": (1 << 3, protocol.OF13_UP),
    "no_byte_counts": (1 << 4, protocol.OF13_UP),
}
_NUMBERS = {
    "priority": _PRIORITY,
    "idle_timeout": _TIMEOUT,
    "hard_timeout": _TIMEOUT,
    "importance": _IMPORTANCE,
}
_OLD_WORDS = ("no_readonly_table", "allow_hidden_fields")
_STATISTICS = ("duration", "n_packets", "n_bytes", "idle_age", "hard_age")

_IP_PIECES = sum(
    SLOTS[name].mask for name in ("nw_proto", "nw_tos", "tp_src", "tp_dst")
)

_MAX_REMEMBERED = 4096
_actions: dict[tuple[str, Names | None], tuple[tuple[Action, ...], int]] = {}
# By field and text: value and mask that a match gets, the protocols that can say it.
_fields: dict[_FieldKey, tuple[int, int, int]] = {}


def split_actions(text: str) -> tuple[str, str | None]:
    """Return what stands before "actions=" and what follows it (None if missing)."""
    at = text.find("action")
    if at < 0:
        return text, None
    equals = text.find("=", at + 1)
    return text[:at], text[equals + 1 :] if equals >= 0 else None


def _pairs(text: str) -> Iterable[tuple[str, str]]:
    """Split into keys and values; fast where there are no parentheses."""
    if "(" in text:
        return key_values(text)
    if " " in text or "\t" in text or "\n" in text or "\r" in text:
        text = ",".join(text.split())
    pairs = []
    for piece in text.split(","):
        key, equals, value = piece.partition("=")
        if ":" in key:
            key, equals, value = piece.partition(":")
        if key or equals:
            pairs.append((key, value))
    return pairs


class _Reader:
    """One flow that is being read."""

    __slots__ = ("allowed", "flow", "match", "names", "parsing", "protocols")

    def __init__(self, command: int, names: Names | None) -> None:
        self.flow = FlowMod()
        self.flow.command = command
        self.flow.table_id = ALL_TABLES
        if command in _MODIFIES:
            self.flow.new_cookie = NO_COOKIE
        self.allowed = _ALLOWED[command]
        self.match = MATCH_ALL
        self.names = names
        self.parsing = context.Parsing(names)
        self.protocols = protocol.ANY

    def read(self, name: str, value: str) -> None:
        """Take one key and its value."""
        field = FIELDS.get(name)
        if field is not None:
            self._read_field(field, value)
            return
        with_protocol = match_text.set_protocol(self.match, name)
        if with_protocol is not None:
            self.match = with_protocol
            return
        flag = _FLAG_WORDS.get(name)
        if flag is not None and self.allowed & _FLAGS:
            self.flow.flags |= flag[0]
            self.protocols &= flag[1]
        elif name in _OLD_WORDS:
            pass
        elif "[" in name:
            self._read_subfield(name, value)
        elif not value:
            raise ParseError(f"field {name} missing value")
        else:
            self._read_attribute(name, value)

    def _read_field(self, field: Field, text: str) -> None:
        names, match = self.names, self.match
        if field.index in access.SPECIAL:
            ports = names.ports if names else None
            self.match, mask = match_text.set_field(match, field, text, ports)
            self.protocols &= protocol.for_field(field, mask)
            return
        key = (field.index, text, names)
        value, mask, protocols = _fields.get(key) or _remember_field(key, field)
        kept = match.mask & ~field.mask
        self.match = Match(match.value & kept | value, kept | mask, match.tun)
        self.protocols &= protocols

    def _read_subfield(self, name: str, text: str) -> None:
        part = subfield.parse(name)
        field = part.field
        try:
            bits, end = scan_sized(text, 0, field.n_bytes)
        except ValueError:
            end = -1
        if end != len(text):
            raise ParseError(f"{name}: cannot parse integer value: {text}")
        if bits >> part.n_bits:
            shown = values.format_value(field, bits)
            raise ParseError(
                f"{name}: value {shown} does not fit into {part.n_bits} bits"
            )
        self.match = match_text.set_bits(self.match, field, part.ofs, part.n_bits, bits)
        mask = part.bits()
        if mask == field.ones:
            mask = values.ones(field)
        self.protocols &= protocol.for_field(field, mask)

    def _read_attribute(self, name: str, value: str) -> None:
        flow = self.flow
        needed = _NUMBERS.get(name)
        if needed is not None and self.allowed & needed:
            setattr(flow, name, u16(value, name))
        elif name == "table":
            table = self.parsing.table(value)
            if table is None:
                raise ParseError(f'unknown table "{value}"')
            flow.table_id = table
            if table != ALL_TABLES:
                self.protocols &= protocol.TID
        elif name == "cookie":
            self._read_cookie(value)
        elif name in ("out_port", "out_group") and self.allowed & _OUT_PORT:
            self._read_output(name, value)
        elif name not in _STATISTICS:
            raise ParseError(f"unknown keyword {name}")

    def _read_output(self, name: str, value: str) -> None:
        if name == "out_port":
            port = self.parsing.port(value)
            if port is None:
                raise ParseError(f"{value} is not a valid OpenFlow port")
            self.flow.out_port = port
            return
        self.protocols &= protocol.OF11_UP
        self.flow.out_group = parse_group(value)

    def _read_cookie(self, value: str) -> None:
        flow = self.flow
        cookie, slash, mask = value.partition("/")
        if slash:
            if flow.command == OFPFC_ADD:
                raise ParseError("flow additions cannot use a cookie mask")
            flow.cookie, flow.cookie_mask = u64(cookie), u64(mask)
            if flow.cookie_mask:
                self.protocols &= protocol.NXM_OF11_UP
        elif not self.allowed & _ACTIONS:
            raise ParseError(
                "cannot set cookie (to match on a cookie, specify a mask, e.g. "
                f"cookie={value}/-1)"
            )
        else:
            flow.new_cookie = u64(value)
            flow.modify_cookie = True

    def finish(self, actions: str | None) -> FlowMod:
        """Put the pieces together and check them."""
        flow, match = self.flow, self.match
        is_ipv6 = prereqs.dl_type(match.value) == prereqs.ETH_TYPE_IPV6
        if is_ipv6 and match.mask & _IP_PIECES:
            self.protocols &= protocol.NXM_OXM_ANY
        if flow.new_cookie == NO_COOKIE and not flow.cookie_mask:
            flow.new_cookie = 0 if flow.command in _MODIFIES else NO_COOKIE
        flow.match = match
        if actions is not None:
            flow.actions = self._check(*parse_actions(actions, self.names))
        return flow

    def _check(self, actions: tuple[Action, ...], protocols: int) -> tuple[Action, ...]:
        self.protocols &= protocols
        try:
            actions, protocols = checks.usable_protocols(
                actions, self.flow.match, table_id=self.flow.table_id
            )
            self.protocols &= protocols
            if not self.protocols:
                raise OpenFlowError("OFPBAC_MATCH_INCONSISTENT")
        except OpenFlowError as error:
            raise ParseError(
                f"actions are invalid with specified match ({error.name})"
            ) from None
        return actions


def _remember_field(key: _FieldKey, field: Field) -> tuple[int, int, int]:
    """Read a plain field and remember what it says."""
    _, text, names = key
    ports = names.ports if names else None
    match, wire_mask = match_text.set_field(MATCH_ALL, field, text, ports)
    if len(_fields) >= _MAX_REMEMBERED:
        _fields.clear()
    known = match.value, match.mask, protocol.for_field(field, wire_mask)
    _fields[key] = known
    return known


def parse_actions(
    text: str, names: Names | None = None
) -> tuple[tuple[Action, ...], int]:
    """Return actions and instructions, and the protocols that can say them.

    Raises:
        ParseError: with the text for the user.
    """
    known = _actions.get((text, names))
    if known is None:
        parsing = context.Parsing(names)
        actions = parse_list(text, parsing, True)
        known = actions, parsing.protocols
        if len(_actions) >= _MAX_REMEMBERED:
            _actions.clear()
        _actions[text, names] = known
    return known


def parse_group(text: str) -> int:
    """Return the group that `text` means: a number, "any" or "all"."""
    word = text.lower()
    if word in ("any", "all"):
        return OFPG_ANY if word == "any" else OFPG_ALL
    if text.isascii() and text.isdigit() and int(text) <= OFPG_ANY:
        return int(text)
    from ovswitch.runtime import vlog

    vlog.Module("ofp_group").warn(
        "%s is not a valid group ID.  (Valid group IDs are 32-bit nonnegative "
        "integers or the keywords ANY or ALL.)",
        text,
    )
    raise ParseError(f"{text} is not a valid OpenFlow group")


def _leading_command(text: str) -> tuple[int, str]:
    """Return the command that `text` begins with (ADD by default), and the rest."""
    text = text.lstrip(" \t\r\n")
    if text and text[0] not in _COMMANDS_BEGIN:
        return OFPFC_ADD, text
    end = next((at for at, char in enumerate(text) if char in ", \t\r\n"), len(text))
    word = text[:end]
    for name, command in _COMMANDS:
        if name.startswith(word):
            return command, text[end:]
    return OFPFC_ADD, text


def parse_flow(
    text: str, command: int, names: Names | None = None
) -> tuple[FlowMod, int]:
    """Return the flow that `text` describes, and the protocols that can say it.

    Args:
        text: keys and values.
        command: OFPFC_*, REQUEST, or BY_TEXT.
        names: of ports and tables.

    Raises:
        ValueError: with the text for the user.
    """
    if command == BY_TEXT:
        command, text = _leading_command(text)
    reader = _Reader(command, names)
    actions = None
    if reader.allowed & _ACTIONS:
        text, actions = split_actions(text)
        if actions is None:
            raise ParseError("must specify an action")
    for name, value in _pairs(text):
        reader.read(name, value)
    return reader.finish(actions), reader.protocols


def parse_flow_mod(
    text: str, command: int, names: Names | None = None
) -> tuple[FlowMod, int]:
    """Do as `parse_flow()`, and tell the log what the switch will ignore."""
    from ovswitch.flow.normalize import normalize

    flow, protocols = parse_flow(text, command, names)
    normal = normalize(flow.match)
    if normal is not flow.match:
        tell_normalized(flow.match, normal)
    return flow, protocols


def tell_normalized(before: Match, after: Match) -> None:
    """Log that a match lost what it couldn't say."""
    from ovswitch.flow.text import format_match
    from ovswitch.runtime import vlog

    global _limit
    log = vlog.Module("ofp_match")
    if _limit is None:
        _limit = vlog.RateLimit(1, 5)
    if log.should_drop(_limit, vlog.INFO):
        return
    log.info("normalization changed ofp_match, details:")
    log.info(" pre: %s", format_match(before))
    log.info("post: %s", format_match(after))


if TYPE_CHECKING:
    from ovswitch.runtime import vlog
_limit: vlog.RateLimit | None = None


def parse_flow_request(text: str, names: Names | None = None) -> tuple[FlowMod, int]:
    """Return which flows a request for statistics asks for.

    The parts that count are match, cookie, cookie_mask, out_port, out_group and
    table_id.

    Raises:
        ValueError: with the text for the user.
    """
    flow, protocols = parse_flow(text, REQUEST, names)
    if protocols & protocol.OF10_STD_TID:
        protocols |= protocol.OF10_STD  # requests have always named a table
    if protocols & protocol.OF10_NXM_TID:
        protocols |= protocol.OF10_NXM
    return flow, protocols
