# SPDX-License-Identifier: Apache-2.0
"""The C core: packet extraction, flow caches, actions, packet I/O.

`core` is its Python side, `ovs-forwarder` (beside this file once built) the process
that forwards, csrc/ the sources of both. docs/datapath-protocol.md describes what the
process and the dummy datapath understand.
"""
