# SPDX-License-Identifier: Apache-2.0
"""ovs-vsctl: the switch's own commands over the framework of `ovsdb.ctl`."""
