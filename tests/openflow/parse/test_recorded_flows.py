# SPDX-License-Identifier: Apache-2.0
"""Flows in text: read, said in three versions of OpenFlow, and printed again.

`flows.json` holds for each flow what the reference's `ovs-ofctl parse-flow` printed
with OpenFlow 1.0, 1.3 and 1.5, log lines left out. OVSWITCH_REWRITE=1 records it anew.
"""

import json
import os
import subprocess
from pathlib import Path

import pytest
from helpers.programs import Reference

from ovswitch.openflow import protocol
from ovswitch.openflow.messages.flow_mod import OFPFC_ADD
from ovswitch.openflow.parse.flow import parse_flow_mod
from ovswitch.openflow.text import format_message

FILE = Path(__file__).parent / "flows.json"
VERSIONS = {"1.0": 1, "1.3": 4, "1.5": 6}

RECORDED = json.loads(FILE.read_text())


def ours(text, version):
    """Do what `ovs-ofctl parse-flow` does."""
    try:
        flow, usable = parse_flow_mod(text, OFPFC_ADD)
    except ValueError as error:
        return f"ovs-ofctl: {error}\n"
    out = f"usable protocols: {protocol.to_string(usable)}\n"
    allowed = usable & protocol.of_version(version)
    if not allowed:
        return out + "ovs-ofctl: no usable protocol\n"
    chosen = allowed & -allowed
    out += f"chosen protocol: {protocol.NAMES[chosen]}\n"
    return out + format_message(flow.encode(chosen, 1), 0)


def references(text, version):
    """Ask the reference."""
    number = f"OpenFlow1{version - 1}"
    words = [Reference.path("ovs-ofctl"), "-O", number, "parse-flow", text]
    result = subprocess.run(words, capture_output=True, text=True, check=False)
    complaints = result.stderr.splitlines(keepends=True)
    return result.stdout + "".join(x for x in complaints if x.startswith("ovs-ofctl: "))


@pytest.mark.parametrize("text", RECORDED)
def test_flow_is_read_and_printed_as_by_the_reference(text):
    for name, version in VERSIONS.items():
        assert ours(text, version) == RECORDED[text][name]


@pytest.mark.slow
@pytest.mark.reference
def test_reference_prints_what_is_recorded():
    """A third of it: they are many processes."""
    is_recording = bool(os.environ.get("OVSWITCH_REWRITE"))
    found = {
        text: {name: references(text, version) for name, version in VERSIONS.items()}
        for text in list(RECORDED)[:: 1 if is_recording else 3]
    }
    if is_recording:
        FILE.write_text(json.dumps(found, indent=1) + "\n")
    else:
        assert found == {text: RECORDED[text] for text in found}
