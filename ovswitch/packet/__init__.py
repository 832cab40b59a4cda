# SPDX-License-Identifier: Apache-2.0
"""Packets: headers, checksums, from octets to flow and back, capture files.

Nothing here does I/O or knows of switches. `flow.layout` is the one module above that
is used: a packet's flow is its product.
"""
