#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Runs test programs and counts every single test in them: programs.py SUITE BUILD [-k WORD] [-j JOBS]

lint   test/lint.sh
unit   the programs that meson registered with suite 'unit' in the build directory BUILD
property  likewise 'property': the long part of unit, meant for a build without sanitizers
sim    likewise 'sim'
sweep  likewise 'sweep': the long part of sim, meant for a build without sanitizers
fuzz   the libFuzzer targets of BUILD: all seeds of test/fuzz/corpus/TARGET, then --seconds of new inputs

A program that speaks TAP (cmocka does, when asked) has one test per line of it; any other program is one
test. A skipped test has failed, and so has what a program promised but, because it crashed, did not report.
"""

import argparse
import concurrent.futures
import json
import os
import re
import shutil
import subprocess
import sys
import time

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), ".."))
TAIL_LINES = 40
SANITIZERS = {
    # gcc 12 aligns what it moves to the fake stack too little for cache-line types
    "ASAN_OPTIONS": "abort_on_error=1:detect_stack_use_after_return=0:strict_string_checks=1",
    "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
    "LSAN_OPTIONS": f"suppressions={TOP}/test/lsan.supp:print_suppressions=0",
}


class Program:
    """One program to run; `again` is what a person types to run it alone."""

    def __init__(self, name, argv, env=None, cwd=None, timeout=300):
        self.name, self.argv, self.cwd, self.timeout = name, argv, cwd, timeout
        self.env = dict(os.environ, **SANITIZERS, **(env or {}))

    def run(self):
        """[(test, seconds, why)]; why is None for what passed."""
        start = time.monotonic()
        try:
            done = subprocess.run(self.argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, env=self.env, cwd=self.cwd, timeout=self.timeout)
            output, code = done.stdout.decode(errors="replace"), done.returncode
        except subprocess.TimeoutExpired as late:
            output = (late.stdout or b"").decode(errors="replace") + f"\nnot done within {self.timeout} s"
            code = -1
        return self.judge(output, code, time.monotonic() - start)

    def judge(self, output, code, seconds):
        results = re.findall(r"^(ok|not ok)\b\s*\d*\s*-?\s*(.*)$", output, re.M)
        tail = "\n".join(output.splitlines()[-TAIL_LINES:]) + f"\nexit code {code}"
        if not results:
            return [(self.name, seconds, tail if code else None)]
        rows = [(f"{self.name}.{test.strip()}", seconds / len(results),
                 None if verdict == "ok" and not re.search("# *skip", test, re.I) else tail)
                for verdict, test in results]
        planned = sum(int(n) for n in re.findall(r"^1\.\.(\d+)", output, re.M))
        missing = max(planned - len(results), 0)
        rows += [(f"{self.name}.test-{len(results) + i + 1}", 0, f"was not reported\n{tail}")
                 for i in range(missing)]
        if code and not missing and all(verdict == "ok" for verdict, _ in results):
            rows.append((self.name, seconds, tail))
        return rows


def meson_programs(suite, build):
    listed = json.loads(subprocess.check_output(["meson", "introspect", "--tests", build]))
    for test in listed:
        if suite in [s.split(":")[-1] for s in test["suite"]]:
            # meson gives 30 s by default; sanitizers and a busy machine need more
            yield Program(test["name"], test["cmd"], dict(test["env"], CMOCKA_MESSAGE_OUTPUT="TAP"),
                          test["workdir"], timeout=max(300, test["timeout"] * 4))


def fuzz_programs(build, seconds):
    listed = json.loads(subprocess.check_output(["meson", "introspect", "--targets", build]))
    scratch = os.path.join(build, "fuzz-run")
    shutil.rmtree(scratch, ignore_errors=True)
    for target in listed:
        if target["type"] != "executable" or os.path.dirname(target["defined_in"]) != f"{TOP}/test/fuzz":
            continue
        name, program = target["name"], target["filename"][0]
        seeds = os.path.join(TOP, "test", "fuzz", "corpus", re.sub("^fuzz_", "", name))
        found = os.path.join(scratch, name)
        os.makedirs(found)
        common = [program, "-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=1",
                  f"-artifact_prefix={found}/crash-"]
        if os.path.isdir(seeds):
            yield Program(f"{name}.seeds", [*common, "-runs=0", seeds])
        yield Program(f"{name}.{seconds}s", [*common, f"-max_total_time={seconds}", found,
                                             *([seeds] if os.path.isdir(seeds) else [])],
                      timeout=seconds + 120)


def collect(args):
    if args.suite == "lint":
        return [Program("lint", [os.path.join(TOP, "test", "lint.sh")], cwd=TOP, timeout=600)]
    if args.suite == "fuzz":
        return list(fuzz_programs(os.path.abspath(args.build), args.seconds))
    return list(meson_programs(args.suite, args.build))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suite", choices=["lint", "unit", "property", "sim", "sweep", "fuzz"])
    parser.add_argument("build", nargs="?", default=os.path.join(TOP, "build"))
    parser.add_argument("-k", metavar="WORD", help="only programs whose name fits this regular expression")
    parser.add_argument("-j", metavar="JOBS", type=int, default=2)
    parser.add_argument("--seconds", type=int, default=10, help="of new inputs for each fuzz target")
    args = parser.parse_args()
    programs = [p for p in collect(args) if not args.k or re.search(args.k, p.name)]
    passed = failed = 0
    with concurrent.futures.ThreadPoolExecutor(args.j) as pool:
        for program, rows in zip(programs, pool.map(Program.run, programs)):
            for test, seconds, why in rows:
                print(f"{'FAIL' if why else 'ok  '}  {args.suite} {test} ({seconds:.1f} s)")
                if why:
                    print("\n".join("      " + line for line in why.splitlines()))
                    print(f"      again:    {' '.join(program.argv)}")
            passed += sum(why is None for _, _, why in rows)
            failed += sum(why is not None for _, _, why in rows)
            sys.stdout.flush()
    if not programs and not args.k:
        print(f"FAIL  {args.suite}: nothing to run")
        failed = 1
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
