# SPDX-License-Identifier: Apache-2.0
"""The benchmark: cases, their surroundings, and what is reported.

`case` says what a case is and `cases/` has them; `place` gives each measurement its
own directories, namespaces and daemons; `accounts` reads what they cost; `table`
keeps and prints the readings. Only the standard library is needed.
"""
