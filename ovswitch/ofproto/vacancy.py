# SPDX-License-Identifier: Apache-2.0
"""Notices that a table has become nearly full, or has room again (OpenFlow 1.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovswitch.openflow.messages.async_config import TABLE_STATUS
from ovswitch.openflow.messages.table import (
    EVICTION_FLAGS,
    OFF,
    ON,
    VACANCY_DOWN,
    VACANCY_UP,
    TableDesc,
    TableStatus,
)
from ovswitch.openflow.version import OF14

if TYPE_CHECKING:
    from ovswitch.ofproto.connmgr import Connmgr
    from ovswitch.ofproto.table import FlowTable


def describe_table(connmgr: Connmgr, table: FlowTable) -> TableDesc:
    """Return a table's configuration as OpenFlow tells it."""
    desc = TableDesc(
        table.table_id,
        ON if connmgr.has_eviction(table) else OFF,
        ON if table.vacancy_event else OFF,
    )
    desc.eviction_flags = sum(EVICTION_FLAGS)
    desc.vacancy_down = table.vacancy_down
    desc.vacancy_up = table.vacancy_up
    desc.vacancy_now = table.vacancy()
    return desc


def report(connmgr: Connmgr, table: FlowTable) -> None:
    """Tell controllers if `table` has crossed the threshold that is waited for."""
    now = table.vacancy()
    if now < table.vacancy_down:
        event = VACANCY_DOWN
    elif now > table.vacancy_up:
        event = VACANCY_UP
    else:
        return
    if event != table.vacancy_event:
        return
    status = TableStatus(event, describe_table(connmgr, table))
    for ofconn in list(connmgr.connections.values()):
        if ofconn.version >= OF14 and ofconn.receives(TABLE_STATUS, event):
            ofconn.reply(status, 0)
    table.vacancy_event = VACANCY_UP if event == VACANCY_DOWN else VACANCY_DOWN
