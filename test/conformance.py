#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Checks conformance.md: every rule has a test, and every test that it names is there. One line per finding."""

import ast
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TABLE = os.path.join(HERE, "conformance.md")
# Rows that must be there, by the numbers that were given; what is missing is not done yet.
RULES = [*(f"V2-{n:02}" for n in range(1, 35)), *(f"V1-{n:02}" for n in (*range(1, 13), 14)),
         *(f"ES-{n:02}" for n in range(1, 20)), *(f"BG-{n:02}" for n in range(1, 23)),
         *(f"I{n}" for n in range(1, 24)), *(f"E{n}" for n in range(1, 9)), *(f"G{n}" for n in range(1, 11)),
         *(f"P{n}" for n in range(1, 14)), *(f"B{n}" for n in range(1, 12)),
         *(f"A{n}" for n in (1, 2, 3, *range(5, 12), 16, *range(18, 23))), *(f"R{n}" for n in (*range(1, 7), 8)),
         *(f"H{n}" for n in range(1, 6)), *(f"T{n}" for n in (2, 3, 4, 6, 9, 10)),
         *(f"O{n}" for n in (3, 4, 5, 7, 8, 10)), "X1", "X3", "X13", *(f"M{n}" for n in range(1, 5)),
         *(f"C-{n:02}" for n in (*range(1, 16), 20, 25, 26, *range(30, 36), 40, 42, 43, 46, 47))]


def names_of_c(text):
    """Functions that are defined, at the start of a line."""
    return set(re.findall(r"^(?:static )?(?:int|void|bool|unsigned)\s+\*?(\w+)\(", text, re.M))


def names_of_python(text):
    """Classes, functions, and Class.method."""
    found = set()
    for node in ast.parse(text).body:
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)):
            found.add(node.name)
        if isinstance(node, ast.ClassDef):
            methods = [n.name for n in node.body if isinstance(n, ast.FunctionDef)]
            found.update(methods)
            found.update(f"{node.name}.{method}" for method in methods)
    return found


def names_in(path, cache={}):
    """None: there is no such file."""
    if path not in cache:
        full = os.path.join(HERE, path)
        cache[path] = None
        if os.path.isfile(full):
            with open(full) as file:
                cache[path] = (names_of_python if path.endswith(".py") else names_of_c)(file.read())
    return cache[path]


def findings():
    rows = {}
    with open(TABLE) as table:
        for number, line in enumerate(table, 1):
            row = re.match(r"\| ((?:V1|V2|ES|BG|C)-\d+|[ABEGHIMOPRTX]\d+) \| (.+) \| (.*) \|$", line)
            if not row:
                continue
            rule, _, tests = row.groups()
            if rule in rows:
                yield number, f"{rule} has a row already"
            rows[rule] = number
            for place in filter(None, (part.strip() for part in tests.split(";"))):
                path, _, wanted = place.partition(": ")
                known = names_in(path)
                if known is None:
                    yield number, f"{rule}: there is no test/{path}"
                    continue
                for name in filter(None, wanted.split(", ")):
                    if name not in known:
                        yield number, f"{rule}: test/{path} has no {name}"
            if not tests.strip():
                yield number, f"{rule} has no test"
    for rule in RULES:
        if rule not in rows:
            yield 1, f"{rule} has no row"


if __name__ == "__main__":
    found = list(findings())
    for number, what in found:
        print(f"test/conformance.md:{number}: {what}")
    sys.exit(1 if found else 0)
