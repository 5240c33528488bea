# SPDX-License-Identifier: BSD-3-Clause
"""Waiting for events with a deadline, never for an amount of time."""

import time


class Timeout(AssertionError):
    """What was waited for did not happen in time: a failed test, not an error of the lab."""


def until(ask, timeout, what, step=0.02):
    """Calls ask() until it returns something true, and returns that. `timeout` in seconds."""
    end = time.monotonic() + timeout
    while True:
        answer = ask()
        if answer:
            return answer
        if time.monotonic() > end:
            raise Timeout(f"not within {timeout:g} s: {what}")
        time.sleep(step)


class Stopwatch:
    """Seconds since it was made."""

    def __init__(self):
        self.start = time.monotonic()

    def __call__(self):
        return time.monotonic() - self.start
