# SPDX-License-Identifier: Apache-2.0
# The runner of the suites: cases side by side on one event loop, one line per failure, and last
# `N passed, N failed`, with `, N skipped` where a case could not run.
import argparse
import asyncio
import dataclasses
import fnmatch
import os
import sys
import time
import traceback

from support import processes


class Failure(Exception):
    """What was expected and what came instead."""


class Skip(Exception):
    """The case cannot run on this machine; the text says what is missing. See `skips_fail`."""


def check(condition, message):
    if not condition:
        raise Failure(message)


def expect(what, got, wanted):
    """`wanted` is a value or a collection (set, tuple of alternatives in a set) of values that are all right."""
    good = got in wanted if isinstance(wanted, (set, frozenset, range)) else got == wanted
    if not good:
        raise Failure(f"{what}: expected {_short(wanted)}, got {_short(got)}")


def _short(value):
    text = repr(value)
    return text if len(text) <= 300 else f"{text[:200]}… ({len(text)} characters)"


@dataclasses.dataclass
class Case:
    id: str
    section: str  # where the rule stands: "RFC 6455 5.2"
    title: str
    role: str  # the role of the binary under test: "server" or "client"
    run: object  # async callable(environment)
    timeout: float = 15.0
    alone: bool = False  # measures memory or time: no other case of the suite runs meanwhile


class Book:
    """Collects cases that are functions: `@book.case("server/7.1/x", "RFC 6455 7.1", "…")`."""

    def __init__(self):
        self.cases = []

    def case(self, id, section, title, **options):
        role = options.pop("role", id.split("/")[0])

        def keep(function):
            self.cases.append(Case(id, section, title, role, function, **options))
            return function
        return keep

    def add(self, id, section, title, function, **options):
        self.case(id, section, title, **options)(function)


@dataclasses.dataclass
class Outcome:
    case: Case
    status: str  # passed, failed, skipped
    detail: str = ""
    seconds: float = 0.0


# Time-outs are bounds, not measurements: a machine that is busy with something else gets more of them.
PATIENCE = float(os.environ.get("FAIRLEAD_PATIENCE", "3"))


def skips_fail():
    """Where what the cases need must be there, one that cannot run has failed: in continuous integration, and in ./dev, which
    installs the packages that a stage names."""
    return os.environ.get("CI", "") not in ("", "0", "false") or os.environ.get("FAIRLEAD_PEERS") == "installed"


async def _run_case(case, environment):
    started = time.monotonic()
    status, detail = "passed", ""
    try:
        await asyncio.wait_for(case.run(environment), case.timeout * PATIENCE)
    except Skip as skip:
        status, detail = ("failed", f"could not run: {skip}") if skips_fail() else ("skipped", str(skip))
    except Failure as failure:
        status, detail = "failed", str(failure)
    except asyncio.TimeoutError:
        spent = time.monotonic() - started
        what = "not finished" if spent >= case.timeout * PATIENCE else "a wait inside the case ran out"
        status, detail = "failed", f"{what} after {spent:.1f} s"
    except Exception as error:  # a bug of the suite or a way to fail that nobody thought of: a failure either way
        where = traceback.extract_tb(error.__traceback__)[-1]
        status = "failed"
        detail = f"{type(error).__name__}: {error} (at {where.filename.rsplit('/', 1)[-1]}:{where.lineno})"
    return Outcome(case, status, detail, time.monotonic() - started)


def _announce(outcome, verbose):
    case = outcome.case
    if outcome.status == "failed":
        print(f"FAIL {case.id} [{case.section}] {case.title}: {outcome.detail}", flush=True)
    elif outcome.status == "skipped":
        print(f"skip {case.id} {case.title}: {outcome.detail}", flush=True)
    elif verbose:
        print(f"  ok {case.id} {case.title} ({outcome.seconds:.2f} s)", flush=True)


async def run_cases(cases, environment, parallel, verbose):
    outcomes = []
    slots = asyncio.Semaphore(parallel)

    async def one(case):
        async with slots:
            outcome = await _run_case(case, environment)
        outcomes.append(outcome)
        _announce(outcome, verbose)

    await asyncio.gather(*(one(case) for case in cases if not case.alone))
    for case in cases:
        if case.alone:
            await one(case)
    order = {case.id: place for place, case in enumerate(cases)}
    return sorted(outcomes, key=lambda outcome: order[outcome.case.id])


def arguments(description, extra=()):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--list", action="store_true", help="print the cases and run none")
    parser.add_argument("--only", action="append", default=[], metavar="PATTERN",
                        help="run the cases whose id has PATTERN (or matches it as a glob)")
    parser.add_argument("--role", choices=["server", "client"], help="the role of the binary under test")
    parser.add_argument("--parallel", type=int, default=12, help="cases at the same time")
    parser.add_argument("-v", "--verbose", action="store_true")
    for flag, options in extra:
        parser.add_argument(flag, **options)
    return parser.parse_args()


def chosen(cases, options):
    ids = [case.id for case in cases]
    doubled = {one for one in ids if ids.count(one) > 1} if len(ids) != len(set(ids)) else set()
    if doubled:
        raise SystemExit(f"case ids that are not unique: {sorted(doubled)[:5]}")
    wanted = [case for case in cases if options.role in (None, case.role)]
    if not options.only:
        return wanted
    return [case for case in wanted
            if any(pattern in case.id or fnmatch.fnmatch(case.id, pattern) for pattern in options.only)]


def main(cases, options, make_environment, after=None):
    """Runs what the options choose; returns the exit status. `after(outcomes)` may write a report."""
    wanted = chosen(cases, options)
    if options.list:
        for case in wanted:
            print(f"{case.id}\t{case.role}\t{case.section}\t{case.title}")
        return 0

    async def everything():
        environment = await make_environment()
        try:
            return await run_cases(wanted, environment, options.parallel, options.verbose)
        finally:
            await environment.close()
            await processes.reap_all()

    outcomes = asyncio.run(everything())
    if after:
        after(outcomes)
    passed, failed, skipped = (sum(outcome.status == status for outcome in outcomes) for status in ("passed", "failed", "skipped"))
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""), flush=True)
    return 1 if failed or not passed else 0


def exit_with(status):
    sys.stdout.flush()
    sys.exit(status)
