# SPDX-License-Identifier: Apache-2.0
"""The parts of `--help` that every control tool shares."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ovswitch.ovsdb.ctl.lookup import RowId

DATABASE_COMMANDS = """\
Database commands:
  list TBL [REC]              list RECord (or all records) in TBL
  find TBL CONDITION...       list records satisfying CONDITION in TBL
  get TBL REC COL[:KEY]       print values of COLumns in RECord in TBL
  set TBL REC COL[:KEY]=VALUE set COLumn values in RECord in TBL
  add TBL REC COL [KEY=]VALUE add (KEY=)VALUE to COLumn in RECord in TBL
  remove TBL REC COL [KEY=]VALUE  remove (KEY=)VALUE from COLumn
  clear TBL REC COL           clear values from COLumn in RECord in TBL
  create TBL COL[:KEY]=VALUE  create and initialize new record
  destroy TBL REC             delete RECord from TBL
  wait-until TBL REC [COL[:KEY]=VALUE]  wait until condition is true
Potentially unsafe database commands require --force option.
"""

OUTPUT_OPTIONS = """
Output formatting options:
  -f, --format=FORMAT         set output formatting to FORMAT
                              ("table", "html", "csv", or "json")
  -d, --data=FORMAT           set table cell output formatting to
                              FORMAT ("string", "bare", or "json")
  --no-headings               omit table heading row
  --pretty                    pretty-print JSON in output
  --bare                      equivalent to "--format=list --data=bare --no-headings"
"""

CONNECTION_OPTIONS = """
Active database connection methods:
  tcp:HOST:PORT           PORT at remote HOST
  ssl:HOST:PORT           SSL PORT at remote HOST
  unix:FILE               Unix domain socket named FILE
Passive database connection methods:
  ptcp:PORT[:IP]          listen to TCP PORT on IP
  pssl:PORT[:IP]          listen for SSL on PORT on IP
  punix:FILE              listen on Unix domain socket FILE
PKI configuration (required to use SSL):
  -p, --private-key=FILE  file with private key
  -c, --certificate=FILE  file with certificate for private key
  -C, --ca-cert=FILE      file with peer CA certificate
"""

BOOTSTRAP_OPTION = """\
  --bootstrap-ca-cert=FILE  file with peer CA certificate to read or create
"""

SSL_OPTIONS = """\
SSL options:
  --ssl-protocols=PROTOS  list of SSL protocols to enable
  --ssl-ciphers=CIPHERS   list of SSL ciphers to enable
"""


def table_list(schema: Any, row_ids: Mapping[str, RowId]) -> str:
    """How the rows of each table can be named."""
    lines = [
        "Database commands may reference a row in each table in the following ways:\n"
    ]
    for name in sorted(schema["tables"]):
        lines.append(f"  {name}:\n    by UUID\n")
        if schema["tables"][name].get("maxRows") == 1:
            lines.append('    as "."\n')
        row_id = row_ids.get(name)
        if row_id is None:
            continue
        if row_id.via is None:
            lines.append(f'    by "{row_id.name}"\n')
        else:
            lines.append(
                f'    via "{row_id.via}" of {row_id.table} with matching '
                f'"{row_id.name}"\n'
            )
    return "".join(lines)
