# SPDX-License-Identifier: Apache-2.0
"""Address texts are those of the C library."""

import socket

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ovswitch.packet import address

_SPARSE = st.lists(
    st.sampled_from([0, 0, 0, 1, 0xFFFF, 0xABC]), min_size=8, max_size=8
).map(lambda groups: sum(g << 16 * i for i, g in enumerate(groups)))


@settings(max_examples=100, deadline=None)
@given(_SPARSE | st.integers(0, (1 << 128) - 1))
def test_ipv6_text_equals_inet_ntop_and_reads_back(value):
    text = socket.inet_ntop(socket.AF_INET6, value.to_bytes(16, "big"))
    assert address.format_ipv6(value) == text
    assert address.parse_ipv6(text) == value


@pytest.mark.parametrize(
    "text", ["", ":", ":::", "1::2::3", "1:2", "12345::", "g::", "1:2:3:4:5:6:7::8:9"]
)
def test_bad_ipv6_is_refused(text):
    with pytest.raises(address.AddressError):
        address.parse_ipv6(text)


@settings(max_examples=50, deadline=None)
@given(st.text("0123456789abcdef:.%x", max_size=20))
def test_ipv6_parser_agrees_with_inet_pton(text):
    try:
        expected = int.from_bytes(socket.inet_pton(socket.AF_INET6, text), "big")
    except OSError:
        expected = None
    try:
        found = address.parse_ipv6(text)
    except address.AddressError:
        found = None
    assert found == expected


def test_ipv4_and_mac_texts():
    assert address.format_ipv4(0x0A000001) == "10.0.0.1"
    assert address.parse_ipv4("10.0.0.1") == 0x0A000001
    assert address.format_mac(0x0A0B0C0D0E0F) == "0a:0b:0c:0d:0e:0f"
    assert address.parse_mac("a:b:c:d:e:f") == 0x0A0B0C0D0E0F
    for bad in ("1.2.3", "1.2.3.256", "1.2.3.4.5", "1.2.3.x", "1.2.3."):
        with pytest.raises(address.AddressError):
            address.parse_ipv4(bad)
    for bad in ("a:b:c:d:e", "a:b:c:d:e:fff", "a:b:c:d:e:g"):
        with pytest.raises(address.AddressError):
            address.parse_mac(bad)
