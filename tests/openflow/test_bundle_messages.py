# SPDX-License-Identifier: Apache-2.0
"""Bundle messages: octets and text, the latter as the reference's ovs-ofctl prints."""

import random
import subprocess
from contextlib import suppress

import pytest
from helpers.programs import Reference

from ovswitch.openflow import codec, raws
from ovswitch.openflow.errors import OpenFlowError
from ovswitch.openflow.messages.bundle import BundleAdd, BundleControl
from ovswitch.openflow.messages.core import EchoRequest
from ovswitch.openflow.parse.flow import parse_flow_mod
from ovswitch.openflow.text import format_message

OF13, OF14, OF15 = 4, 5, 6
VERSIONS = (OF13, OF14, OF15)
XID = 11
CONTROLS = {
    OF13: "04040018 0000000b 4f4e4600 000008fc 12345678 00040003",
    OF14: "05210010 0000000b 12345678 00040003",
    OF15: "06210010 0000000b 12345678 00040003",
}


def _add(version, inner=None):
    if inner is None:
        flow_mod, _ = parse_flow_mod("priority=3,tcp,actions=output:2", 0)
        inner = codec.encode(flow_mod, version, XID)
    return codec.encode(BundleAdd(0x12345678, 3, inner), version, XID)


def _messages():
    for version in VERSIONS:
        yield _add(version)
        for kind in (*range(8), 99):
            for flags in (0, 1, 2, 3, 0xFFFF):
                control = BundleControl(kind, kind, flags)
                yield codec.encode(control, version, XID)


MESSAGES = tuple(_messages())


@pytest.mark.parametrize("version", VERSIONS)
def test_control_messages_have_the_standard_form(version):
    octets = bytes.fromhex(CONTROLS[version])
    control = codec.decode(octets)
    assert (control.bundle_id, control.kind, control.flags) == (0x12345678, 4, 3)
    assert codec.encode(control, version, XID) == octets
    for size in range(len(octets)):
        with pytest.raises(OpenFlowError):
            codec.decode(octets[:size])


@pytest.mark.parametrize("version", VERSIONS)
def test_added_messages_come_out_again(version):
    octets = _add(version)
    add = codec.decode(octets)
    assert (add.bundle_id, add.flags, add.xid) == (0x12345678, 3, XID)
    assert add.header.raw.type == "FLOW_MOD"
    assert codec.encode(add, version, XID) == octets
    assert codec.decode(octets + bytes(8)).message == add.message  # properties


@pytest.mark.parametrize("version", VERSIONS)
def test_what_is_wrong_with_an_added_message(version):
    good = codec.decode(_add(version)).message
    echo = codec.encode(EchoRequest(), version, XID)
    for inner, name in (
        (good[:7], "OFPBFC_MSG_BAD_LEN"),
        (good[:20], "OFPBFC_MSG_BAD_LEN"),
        (good[:2] + b"\0\7" + good[4:], "OFPBFC_MSG_BAD_LEN"),
        (b"\1" + good[1:], "OFPBFC_BAD_VERSION"),
        (good[:7] + b"\1" + good[8:], "OFPBFC_MSG_BAD_XID"),
        (good[:1] + b"\x63" + good[2:], "OFPBFC_MSG_UNSUP"),
        (echo, "OFPBFC_MSG_UNSUP"),
    ):
        with pytest.raises(OpenFlowError) as caught:
            codec.decode(_add(version, inner))
        assert caught.value.name == name


def test_older_versions_have_no_bundles():
    with pytest.raises(LookupError):
        codec.encode(BundleControl(1, 0), 3)
    with pytest.raises(LookupError):
        raws.find("BUNDLE_ADD_MESSAGE", 3)


def test_broken_messages_raise_only_openflow_errors():
    chance = random.Random(2)
    for octets in MESSAGES:
        for _ in range(20):
            broken = _damage(octets, chance)
            with suppress(OpenFlowError):
                codec.decode(broken)
            assert format_message(broken, 2).endswith("\n")


def _damage(octets, chance):
    broken = bytearray(octets)
    for _ in range(chance.randrange(1, 4)):
        broken[chance.randrange(4, len(broken))] = chance.randrange(256)
    return bytes(
        broken[: chance.randrange(len(broken))] if chance.random() < 0.3 else broken
    )


@pytest.mark.reference
def test_messages_are_printed_as_the_reference_prints_them(tmp_path):
    chance = random.Random(3)
    for octets in (
        *MESSAGES,
        *(_damage(chance.choice(MESSAGES), chance) for _ in range(30)),
    ):
        for verbosity in (0, 2):
            printed = subprocess.run(
                [
                    Reference.path("ovs-ofctl"),
                    "ofp-print",
                    octets.hex(),
                    str(verbosity),
                ],
                capture_output=True,
                check=False,
            ).stdout.decode("utf-8", "surrogateescape")
            assert format_message(octets, verbosity) == printed, octets.hex()
