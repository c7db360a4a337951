# SPDX-License-Identifier: Apache-2.0
# docs/conformance.md from the outcomes of a run: sections × roles, and what did not pass.
import collections
import platform
import ssl
import subprocess

from conformance import record_layers
from support import processes

TARGET = processes.ROOT / "docs/conformance.md"

INTRODUCTION = """<!-- SPDX-License-Identifier: Apache-2.0 -->
<!-- Written by `tests/conformance/run --report`; do not edit. -->
# Conformance

What RFC 6455 (WebSocket), RFC 7692 (permessage-deflate) and, where the opening handshake touches it, RFC 9112 (HTTP/1.1)
demand, as tables of cases that are run against the real binary over TLS: `fairlead echo` is the server under test for a
raw client, `fairlead connect` the client under test for a raw server. Most cases run twice, the second time with each byte in
a TLS record of its own; and those that the record layer can make different run again with OpenSSL's in place of Fairlead's.

"""


def _version():
    try:
        done = subprocess.run([processes.binary(), "version"], capture_output=True, timeout=10, text=True)
        return done.stdout.strip().splitlines()[0] if done.returncode == 0 and done.stdout.strip() else "unknown version"
    except (OSError, subprocess.TimeoutExpired):
        return "unknown version"


def _natural(section):
    return [int(part) if part.isdigit() else part for part in section.replace(".", " ").split()]


def _cell(outcomes):
    if not outcomes:
        return "–"
    counts = collections.Counter(outcome.status for outcome in outcomes)
    good = f"{counts['passed']} passed"
    return good + "".join(f", **{counts[bad]} {bad}**" for bad in ("failed", "skipped") if counts[bad])


def _table(outcomes, group, heading):
    grouped = collections.defaultdict(list)
    for outcome in outcomes:
        grouped[group(outcome.case)].append(outcome)
    yield f"| {heading} | server | client |"
    yield "|---|---|---|"
    for key in sorted(grouped, key=lambda name: [str(part).zfill(6) for part in _natural(name)]):
        cells = [_cell([one for one in grouped[key] if one.case.role == role]) for role in ("server", "client")]
        yield f"| {key} | {cells[0]} | {cells[1]} |"


def _family(case):
    parts = case.id.split("/")
    return f"{case.section}: {parts[1].split('-', 1)[-1].replace('-', ' ')}"


def _cases(outcomes):
    """Each case once; both splits and both record layers of a role in one cell."""
    titles, results = {}, collections.defaultdict(list)
    for outcome in outcomes:
        role, _, rest = outcome.case.id.partition("/")
        name = rest.removesuffix(record_layers.SUFFIX).removesuffix("/bytes")
        titles.setdefault(name, outcome.case)
        results[name, role].append(outcome.status)
    yield "| case | what | server | client |"
    yield "|---|---|---|---|"
    for name, case in titles.items():
        cells = [", ".join(dict.fromkeys(results[name, role])) or "–" for role in ("server", "client")]
        title = case.title.removesuffix(", byte by byte").replace("|", "\\|")
        yield f"| `{name}` | {title} | {cells[0]} | {cells[1]} |"


def write(outcomes):
    counts = collections.Counter(outcome.status for outcome in outcomes)
    lines = [f"Run of {_version()}, peer: Python {platform.python_version()} with {ssl.OPENSSL_VERSION}. "
             f"{counts['passed']} cases passed, {counts['failed']} failed, {counts['skipped']} were skipped.", "",
             "## By section", "", *_table(outcomes, _family, "section"), "", "## Every case", "", *_cases(outcomes), ""]
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(INTRODUCTION + "\n".join(lines), encoding="utf-8")
