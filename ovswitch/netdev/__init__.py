# SPDX-License-Identifier: Apache-2.0
"""Network devices: what an Interface row's `type` stands for.

`provider.open_netdev(name, type)` gives a `Netdev`; the classes are `linux` (system,
internal, tap), `dummy` (for tests) and `patch`.
"""
