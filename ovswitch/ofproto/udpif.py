# SPDX-License-Identifier: Apache-2.0
"""stub"""
class Udpif:
    def __init__(self, backer): self.backer = backer
    def __getattr__(self, name): return lambda *a, **k: None
