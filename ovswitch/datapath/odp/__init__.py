# SPDX-License-Identifier: Apache-2.0
"""Keys and actions of the datapath: as attributes and as text, both ways.

`attributes` and `numbers` are the tables; `key_encode` and `key_decode` go between
flows and attributes, `key_text` and `key_parse` between attributes and text;
`actions` builds actions, `action_text` and `action_parse` do their text, `cookie` is
what userspace() carries. Nothing is re-exported: the tools import only what they need.
"""
