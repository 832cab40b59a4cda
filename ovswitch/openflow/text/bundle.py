# SPDX-License-Identifier: Apache-2.0
"""Printing bundles."""

from __future__ import annotations

from ovswitch.flow.numbers import put_hex
from ovswitch.openflow.codec import decode_body
from ovswitch.openflow.messages import bundle
from ovswitch.openflow.text.output import bit_names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovswitch.openflow import raws
    from ovswitch.openflow.text.output import Out
    from ovswitch.openflow.wire import Cursor

_KINDS = (
    "OPEN_REQUEST", "OPEN_REPLY", "CLOSE_REQUEST", "CLOSE_REPLY", "COMMIT_REQUEST",
    "COMMIT_REPLY", "DISCARD_REQUEST", "DISCARD_REPLY",
)  # fmt: skip
_FLAGS = {bundle.ATOMIC: "atomic", bundle.ORDERED: "ordered"}


def _control(out: Out, header: raws.Header, cursor: Cursor) -> None:
    control = decode_body(header, cursor)
    assert isinstance(control, bundle.BundleControl)
    kind = _KINDS[control.kind] if control.kind < len(_KINDS) else ""
    out.put(f"\n bundle_id={put_hex(control.bundle_id)} type={kind}")
    out.put(f" flags={bit_names(control.flags, _FLAGS)}")


def _add(out: Out, header: raws.Header, cursor: Cursor) -> None:
    from ovswitch.openflow.text import format_message

    add = bundle.decode_add(header, cursor)
    out.put(f"\n bundle_id={put_hex(add.bundle_id)}")
    out.put(f" flags={bit_names(add.flags, _FLAGS)}\n")
    out.put(format_message(add.message, out.verbosity, out.names))


PRINTERS = {"BUNDLE_CONTROL": _control, "BUNDLE_ADD_MESSAGE": _add}
