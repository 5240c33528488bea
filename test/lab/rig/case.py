# SPDX-License-Identifier: BSD-3-Clause
"""Base of every lab test: one topology for a class, and what must hold after each of its tests."""

import unittest

from . import capture


class Lab(unittest.TestCase):
    """A class of tests that share a topology, made by build() in a sandbox of its own.

    Inside a class tests run in the order of their source. After each one, every router started by the
    topology must be alive, free of sanitizer reports and its ledger must balance; after the last one the
    routers must end with exit code 0, and no clear inner packet may have been on a watched wire.
    """

    release = False  # True: timing matters, never run the build with sanitizers
    timeout = 120  # seconds for one test
    notes = []  # figures of the test, for people

    @classmethod
    def build(cls):
        """Makes the topology; keep what tests need as attributes of the class."""
        raise NotImplementedError

    @classmethod
    def setUpClass(cls):
        cls.routers, cls.leaks = [], []  # build() appends
        cls.build()

    @classmethod
    def watch(cls, ns, ifname):
        """No clear inner packet may be seen on this wire until the class ends (ES-11)."""
        cls.leaks.append(capture.Leaks(ns, ifname).start())

    @staticmethod
    def note(text):
        """A line above the result of the test: what was measured."""
        Lab.notes.append(text)

    def tearDown(self):
        for router in self.routers:
            router.check()

    @classmethod
    def finish(cls):
        """The last test of each class, run by run.py under the name `orderly_end`."""
        for leak in cls.leaks:
            leak.check()
        for router in cls.routers:
            router.end()
