# SPDX-License-Identifier: Apache-2.0
"""Control flow in the pipeline, and annotations."""

from __future__ import annotations

import struct

from ovswitch.flow.fields import FIELDS
from ovswitch.flow.names import OFPP_IN_PORT, OFPP_NONE
from ovswitch.openflow.actions import raws
from ovswitch.openflow.actions.action import Action
from ovswitch.openflow.actions.colors import colors
from ovswitch.openflow.actions.controller import format_hex
from ovswitch.openflow.errors import OpenFlowError
from ovswitch.openflow.parse.tokens import (
    SPACES,
    ParseError,
    hex_octets,
    key_values,
    scan_int,
    u16,
    u32,
)
from ovswitch.openflow.protocol import ANY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovswitch.openflow.actions.action import Decoder, Parser
    from ovswitch.openflow.actions.context import Checking, Parsing, Printing

IPPROTO_TCP = 6
THIS_TABLE = 0xFF

# Resubmit.form: which wire form it came in.
RESUBMIT, RESUBMIT_TABLE = 1, 0

NX_ACTION_SAMPLE_DEFAULT, NX_ACTION_SAMPLE_INGRESS, NX_ACTION_SAMPLE_EGRESS = 0, 1, 2

MIN_CLAUSES, MAX_CLAUSES = 2, 64

_U16_2 = struct.Struct("!HH")
_RESUBMIT = struct.Struct("!HB3s")
_CONJUNCTION = struct.Struct("!BBI")
_SAMPLE = struct.Struct("!HIII")
_SAMPLE2 = struct.Struct("!HIIIHB")

#: Whether debug_recirc and debug_slow are accepted on the wire (--enable-dummy).
debugging = False


def enable_debugging() -> None:
    """Accept the actions that only tests use."""
    global debugging
    debugging = True


class Resubmit(Action):
    """Search a table as if the packet came from `in_port`.

    Attributes:
        in_port: OFPP_IN_PORT: where it came from.
        table_id: THIS_TABLE: the one that the flow is in.
        with_ct_orig: whether the connection's original direction counts as the packet's
            addresses and ports.
        form: RESUBMIT if it came in the older of two wire forms.
    """

    __slots__ = ("form", "in_port", "table_id", "with_ct_orig")
    keyword = "resubmit"

    def __init__(
        self,
        in_port: int,
        table_id: int = THIS_TABLE,
        with_ct_orig: bool = False,
        form: int = RESUBMIT_TABLE,
    ) -> None:
        self.in_port = in_port
        self.table_id = table_id
        self.with_ct_orig = with_ct_orig
        self.form = form

    def encode(self, version: int) -> bytes:  # noqa: D102
        if self.table_id == THIS_TABLE and self.form == RESUBMIT:
            return raws.put_number("resubmit", version, self.in_port)
        name = "resubmit_table_ct" if self.with_ct_orig else "resubmit_table"
        body = _RESUBMIT.pack(self.in_port, self.table_id, b"")
        return raws.put(name, version, body)

    def format(self, printing: Printing) -> str:  # noqa: D102
        port = "" if self.in_port == OFPP_IN_PORT else printing.port(self.in_port)
        if port and self.table_id == THIS_TABLE:
            return f"{colors.special}resubmit:{colors.end}{port}"
        table = ""
        if self.table_id != THIS_TABLE:
            table = printing.table(self.table_id)
        ct = ",ct" if self.with_ct_orig else ""
        paren, end = colors.paren, colors.end
        return f"{paren}resubmit({end}{port},{table}{ct}{paren}){end}"

    def check(self, checking: Checking) -> Action:  # noqa: D102
        if self.with_ct_orig and not checking.has_prereqs(FIELDS["ct_nw_proto"]):
            raise OpenFlowError("OFPBAC_MATCH_INCONSISTENT")
        return self


class Clone(Action):
    """Do `actions` to a copy of the packet and of the pipeline's state."""

    __slots__ = ("actions",)
    keyword = "clone"

    def __init__(self, actions: tuple[Action, ...]) -> None:
        self.actions = actions

    def encode(self, version: int) -> bytes:  # noqa: D102
        body = b"".join([action.encode(version) for action in self.actions])
        return raws.put("clone", version, bytes(6) + body)

    def format(self, printing: Printing) -> str:  # noqa: D102
        from ovswitch.openflow.actions.text import format_list

        paren, end = colors.paren, colors.end
        inner = format_list(self.actions, printing)
        return f"{paren}clone({end}{inner}{paren}){end}"

    def check(self, checking: Checking) -> Action:  # noqa: D102
        from ovswitch.openflow.actions.checks import check_nested

        actions = check_nested(self.actions, checking)
        return self if actions is self.actions else Clone(actions)


class Exit(Action):
    """End the pipeline."""

    __slots__ = ()
    keyword = "exit"

    def encode(self, version: int) -> bytes:  # noqa: D102
        return raws.put("exit", version)

    def format(self, printing: Printing) -> str:  # noqa: D102
        return f"{colors.special}exit{colors.end}"


class FinTimeout(Action):
    """Shorten the flow's timeouts when a TCP connection ends."""

    __slots__ = ("fin_hard_timeout", "fin_idle_timeout")
    keyword = "fin_timeout"

    def __init__(self, fin_idle_timeout: int = 0, fin_hard_timeout: int = 0) -> None:
        self.fin_idle_timeout = fin_idle_timeout
        self.fin_hard_timeout = fin_hard_timeout

    def encode(self, version: int) -> bytes:  # noqa: D102
        body = _U16_2.pack(self.fin_idle_timeout, self.fin_hard_timeout)
        return raws.put("fin_timeout", version, body)

    def format(self, printing: Printing) -> str:  # noqa: D102
        paren, param, end = colors.paren, colors.param, colors.end
        parts = []
        if self.fin_idle_timeout:
            parts.append(f"{param}idle_timeout={end}{self.fin_idle_timeout}")
        if self.fin_hard_timeout:
            parts.append(f"{param}hard_timeout={end}{self.fin_hard_timeout}")
        return f"{paren}fin_timeout({end}{','.join(parts)}{paren}){end}"

    def check(self, checking: Checking) -> Action:  # noqa: D102
        if checking.nw_proto != IPPROTO_TCP:
            checking.inconsistent()
        return self


class Conjunction(Action):
    """Be part `clause` (from 0) of the `n_clauses` of conjunctive match `id`."""

    __slots__ = ("clause", "id", "n_clauses")
    keyword = "conjunction"

    def __init__(self, clause: int, n_clauses: int, id: int) -> None:  # noqa: A002
        self.clause = clause
        self.n_clauses = n_clauses
        self.id = id

    def encode(self, version: int) -> bytes:  # noqa: D102
        body = _CONJUNCTION.pack(self.clause, self.n_clauses, self.id)
        return raws.put("conjunction", version, body)

    def format(self, printing: Printing) -> str:  # noqa: D102
        paren, end = colors.paren, colors.end
        return (
            f"{paren}conjunction({end}{self.id},{self.clause + 1}/{self.n_clauses}"
            f"{paren}){end}"
        )


class Note(Action):
    """Nothing; `data` is for the controller."""

    __slots__ = ("data",)
    keyword = "note"

    def __init__(self, data: bytes) -> None:
        self.data = data

    def encode(self, version: int) -> bytes:  # noqa: D102
        return raws.put("note", version, self.data)

    def format(self, printing: Printing) -> str:  # noqa: D102
        return f"{colors.param}note:{colors.end}{format_hex(self.data)}"


class Sample(Action):
    """Send one in 65536 / `probability` packets to a collector set.

    Attributes:
        probability: of 65536, not 0.
        collector_set_id, obs_domain_id, obs_point_id: told to the collectors.
        sampling_port: whose packets these are, or OFPP_NONE.
        direction: NX_ACTION_SAMPLE_*.
        form: 2 or 3 if it came in the newer of three wire forms.
    """

    __slots__ = (
        "collector_set_id", "direction", "form", "obs_domain_id", "obs_point_id",
        "probability", "sampling_port",
    )  # fmt: skip
    keyword = "sample"

    def __init__(
        self,
        probability: int,
        collector_set_id: int = 0,
        obs_domain_id: int = 0,
        obs_point_id: int = 0,
        sampling_port: int = OFPP_NONE,
        direction: int = NX_ACTION_SAMPLE_DEFAULT,
        form: int = 0,
    ) -> None:
        self.probability = probability
        self.collector_set_id = collector_set_id
        self.obs_domain_id = obs_domain_id
        self.obs_point_id = obs_point_id
        self.sampling_port = sampling_port
        self.direction = direction
        self.form = form

    def encode(self, version: int) -> bytes:  # noqa: D102
        numbers = (
            self.probability,
            self.collector_set_id,
            self.obs_domain_id,
            self.obs_point_id,
        )
        with_port = _SAMPLE2.pack(*numbers, self.sampling_port, self.direction)
        if self.form == 3 or self.direction:
            return raws.put("sample3", version, with_port)
        if self.form == 2 or self.sampling_port != OFPP_NONE:
            return raws.put("sample2", version, with_port)
        return raws.put("sample", version, _SAMPLE.pack(*numbers))

    def format(self, printing: Printing) -> str:  # noqa: D102
        paren, param, end = colors.paren, colors.param, colors.end
        text = (
            f"{paren}sample({end}{param}probability={end}{self.probability}"
            f",{param}collector_set_id={end}{self.collector_set_id}"
            f",{param}obs_domain_id={end}{self.obs_domain_id}"
            f",{param}obs_point_id={end}{self.obs_point_id}"
        )
        if self.sampling_port != OFPP_NONE:
            port = printing.port(self.sampling_port)
            text += f",{param}sampling_port={end}{port}"
        if self.direction:
            name = "egress" if self.direction == NX_ACTION_SAMPLE_EGRESS else "ingress"
            text += f",{param}{name}{end}"
        return f"{text}{paren}){end}"


class DebugRecirc(Action):
    """Recirculate (tests)."""

    __slots__ = ()
    keyword = "debug_recirc"

    def encode(self, version: int) -> bytes:  # noqa: D102
        return raws.put("debug_recirc", version)

    def format(self, printing: Printing) -> str:  # noqa: D102
        return f"{colors.value}debug_recirc{colors.end}"


class DebugSlow(Action):
    """Send the packet through the slow path (tests)."""

    __slots__ = ()
    keyword = "debug_slow"

    def encode(self, version: int) -> bytes:  # noqa: D102
        return raws.put("debug_slow", version)

    def format(self, printing: Printing) -> str:  # noqa: D102
        return f"{colors.value}debug_slow{colors.end}"


def _parse_resubmit(text: str, parsing: Parsing) -> Action:
    words = [*text.split(","), "", ""]
    in_port: int | None = OFPP_IN_PORT
    if words[0]:
        in_port = parsing.port(words[0])
        if in_port is None:
            raise ParseError(f"{words[0]}: resubmit to unknown port")
    table: int | None = THIS_TABLE
    if words[1]:
        table = parsing.table(words[1])
        if table is None:
            raise ParseError(f"{words[1]}: resubmit to unknown table")
    if words[2] not in ("", "ct"):
        raise ParseError(f"{words[2]}: unknown parameter")
    if in_port == OFPP_IN_PORT and table == THIS_TABLE:
        raise ParseError(
            'at least one "in_port" or "table" must be specified on resubmit'
        )
    assert in_port is not None
    assert table is not None
    return Resubmit(in_port, table, words[2] == "ct")


def _parse_clone(text: str, parsing: Parsing) -> Action:
    from ovswitch.openflow.actions.text import parse_nested

    parsing.protocols = ANY  # what stood before is forgotten, as the reference does
    return Clone(parse_nested(text, parsing, "clone"))


def _parse_fin_timeout(text: str, parsing: Parsing) -> Action:
    action = FinTimeout()
    for key, value in key_values(text):
        if key == "idle_timeout":
            action.fin_idle_timeout = u16(value, key)
        elif key == "hard_timeout":
            action.fin_hard_timeout = u16(value, key)
        else:
            raise ParseError(f"invalid key '{key}' in 'fin_timeout' argument")
    return action


def _scan_conjunction(text: str) -> tuple[int, int, int] | None:
    """Read "ID,CLAUSE/N" with blanks anywhere between."""
    numbers = []
    at = 0
    for separator, base in ((",", 0), ("/", 10), ("", 10)):
        found = scan_int(text, at, base)
        if found is None:
            return None
        numbers.append(found[0])
        at = found[1]
        while at < len(text) and text[at] in SPACES:
            at += 1
        if not text.startswith(separator, at):
            return None
        at += len(separator)
    if at != len(text):
        return None
    return numbers[0] & 0xFFFFFFFF, numbers[1] & 0xFF, numbers[2] & 0xFF


def _parse_conjunction(text: str, parsing: Parsing) -> Action:
    numbers = _scan_conjunction(text)
    if numbers is None:
        raise ParseError('"conjunction" syntax is "conjunction(id,i/n)"')
    number, clause, n_clauses = numbers
    if n_clauses < MIN_CLAUSES:
        raise ParseError("conjunction must have at least 2 clauses")
    if n_clauses > MAX_CLAUSES:
        raise ParseError("conjunction must have at most 64 clauses")
    if clause < 1:
        raise ParseError("clause index must be positive")
    if clause > n_clauses:
        raise ParseError("clause index must be less than or equal to number of clauses")
    return Conjunction(clause - 1, n_clauses, number)


def _parse_note(text: str, parsing: Parsing) -> Action:
    data, rest = hex_octets(text)
    if rest:
        raise ParseError("bad hex digit in `note' argument")
    return Note(data)


def _parse_sample(text: str, parsing: Parsing) -> Action:
    action = Sample(0)
    for key, value in key_values(text):
        if key == "probability":
            action.probability = u16(value, "probability")
            if not action.probability:
                raise ParseError(f'invalid probability value "{value}"')
        elif key in ("collector_set_id", "obs_domain_id", "obs_point_id"):
            setattr(action, key, u32(value))
        elif key == "sampling_port":
            port = parsing.port(value)
            if port is None:
                raise ParseError(f"{value}: unknown port")
            action.sampling_port = port
        elif key == "ingress":
            action.direction = NX_ACTION_SAMPLE_INGRESS
        elif key == "egress":
            action.direction = NX_ACTION_SAMPLE_EGRESS
        else:
            raise ParseError(f'invalid key "{key}" in "sample" argument')
    if not action.probability:
        raise ParseError('non-zero "probability" must be specified on sample')
    return action


def _parse_unroll(text: str, parsing: Parsing) -> Action:
    raise ParseError("UNROLL is an internal action that shouldn't be used via OpenFlow")


PARSERS: dict[str, Parser] = {
    "resubmit": _parse_resubmit,
    "clone": _parse_clone,
    "exit": lambda text, parsing: Exit(),
    "fin_timeout": _parse_fin_timeout,
    "conjunction": _parse_conjunction,
    "note": _parse_note,
    "sample": _parse_sample,
    "unroll_xlate": _parse_unroll,
    "debug_recirc": lambda text, parsing: DebugRecirc(),
    "debug_slow": lambda text, parsing: DebugSlow(),
}


def _decode_resubmit(octets: bytes, with_ct_orig: bool) -> Action:
    in_port, table_id, pad = _RESUBMIT.unpack_from(octets, 10)
    if any(pad):
        raise OpenFlowError("OFPBAC_BAD_ARGUMENT")
    return Resubmit(in_port, table_id, with_ct_orig)


def _decode_clone(octets: bytes, number: int, version: int) -> Action:
    from ovswitch.openflow.actions.wire import decode_nested

    return Clone(decode_nested(octets, 16, version, ""))


def _decode_conjunction(octets: bytes, number: int, version: int) -> Action:
    clause, n_clauses, number = _CONJUNCTION.unpack_from(octets, 10)
    if not MIN_CLAUSES <= n_clauses <= MAX_CLAUSES or clause >= n_clauses:
        raise OpenFlowError("NXBAC_BAD_CONJUNCTION")
    return Conjunction(clause, n_clauses, number)


def _decode_sample(octets: bytes, number: int, version: int) -> Action:
    numbers = _SAMPLE.unpack_from(octets, 10)
    if not numbers[0]:
        raise OpenFlowError("OFPBAC_BAD_ARGUMENT")
    probability, collector, domain, point = numbers
    return Sample(probability, collector, domain, point)


def _decode_sample2(octets: bytes, form: int) -> Action:
    probability, collector, domain, point, port, direction = _SAMPLE2.unpack_from(
        octets, 10
    )
    if form == 2:
        direction = NX_ACTION_SAMPLE_DEFAULT
    elif any(octets[27:32]):
        raise OpenFlowError("NXBRC_MUST_BE_ZERO")
    if direction > NX_ACTION_SAMPLE_EGRESS or not probability:
        raise OpenFlowError("OFPBAC_BAD_ARGUMENT")
    return Sample(probability, collector, domain, point, port, direction, form)


def _debug(action: Action) -> Action:
    if not debugging:
        raise OpenFlowError("OFPBAC_BAD_VENDOR_TYPE")
    return action


DECODERS: dict[str, Decoder] = {
    "resubmit": lambda octets, number, version: Resubmit(number, form=RESUBMIT),
    "resubmit_table": lambda octets, number, version: _decode_resubmit(octets, False),
    "resubmit_table_ct": lambda octets, number, version: _decode_resubmit(octets, True),
    "clone": _decode_clone,
    "exit": lambda octets, number, version: Exit(),
    "fin_timeout": lambda octets, number, version: FinTimeout(
        *_U16_2.unpack_from(octets, 10)
    ),
    "conjunction": _decode_conjunction,
    "note": lambda octets, number, version: Note(octets[10:]),
    "sample": _decode_sample,
    "sample2": lambda octets, number, version: _decode_sample2(octets, 2),
    "sample3": lambda octets, number, version: _decode_sample2(octets, 3),
    "debug_recirc": lambda octets, number, version: _debug(DebugRecirc()),
    "debug_slow": lambda octets, number, version: _debug(DebugSlow()),
}
