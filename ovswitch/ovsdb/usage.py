# SPDX-License-Identifier: Apache-2.0
"""The connection methods as the programs' `--help` lists them."""

from __future__ import annotations

_ACTIVE = """\
Active {name} connection methods:
  tcp:HOST:PORT           PORT at remote HOST
  ssl:HOST:PORT           SSL PORT at remote HOST
  unix:FILE               Unix domain socket named FILE
"""
_PASSIVE = """\
Passive {name} connection methods:
  ptcp:PORT[:IP]          listen to TCP PORT on IP
  pssl:PORT[:IP]          listen for SSL on PORT on IP
  punix:FILE              listen on Unix domain socket FILE
"""
_PKI = """\
PKI configuration (required to use SSL):
  -p, --private-key=FILE  file with private key
  -c, --certificate=FILE  file with certificate for private key
  -C, --ca-cert=FILE      file with peer CA certificate
"""
_BOOTSTRAP = """\
  --bootstrap-ca-cert=FILE  file with peer CA certificate to read or create
"""
_SSL = """\
SSL options:
  --ssl-protocols=PROTOS  list of SSL protocols to enable
  --ssl-ciphers=CIPHERS   list of SSL ciphers to enable
"""


def stream_usage(
    name: str, *, active: bool = True, passive: bool = True, bootstrap: bool = False
) -> str:
    """Return the part of `--help` on connection methods for protocol `name`."""
    text = "\n"
    if active:
        text += _ACTIVE
    if passive:
        text += _PASSIVE
    text += _PKI
    if bootstrap:
        text += _BOOTSTRAP
    return (text + _SSL).replace("{name}", name)
