# SPDX-License-Identifier: Apache-2.0
"""UUIDs: their form, and that no two are the same."""

import re
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ovswitch.ovsdb import uuids

FORM = re.compile(
    r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE
)
GOOD = "0123abcd-4567-89ef-0123-456789abcdef"


def test_generated_ones_are_random_of_version_4():
    made = {uuids.generate() for _ in range(100)}
    assert len(made) == 100
    for uuid in made:
        assert FORM.fullmatch(uuid)
        assert uuid[14] == "4"
        assert uuid[19] in "89ab"


FORKING = """
import os
from ovswitch.ovsdb import uuids
uuids.generate()  # so that some are ready
child = os.fork()
print("\\n".join(uuids.generate() for _ in range(100)), flush=True)
if child:
    os.waitpid(child, 0)
"""


def test_a_forked_child_makes_others():
    # In a process of its own: libraries of other tests dislike fork().
    command = [sys.executable, "-c", FORKING]
    printed = subprocess.run(command, capture_output=True, text=True, check=True)
    made = printed.stdout.split()
    assert len(set(made)) == len(made) == 200
    assert all(FORM.fullmatch(uuid) for uuid in made)


@pytest.mark.parametrize(
    "text",
    [
        "",
        GOOD[:-1],
        GOOD + "0",
        GOOD.replace("-", ""),
        GOOD.replace("a", "g"),
        GOOD.replace("a", " "),
        GOOD.replace("a", "-"),
        GOOD.replace("-", " "),
        GOOD.replace("0", "\u0660"),
        "0123abcd4-567-89ef-0123-456789abcdef",
        "{" + GOOD[1:-1] + "}",
    ],
)
def test_what_isnt_quite_a_uuid_is_none(text):
    assert not uuids.is_valid(text)
    assert uuids.parse(text) is None


@settings(max_examples=100)
@given(st.text(alphabet="0aF-g _", min_size=34, max_size=38))
def test_validity_is_the_form(text):
    assert uuids.is_valid(text) == bool(FORM.fullmatch(text))


def test_parsing_gives_the_canonical_form():
    assert uuids.parse(GOOD.upper()) == GOOD
