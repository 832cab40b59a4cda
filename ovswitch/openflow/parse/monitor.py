# SPDX-License-Identifier: Apache-2.0
"""Flow monitors as people write them: "!initial,table=1,tcp" (ovs-ofctl(8))."""

from __future__ import annotations

from ovswitch.flow import parse as match_text
from ovswitch.flow.fields import FIELDS
from ovswitch.openflow import protocol
from ovswitch.openflow.actions import context
from ovswitch.openflow.messages import flow_monitor
from ovswitch.openflow.messages.flow_monitor import FlowMonitor
from ovswitch.openflow.parse.tokens import ParseError, atoi, key_values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovswitch.flow.names import Names

_EVERYTHING = (
    flow_monitor.INITIAL
    | flow_monitor.ADD
    | flow_monitor.REMOVED
    | flow_monitor.MODIFY
    | flow_monitor.INSTRUCTIONS
    | flow_monitor.ONLY_OWN
)
_WITHOUT = {
    "!initial": flow_monitor.INITIAL,
    "!add": flow_monitor.ADD,
    "!delete": flow_monitor.REMOVED,
    "!modify": flow_monitor.MODIFY,
    "!actions": flow_monitor.INSTRUCTIONS,
    "!abbrev": flow_monitor.NO_ABBREV,
    "!own": flow_monitor.ONLY_OWN,
}


def _read_attribute(
    monitor: FlowMonitor, text: str, name: str, value: str, names: Names | None
) -> None:
    if not value:
        raise ParseError(f"{text}: field {name} missing value")
    if name == "table":
        table = context.Parsing(names).table(value)
        if table is None:
            raise ParseError(f'unknown table "{value}"')
        monitor.table_id = table
    elif name == "out_port":
        monitor.out_port = atoi(value) & 0xFFFF
    elif name == "out_group":
        monitor.out_group = atoi(value) & 0xFFFFFFFF
    else:
        raise ParseError(f"{text}: unknown keyword {name}")


def parse_flow_monitor(
    text: str, number: int, names: Names | None = None
) -> tuple[FlowMonitor, int]:
    """Return the monitor, and the protocols that can say it.

    Args:
        text: what to monitor.
        number: the monitor's id.
        names: ports' and tables' names.

    Raises:
        ValueError: with the text for the user.
    """
    monitor = FlowMonitor(number, flags=_EVERYTHING)
    usable = protocol.ANY
    ports = names.ports if names else None
    for name, value in key_values(text):
        field = FIELDS.get(name)
        if name in _WITHOUT:
            monitor.flags &= ~_WITHOUT[name]
        elif field is not None:
            monitor.match, mask = match_text.set_field(
                monitor.match, field, value, ports
            )
            usable &= protocol.for_field(field, mask)
            if not usable & protocol.OF10_ANY:
                raise ParseError(
                    f"{name}: match field is not supported for flow monitor"
                )
        else:
            with_protocol = match_text.set_protocol(monitor.match, name)
            if with_protocol is None:
                _read_attribute(monitor, text, name, value, names)
            else:
                monitor.match = with_protocol
    return monitor, usable
