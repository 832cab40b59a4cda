# SPDX-License-Identifier: Apache-2.0
"""Some adjacent bits of a field: `NXM_NX_REG0[4..7]`."""

from __future__ import annotations

from ovswitch.flow.fields import BY_OXM_NAME, FIELDS
from ovswitch.openflow.actions.context import warn_rl
from ovswitch.openflow.errors import OpenFlowError
from ovswitch.openflow.parse.tokens import ParseError, scan_int

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovswitch.flow.fields import Field
    from ovswitch.openflow.actions.context import Checking


class Subfield:
    """Bits `ofs` to ``ofs + n_bits - 1`` of a field, counted from its low end."""

    __slots__ = ("field", "n_bits", "ofs")

    def __init__(self, field: Field, ofs: int, n_bits: int) -> None:
        self.field = field
        self.ofs = ofs
        self.n_bits = n_bits

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Subfield):
            return NotImplemented
        return (
            self.field is other.field
            and self.ofs == other.ofs
            and self.n_bits == other.n_bits
        )

    def __hash__(self) -> int:
        return hash((self.field.index, self.ofs, self.n_bits))

    def __repr__(self) -> str:
        return f"Subfield({self.field.name}, {self.ofs}, {self.n_bits})"

    def __str__(self) -> str:
        field, ofs, n_bits = self.field, self.ofs, self.n_bits
        name = field.oxms[0].name if field.oxms else field.name
        if ofs == 0 and n_bits == field.n_bits:
            return name + "[]"
        if n_bits == 1:
            return f"{name}[{ofs}]"
        return f"{name}[{ofs}..{ofs + n_bits - 1}]"

    def put_ofs_nbits(self) -> int:
        """Return both numbers in sixteen bits, as Nicira's actions have them."""
        return self.ofs << 6 | self.n_bits - 1

    def bits(self) -> int:
        """Return the subfield's mask within its field."""
        return (1 << self.n_bits) - 1 << self.ofs

    def check_source(self, checking: Checking | None = None) -> None:
        """Raise the error for a subfield that can't be read.

        Args:
            checking: the flow that must have the field, or None for any flow.
        """
        self._check(checking, "source")

    def check_destination(self, checking: Checking | None = None) -> None:
        """Raise the error for a subfield that can't be written."""
        self._check(checking, "destination")
        if not self.field.writable:
            warn_rl(f"destination field {self.field.name} is not writable", "meta_flow")
            raise OpenFlowError("OFPBAC_BAD_SET_ARGUMENT")

    def _check(self, checking: Checking | None, kind: str) -> None:
        name, width = self.field.name, self.field.n_bits
        if not self.n_bits:
            problem = f"zero bit {kind} field {name}"
        elif self.ofs >= width:
            problem = (
                f"bit offset {self.ofs} exceeds {width}-bit width of {kind} field "
                f"{name}"
            )
        elif self.ofs + self.n_bits > width:
            problem = (
                f"bit offset {self.ofs} and width {self.n_bits} exceeds {width}-bit "
                f"width of {kind} field {name}"
            )
        elif checking is not None and not checking.has_prereqs(self.field):
            warn_rl(f"{kind} field {name} lacks correct prerequisites", "meta_flow")
            raise OpenFlowError("OFPBAC_MATCH_INCONSISTENT")
        else:
            return
        warn_rl(problem, "meta_flow")
        raise OpenFlowError("OFPBAC_BAD_SET_LEN")


def from_ofs_nbits(field: Field, ofs_nbits: int) -> Subfield:
    """Return the subfield for sixteen bits of `Subfield.put_ofs_nbits()`."""
    return Subfield(field, ofs_nbits >> 6, (ofs_nbits & 0x3F) + 1)


def field_by_name(name: str) -> Field | None:
    """Return the field that goes by an NXM, OXM or OpenFlow name."""
    found = BY_OXM_NAME.get(name)
    return found[0] if found is not None else FIELDS.get(name)


def _name_end(text: str) -> int:
    ends = [at for at in (text.find("["), text.find("-")) if at >= 0]
    return min(ends, default=len(text))


def _range(text: str, at: int, default_end: int) -> tuple[int, int] | None:
    """Read "[]", "[3]" or "[3..5]" loosely, as the reference does."""
    if text.startswith("[]", at):
        return 0, default_end
    first = scan_int(text, at + 1, 10)
    if first is None:
        return None
    if text.startswith("..", first[1]):
        last = scan_int(text, first[1] + 2, 10)
        if last is not None and text.startswith("]", last[1]):
            return first[0], last[0]
        return None
    return (first[0], first[0]) if text.startswith("]", first[1]) else None


def parse_start(text: str) -> tuple[Subfield, str]:
    """Return the subfield that `text` begins with, and what follows it.

    Raises:
        ParseError: with the reference's text.
    """
    at = _name_end(text)
    name = text[:at]
    if name.endswith("_W") and len(name) > 2 and name[:-2] in BY_OXM_NAME:
        name = name[:-2]
    field = field_by_name(name)
    if field is None:
        raise ParseError(f"{text}: unknown field `{text[:at]}'")
    width = field.n_bits
    start, end = 0, width - 1
    if text.startswith("[", at):
        found = _range(text, at, end)
        if found is None:
            raise ParseError(
                f"{text}: syntax error expecting [] or [<bit>] or [<start>..<end>]"
            )
        start, end = found
        at = text.index("]", at) + 1
    if start > end:
        raise ParseError(f"{text}: starting bit {start} is after ending bit {end}")
    for what, bit in (("starting", start), ("ending", end)):
        if bit >= width:
            raise ParseError(
                f"{text}: {what} bit {bit} is not valid because field is only "
                f"{width} bits wide"
            )
    if start < 0:
        raise ParseError(f"{text}: starting bit {start} is not valid")
    return Subfield(field, start, end - start + 1), text[at:]


def parse(text: str) -> Subfield:
    """Return the subfield that is all of `text`.

    Raises:
        ParseError: with the reference's text.
    """
    subfield, rest = parse_start(text)
    if rest:
        raise ParseError("unexpected input following field syntax")
    return subfield
