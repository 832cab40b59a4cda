# SPDX-License-Identifier: Apache-2.0
import pytest

from ovswitch.flow import names
from ovswitch.flow.names import NameMap


def ports(*pairs):
    known = NameMap()
    for number, name in pairs:
        known.put(number, name)
    return known


KNOWN = ports((1, "eth0"), (2, "123"), (3, "a b"), (4, "twice"), (5, "twice"))


@pytest.mark.parametrize(
    ("text", "port"),
    [
        ("1", 1),
        ("65279", 0xFEFF),
        ("65534", names.OFPP_LOCAL),
        ("4294967294", names.OFPP_LOCAL),
        ("local", names.OFPP_LOCAL),
        ("IN_PORT", names.OFPP_IN_PORT),
        ("ANY", names.OFPP_NONE),
        ("eth0", 1),
        ('"eth0"', 1),
        ('"123"', 2),
        ('"a b"', 3),
        ("twice", None),  # no one knows which
        ("65536", None),
        ("4294967296", None),
        ("-1", None),
        ("nosuch", None),
        ('"eth0', None),
        ("", None),
    ],
)
def test_a_port_is_a_number_or_a_name(text, port):
    assert names.parse_port(text, KNOWN) == port


@pytest.mark.parametrize(
    ("port", "text"),
    [
        (1, "eth0"),
        (2, '"123"'),
        (3, '"a b"'),
        (4, "4"),
        (9, "9"),
        (names.OFPP_LOCAL, "LOCAL"),
        (names.OFPP_NONE, "ANY"),
    ],
)
def test_a_port_is_printed_by_name_where_that_can_be_read_again(port, text):
    assert names.format_port(port, KNOWN) == text
    assert names.parse_port(text, KNOWN) == port


@pytest.mark.parametrize(
    ("wire", "port"),
    [
        (1, 1),
        (0xFEFF, 0xFEFF),
        (0xFF00, None),
        (0xFFFFFEFF, None),
        (0xFFFFFFFE, names.OFPP_LOCAL),
        (0xFFFFFFFF, names.OFPP_NONE),
    ],
)
def test_ports_have_32_bits_since_openflow_1_1(wire, port):
    assert names.port_from_ofp11(wire) == port
    if port is not None:
        assert names.port_to_ofp11(port) == wire


def test_tables_have_numbers_and_names():
    tables = ports((0, "classify"), (7, "out"))
    assert names.parse_table("7", tables) == 7
    assert names.parse_table("out", tables) == 7
    assert names.parse_table("256", tables) is None
    assert names.parse_table("nosuch", tables) is None
    assert names.format_table(0, tables) == "classify"
    assert names.format_table(3, tables) == "3"
