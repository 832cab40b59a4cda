# SPDX-License-Identifier: Apache-2.0
"""The command framework of the configuration tools: ovs-vsctl, vtep-ctl.

A tool's command line is a chain of commands that run as one transaction. `commands`
parses it, `context` is what a command works on, `database` has the commands that every
such tool offers (get, set, list ...), `show` the overview.
"""
