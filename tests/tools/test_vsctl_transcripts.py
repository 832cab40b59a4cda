# SPDX-License-Identifier: Apache-2.0
"""Transcripts of ovs-vsctl, all with --no-wait; see `helpers.control_transcripts`."""

import pytest
from helpers.control_transcripts import REWRITE, TOOLS, Suite
from helpers.programs import SCHEMA, Ours

SUITE = Suite("vsctl", SCHEMA, ["--no-wait"])


@pytest.fixture(scope="module", autouse=True)
def suite():
    yield
    SUITE.close()


@SUITE.each_mixed
def test_beside_the_reference(transcript, tool, server):
    if REWRITE and tool == server:
        SUITE.record(transcript)
    SUITE.check(transcript, TOOLS[tool], TOOLS[server])


@SUITE.each
def test_our_vsctl_on_our_server(transcript):
    SUITE.check(transcript, Ours, Ours)
