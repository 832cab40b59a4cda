# SPDX-License-Identifier: Apache-2.0
"""What people write: flows, packets, ports and their files, as messages."""
