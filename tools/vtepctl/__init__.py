# SPDX-License-Identifier: Apache-2.0
"""vtep-ctl: a VTEP's own commands over the framework of `ovsdb.ctl`."""
