#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Runs lab tests: run.py [SUITE...] [-k WORD] [-j JOBS] [--list]

A suite lab-X is the files test_X_*.py here. Each class in them is a topology; it runs in a process and a
sandbox of its own (rig/sandbox.py), JOBS of them side by side. One line per test; a failed one is followed
by the reason and the ends of the logs. Exit code 0 when all passed.

TRANSITD_BUILD names the release build (default build/); TRANSITD_BUILD_ASAN one with sanitizers, which
classes without `release = True` then run.
"""

import argparse
import glob
import importlib
import json
import os
import queue
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import traceback
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True

from rig import sandbox, tools  # noqa: E402
from rig.case import Lab  # noqa: E402

LAST = "orderly_end"  # the name of the checks that end a class
NO_TOPOLOGY = "no topology, see above"


def suites():
    """{suite: [module]} of what lies in this folder."""
    found = {}
    for path in sorted(glob.glob(os.path.join(HERE, "test_*_*.py"))):
        module = os.path.basename(path)[:-3]
        found.setdefault("lab-" + module.split("_")[1], []).append(module)
    return found


def classes(module):
    """The Lab classes that a module defines itself, in the order of their source."""
    loaded = importlib.import_module(module)
    return [c for c in vars(loaded).values() if isinstance(c, type) and issubclass(c, Lab)
            and c.__module__ == module and tests(c)]


def tests(cls):
    """Names of the test methods in the order of their source, those of base classes first."""
    names = {}
    for base in reversed(cls.__mro__):
        names.update((n, None) for n in vars(base) if n.startswith("test_"))
    return list(names)


# ---- inside the sandbox: one class ----

def report(name, seconds, why=None):
    print(json.dumps({"test": name, "seconds": round(seconds, 2), "why": why, "notes": Lab.notes}), flush=True)
    Lab.notes = []


def drops_of(cls):
    """What the routers of a failed test have dropped so far, for the reader of the reason."""
    lines = []
    for router in getattr(cls, "routers", []):
        try:
            rows = router.counters().items()
            lines += [f"{router.name}: {slot} dropped {row['drops']}" for slot, row in rows if any(row["drops"].values())]
        except Exception as why:  # noqa: BLE001  it may be what failed
            lines.append(f"{router.name} does not tell what it dropped: {why}")
    return "".join(f"-- {line}\n" for line in lines)


def attempt(cls, name, limit, what):
    """Runs one step under a deadline and reports it; False when it failed."""
    def too_late(*_):
        raise TimeoutError(f"not done within {limit} s")
    start = time.monotonic()
    signal.signal(signal.SIGALRM, too_late)
    signal.alarm(limit)
    try:
        what()
        why = None
    except unittest.SkipTest as skip:
        why = f"skipped, which counts as failed: {skip}"
    except Exception:  # noqa: BLE001  whatever it is, the test failed
        why = traceback.format_exc()
    finally:
        signal.alarm(0)
    if why:
        why += "\n" * (not why.endswith("\n")) + drops_of(cls)
    report(name, time.monotonic() - start, why)
    return why is None


def run_class(module, class_name, chosen):
    sandbox.enter()
    cls = getattr(importlib.import_module(module), class_name)
    limit = cls.timeout
    start = time.monotonic()
    try:
        cls.setUpClass()
    except Exception:  # noqa: BLE001
        why = "the topology could not be made:\n" + traceback.format_exc()
        for name in [*chosen, LAST]:
            report(name, time.monotonic() - start, why)
            why = NO_TOPOLOGY
        return
    for name in chosen:
        case = cls(name)

        def steps(case=case, name=name):
            try:
                case.setUp()
                getattr(case, name)()
            finally:
                case.doCleanups()
            case.tearDown()
        attempt(cls, name, limit, steps)
    attempt(cls, LAST, limit, cls.finish)


# ---- outside: all of them ----

class Summary:
    def __init__(self):
        self.lock = threading.Lock()
        self.passed, self.failed = 0, []

    def add(self, suite, where, result, logs):
        name = f"{where}.{result['test']}"
        with self.lock:
            for note in result.get("notes", []):
                print(f"      {note}", flush=True)
            if result["why"] is None:
                self.passed += 1
                print(f"ok    {suite} {name} ({result['seconds']:.1f} s)", flush=True)
                return
            self.failed.append(name)
            print(f"FAIL  {suite} {name} ({result['seconds']:.1f} s)")
            print(indent(result["why"].strip()))
            if result["why"] == NO_TOPOLOGY:
                return
            print(indent(log_tails(logs)))
            print(f"      all logs: {logs}\n      again:    sudo test/lab/run.py {suite} -k {name}", flush=True)


def indent(text):
    return "\n".join("      " + line for line in text.splitlines())


def log_tails(folder, lines=12):
    """The last lines of the routers' logs, which say most."""
    out = []
    for path in sorted(glob.glob(os.path.join(folder, "transitd-*.log"))):
        with open(path, errors="replace") as log:
            tail = log.read().splitlines()[-lines:]
        out += [f"-- {os.path.basename(path)}", *tail]
    return "\n".join(out)


def run_job(job, summary, args):
    suite, module, cls, chosen = job
    where = f"{module[len('test_'):]}.{cls.__name__}"
    logs = os.path.join(args.logs, where)
    shutil.rmtree(logs, ignore_errors=True)
    os.makedirs(logs)
    env = dict(os.environ, TRANSITD_LAB_LOGS=logs, TRANSITD_BUILD=tools.build_dir())
    if "TRANSITD_BUILD_ASAN" in env and not cls.release:
        env["TRANSITD_BUILD_APP"] = env["TRANSITD_BUILD_ASAN"]
    limit = (len(chosen) + 2) * cls.timeout
    with open(os.path.join(logs, "stderr.log"), "w") as errors:
        child = subprocess.Popen([sys.executable, os.path.join(HERE, "run.py"), "--class", module, cls.__name__,
                                  *chosen], stdout=subprocess.PIPE, stderr=errors, text=True, env=env,
                                 preexec_fn=sandbox.die_with_parent)
        guard = threading.Timer(limit, child.kill)
        guard.start()
        missing = [*chosen, LAST]
        for line in child.stdout:
            result = json.loads(line)
            missing.remove(result["test"])
            summary.add(suite, where, result, logs)
        child.wait()
        guard.cancel()
    with open(os.path.join(logs, "stderr.log"), errors="replace") as errors:
        words = errors.read()[-2000:]
    for name in missing:
        summary.add(suite, where, {"test": name, "seconds": 0, "why": f"the test process ended early: {words}"},
                    logs)


def plan(args):
    known = suites()
    jobs = []
    for suite in args.suite or known:
        if suite not in known:
            sys.exit(f"unknown suite '{suite}'; there are: {' '.join(known)}")
        for module in known[suite]:
            for cls in classes(module):
                full = f"{module[len('test_'):]}.{cls.__name__}"
                chosen = [t for t in tests(cls) if not args.k or re.search(args.k, f"{full}.{t}")]
                if chosen or (args.k and re.search(args.k, f"{full}.{LAST}")):
                    jobs.append((suite, module, cls, chosen))
    return jobs


def main():
    if len(sys.argv) > 3 and sys.argv[1] == "--class":
        return run_class(sys.argv[2], sys.argv[3], sys.argv[4:])
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suite", nargs="*", help=", ".join(suites()))
    parser.add_argument("-k", metavar="WORD", help="only tests whose full name fits this regular expression")
    parser.add_argument("-j", metavar="JOBS", type=int, default=2, help="classes side by side (default 2)")
    parser.add_argument("--logs", default=os.path.join(tools.build_dir(), "lab-logs"), help="folder of all logs")
    parser.add_argument("--suites", action="store_true", help="print the names of all suites and run nothing")
    parser.add_argument("--list", action="store_true", help="print the names and run nothing")
    args = parser.parse_args()
    if args.suites:
        print(" ".join(suites()))
        return 0
    jobs, summary = plan(args), Summary()
    if args.list:
        for suite, module, cls, chosen in jobs:
            print("\n".join(f"{suite} {module[len('test_'):]}.{cls.__name__}.{t}" for t in chosen))
        return 0
    if os.geteuid() != 0:
        sys.exit("the lab makes network namespaces: run it as root")
    waiting = queue.SimpleQueue()
    for job in jobs:
        waiting.put(job)

    def worker():
        while True:
            try:
                job = waiting.get_nowait()
            except queue.Empty:
                return
            run_job(job, summary, args)
    threads = [threading.Thread(target=worker, daemon=True) for _ in range(args.j)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(f"{summary.passed} passed, {len(summary.failed)} failed")
    return 1 if summary.failed else 0


if __name__ == "__main__":
    sys.exit(main())
