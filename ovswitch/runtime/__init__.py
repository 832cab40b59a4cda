# SPDX-License-Identifier: Apache-2.0
"""What every program shares: clock, log, streams, JSON-RPC, unixctl, daemon options.

Nothing here knows of switches. The modules come in two kinds: those that tools
import, which are lean (no asyncio, socket, re, dataclasses), and the shells of the
daemons (`loop`, `aio`, `aio_jsonrpc`, `unixctl.server`, `daemon`, `memory`).
"""
