# SPDX-License-Identifier: Apache-2.0
import pytest

from ovswitch.ovsdb.ctl.escape import escape_words
from ovswitch.ovsdb.ctl.numbers import atoi, atoll, leading_integer, strtoull


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12", 12),
        (" +7x", 7),
        ("-3", -3),
        ("abc", 0),
        ("", 0),
        ("4294967296", 0),
        ("2147483648", -(1 << 31)),
    ],
)
def test_atoi(text, value):
    assert atoi(text) == value


def test_wider_numbers():
    assert leading_integer("x1") is None
    assert atoll("99999999999999999999") == (1 << 63) - 1
    assert strtoull("-1") == -1
    assert strtoull("99999999999999999999") == -1
    assert strtoull("5z") == 5
    assert strtoull("z") is None


def test_words_are_quoted_only_if_they_must_be():
    words = ["ovs-vsctl", "set", "a b", 'c"d', "e\\f", "it's", "", "k=v"]
    assert escape_words(words) == 'ovs-vsctl set "a b" "c\\"d" "e\\\\f" "it\'s"  k=v'
