# SPDX-License-Identifier: Apache-2.0
"""A request on its way to who answers it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovswitch.openflow import codec, raws
from ovswitch.openflow.wire import Cursor

if TYPE_CHECKING:
    from ovswitch.ofproto.ofconn import Ofconn
    from ovswitch.openflow.messages.base import Message


class Request:
    """An OpenFlow request.

    Attributes:
        ofconn: the connection that it came on.
        octets: the message; of a multipart request its first part.
        parts: all its parts.
        header: the headers of the first part.
    """

    __slots__ = ("header", "octets", "ofconn", "parts")

    def __init__(self, ofconn: Ofconn, parts: list[bytes]) -> None:
        """Take a request. Raises: OpenFlowError: its headers are wrong."""
        self.ofconn = ofconn
        self.parts = parts
        self.octets = parts[0]
        self.header = raws.parse(self.octets)

    @property
    def xid(self) -> int:
        """The transaction."""
        return self.header.xid

    @property
    def stats_form(self) -> str:
        """The form for replies to a statistics request: "NXST" or the standard's."""
        return "NXST" if self.header.raw.form == "NXST" else ""

    def decode(self) -> Message:
        """Return the message. Raises: OpenFlowError: it is malformed."""
        cursor = Cursor(self.octets, self.header.body)
        return codec.decode_body(self.header, cursor, self.ofconn.context)
