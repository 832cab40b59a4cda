# SPDX-License-Identifier: Apache-2.0
"""Matches on the wire in extensible form: NXM and OXM.

An entry is a header (class, field number, has-mask bit, length; for class 0xffff an
experimenter too), a value and perhaps a mask of the same size. NXM (OpenFlow 1.0 and
1.1) and OXM (1.2 and later) differ in which header a field prefers; `version` 0, `NXM`,
asks for Nicira's.

Sources: OpenFlow 1.5.1 §7.2.3; nicira-ext.h; the order of entries is the reference's.
"""

from __future__ import annotations

from ovswitch.openflow.oxm.decoding import (
    Decoded,
    decode,
    is_pipeline_field,
    take_nxm,
    take_oxm,
)
from ovswitch.openflow.oxm.encoding import encode, put_entry, put_nxm, put_oxm
from ovswitch.openflow.oxm.entry import NXM, Entry, header, take_entry, take_header

__all__ = [
    "NXM",
    "Decoded",
    "Entry",
    "decode",
    "encode",
    "header",
    "is_pipeline_field",
    "put_entry",
    "put_nxm",
    "put_oxm",
    "take_entry",
    "take_header",
    "take_nxm",
    "take_oxm",
]
