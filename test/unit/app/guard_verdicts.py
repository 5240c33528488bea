#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""test/guard.py: what it counts in callgrind's output, and when it fails."""

import contextlib
import io
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
import guard

OUTPUT = """events: Ir
fn=(1) route
10 100
+3 20
cfn=(2) fib_get
calls=4 0
* 400
fn=(2)
12 400
fn=(3) cipher
1 9000
"""


class Verdicts(unittest.TestCase):
    def verdict(self, count, margin=guard.MARGIN):
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            good = guard.check("p", count, {"p": 500.0}, margin)
        return good, out.getvalue()

    def test_own_instructions_alone(self):
        with tempfile.TemporaryDirectory() as directory:
            path = Path(directory) / "out"
            path.write_text(OUTPUT)
            self.assertEqual(guard.self_costs(path), {"route": 120, "fib_get": 400, "cipher": 9000})

    def test_as_recorded(self):
        for count in (500, 500 * (1 + guard.MARGIN) - 1, 500 * (1 - guard.MARGIN) + 1):
            self.assertTrue(self.verdict(count)[0], count)

    def test_slower(self):
        good, text = self.verdict(520)
        self.assertFalse(good)
        self.assertIn("+4%: what made it slower?", text)

    def test_faster_is_recorded(self):
        good, text = self.verdict(400)
        self.assertFalse(good)
        self.assertIn("-20%: if meant, record it", text)

    def test_another_compiler(self):
        self.assertTrue(self.verdict(520, guard.OTHER_MARGIN)[0])

    def test_nothing_recorded(self):
        with contextlib.redirect_stdout(io.StringIO()) as out:
            self.assertFalse(guard.check("q", 1, {}, guard.MARGIN))
        self.assertIn("none recorded", out.getvalue())


if __name__ == "__main__":
    unittest.main()
