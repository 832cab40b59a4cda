# SPDX-License-Identifier: Apache-2.0
"""OpenFlow 1.0 to 1.5 with Nicira's extensions: wire, messages, text, connections."""
