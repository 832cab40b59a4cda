# SPDX-License-Identifier: Apache-2.0
"""Link protocols (LACP, CFM, BFD, STP, RSTP, LLDP): cores without sockets or clocks."""
