# SPDX-License-Identifier: Apache-2.0
"""The configuration: rows become running switches, whose state goes back to rows.

`config` reads rows into plain values, `switch` holds the running bridges and brings
them into line with those values, `status` writes what happened back.
"""
