# SPDX-License-Identifier: Apache-2.0
"""Printing queues' set-up and statistics."""

from __future__ import annotations

from ovswitch.openflow.codec import decode_body
from ovswitch.openflow.errors import OpenFlowError
from ovswitch.openflow.messages import queue as queues
from ovswitch.openflow.messages.base import U32, U64
from ovswitch.openflow.text.output import duration
from ovswitch.openflow.wire import Cursor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovswitch.openflow import raws
    from ovswitch.openflow.text.output import Out


def _queue(queue: int) -> str:
    return "ALL" if queue == queues.OFPQ_ALL else str(queue)


def _config_request(out: Out, header: raws.Header, cursor: Cursor) -> None:
    request = decode_body(header, cursor)
    assert isinstance(request, queues.QueueConfigRequest)
    out.put(f" port={out.port(request.port)}")
    if request.queue != queues.OFPQ_ALL:
        out.put(f" queue={request.queue}")


def _rate(name: str, rate: int) -> str:
    if rate <= 1000:
        return f" {name}:{rate // 10}.{rate % 10}%"
    return f" {name}:(disabled)" if rate != queues.NO_RATE else ""


def _config_reply(out: Out, header: raws.Header, cursor: Cursor) -> None:
    found: list[queues.QueueConfig] = []
    error = None
    try:
        found.extend(queues.take_configs(header, cursor))
    except OpenFlowError as e:
        error = e  # Those before it are shown.
    text = " "
    port = 0
    for one in sorted(found, key=lambda queue: (queue.port, queue.queue)):
        if one.port != port:
            port = one.port
            text += f"port={out.port(port)}\n"
        text += f"queue {one.queue}:{_rate('min_rate', one.min_rate)}"
        text += f"{_rate('max_rate', one.max_rate)}\n"
    out.put(text.removesuffix(" "))
    if error is not None:
        raise error


def _stats_request(out: Out, header: raws.Header, cursor: Cursor) -> None:
    request = decode_body(header, cursor)
    assert isinstance(request, queues.QueueStatsRequest)
    out.put(f" port={out.port(request.port)} queue={_queue(request.queue)}")


def _count(count: int) -> str:
    return "?" if count == U64 else str(count)


def _stats_reply(out: Out, header: raws.Header, cursor: Cursor) -> None:
    n_queues = 0
    ahead = Cursor(cursor.octets, cursor.offset)
    try:
        while ahead.left:
            queues.take_stats(header, ahead)
            n_queues += 1
    except OpenFlowError:
        pass  # What can be read is counted; printing meets the error again.
    out.put(f" {n_queues} queues\n")
    while out.verbosity >= 1 and cursor.left:
        one = queues.take_stats(header, cursor)
        known = one.duration_sec != U32
        age = duration(one.duration_sec, one.duration_nsec) if known else "?"
        out.put(
            f"  port {out.port(one.port)} queue {_queue(one.queue)}: "
            f"bytes={_count(one.tx_bytes)}, pkts={_count(one.tx_packets)}, "
            f"errors={_count(one.tx_errors)}, duration={age}\n"
        )


PRINTERS = {
    "QUEUE_GET_CONFIG_REQUEST": _config_request,
    "QUEUE_GET_CONFIG_REPLY": _config_reply,
    "QUEUE_STATS_REQUEST": _stats_request,
    "QUEUE_STATS_REPLY": _stats_reply,
}
