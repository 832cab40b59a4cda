# SPDX-License-Identifier: Apache-2.0
"""The commands of ovs-ofctl, one module a family."""
