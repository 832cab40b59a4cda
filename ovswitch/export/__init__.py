# SPDX-License-Identifier: Apache-2.0
"""What the switch tells collectors: NetFlow, sFlow, IPFIX."""
