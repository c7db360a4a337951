# SPDX-License-Identifier: Apache-2.0
"""Tells the figures: a table on the terminal, JSON to compare runs, and the measured part of docs/performance.md."""

import datetime
import json
import os
import pathlib
import platform
import re
import statistics

from . import measure
from . import peers as peering
from . import plot
from . import workloads

OURS = "fairlead"
BYSTANDER_MS = 100  # the longest that somebody who has no part in a storm may wait


def marks(part):
    """What stands around a measured part of the document: "" is the library's, "server" the real-time server's."""
    name = f"measured {part}".strip()
    return f"<!-- {name}: begin -->", f"<!-- {name}: end -->"


def machine():
    cpu = re.search(r"model name\s*:\s*(.+)", pathlib.Path("/proc/cpuinfo").read_text())
    release = re.search(r'PRETTY_NAME="([^"]+)"', pathlib.Path("/etc/os-release").read_text())
    return {
        "cpu": cpu[1].strip() if cpu else platform.processor(),
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "system": release[1] if release else platform.system(),
        "openssl": peering.output_of("openssl", "version"),
    }


def number(value):
    if value is None:
        return "failed"
    if value >= 100_000:
        return f"{value / 1000:,.0f} k"
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def worst_bystander_ms(cell):
    return max(latencies["max"] for latencies in cell.bystander) / 1000


def target_met(workload, cells):
    """[(what, reached)] for each target of the workload whose peer was measured."""
    results = []
    if cells[OURS].bystander:
        results.append((f"bystander ≤ {BYSTANDER_MS} ms", worst_bystander_ms(cells[OURS]) <= BYSTANDER_MS))
    for peer, wanted in workload.targets.items():
        if peer == "":
            reached = cells[OURS].median()
            if reached is not None:
                results.append((f"≤ {wanted:g} KB", reached <= wanted))
        elif peer in cells and (reached := measure.ratio(cells, OURS, peer, workload.lower_is_better)) is not None:
            results.append((f"≥ {wanted:g} of {peer}", reached >= wanted))
    return results


def row(workload, cells, others):
    ours = cells[OURS]
    out = [workload.title, f"{number(ours.median())} {workload.unit if workload.lower_is_better else ''}".strip()]
    for peer in others:
        if peer not in cells:
            out.append("–")
            continue
        value = measure.ratio(cells, OURS, peer, workload.lower_is_better)
        mark = "*" if measure.generator_was_bottleneck(workload, cells[peer]) else ""
        out.append("failed" if value is None else f"{value:.2f}{mark}")
    busy = f"{statistics.median(ours.utilisation):.0%}" if ours.utilisation else "–"
    out.append(busy + ("*" if measure.generator_was_bottleneck(workload, ours) else ""))
    out.append(", ".join(f"{what} {'✓' if met else '✗'}" for what, met in target_met(workload, cells)))
    return out


def header(others):
    return ["work", "fairlead, per CPU second", *(f"to {name}" for name in others), "server busy", "target"]


def plain_table(rows):
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
    return "\n".join([lines[0], "─" * len(lines[0]), *lines[1:]])


def markdown_table(rows):
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([lines[0], "|" + "---|" * len(rows[0]), *lines[1:]])


def summary(workload, cells):
    """One line while the rest is still being measured."""
    ours = cells[OURS]
    compared = [(name, measure.ratio(cells, OURS, name, workload.lower_is_better)) for name in cells if name != OURS]
    parts = [f"{value:.2f} of {name}" for name, value in compared if value is not None]
    return f"{workload.title}: {number(ours.median())} {workload.unit}; " + ", ".join(parts)


def others_of(results):
    names = dict.fromkeys(name for _, cells in results for name in cells)
    return [name for name in names if name != OURS]


def table(results, render):
    others = others_of(results)
    return render([header(others), *(row(workload, cells, others) for workload, cells in results)])


def latency_row(workload, name, cell):
    def middle(key):
        return statistics.median(sample[key] for sample in cell.latency)

    wall = statistics.median(cell.wall)
    return [workload.title, name, number(wall), *(number(middle(key)) for key in ("p50", "p90", "p99", "p99.9"))]


def latencies(results):
    rows = [["work", "server", "per second of wall time", "p50 µs", "p90 µs", "p99 µs", "p99.9 µs"]]
    for workload, cells in results:
        rows += [latency_row(workload, name, cell) for name, cell in cells.items() if cell.latency]
    return rows


def bystanders(results):
    """How long a publisher in another channel waited for its own messages during a storm."""
    for workload, cells in results:
        for name, cell in cells.items():
            if cell.bystander:
                middle = {key: statistics.median(one[key] for one in cell.bystander) / 1000 for key in ("p50", "p99")}
                yield (f"- {workload.title} ({name}): a publisher on another channel waits {middle['p50']:.1f} ms (p50), "
                       f"{middle['p99']:.1f} ms (p99), and {worst_bystander_ms(cell):.1f} ms at the worst.")


def bottlenecks(results):
    """One line for each work in which a server waited for the generator."""
    lines = []
    for workload, cells in results:
        names = [name for name, cell in cells.items() if measure.generator_was_bottleneck(workload, cell)]
        if names:
            lines.append(f"{workload.title} ({', '.join(names)})")
    return lines


def ahead(results):
    """Where a peer does more with a second of CPU, needs less memory or answers sooner than we do."""
    for workload, cells in results:
        for name in cells:
            value = None if name == OURS else measure.ratio(cells, OURS, name, workload.lower_is_better)
            if value is not None and value < 1:
                yield f"- {workload.title}: {name} is ahead, we reach {value:.2f} of it."


def lags(results):
    """How late the generator itself was, which is part of each latency at a given rate."""
    for workload, cells in results:
        if late := {name: statistics.median(one["p99"] for one in cell.lag) for name, cell in cells.items() if cell.lag}:
            yield (f"{workload.title}: the generator itself was late by "
                   + ", ".join(f"{number(value)} µs ({name})" for name, value in late.items()) + " in that percentile.")


def spread(results):
    """A sentence for each work whose connections were too many for one process."""
    for workload, cells in results:
        processes = max(cell.processes for cell in cells.values())
        if processes > 1:
            yield (f"{workload.title}: in {processes} processes of each server at the same time, since one may not have so many "
                   "files open on this machine.")


def failures(results):
    """Each message once, with where it was met."""
    met = {}
    for workload, cells in results:
        for name, cell in cells.items():
            for failure in dict.fromkeys(cell.failures):
                met.setdefault(failure, []).append(f"{workload.name} ({name})")
    return [f"{', '.join(places)}: {failure}" for failure, places in met.items()]


def save_json(folder, results, peers, settings):
    folder.mkdir(parents=True, exist_ok=True)
    when = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    data = {
        "when": when,
        "machine": machine(),
        "versions": {peer.name: peer.version for peer in peers},
        "rounds": settings.rounds,
        "seconds": settings.seconds,
        "workloads": {workload.name: {name: vars(cell) for name, cell in cells.items()} for workload, cells in results},
    }
    path = folder / f"{when}.json"
    path.write_text(json.dumps(data, indent=1) + "\n")
    return path


def load_json(path):
    """What `save_json` has written: [(workload, {peer name: Cell})], for the workloads that there still are."""
    saved = json.loads(pathlib.Path(path).read_text())["workloads"]
    return [(workload, {name: measure.Cell(**cell) for name, cell in saved[workload.name].items()})
            for workload in workloads.WORKLOADS if workload.name in saved]


def together(earlier, results):
    """Both, in the order of the list; what was measured twice counts as it was measured last."""
    cells = {workload.name: cells for workload, cells in [*earlier, *results]}
    return [(workload, cells[workload.name]) for workload in workloads.WORKLOADS if workload.name in cells]


def measured_part(results, peers, settings, command, part):
    facts = machine()
    begin, end = marks(part)
    tls = next((cell.tls for _, cells in results for cell in cells.values() if cell.tls), {})
    bound = bottlenecks(results)
    taken = sorted({len(cells[OURS].values) for _, cells in results})
    rounds = f"{taken[0]}" if len(taken) == 1 else f"{taken[0]} to {taken[-1]}"
    return "\n".join([
        begin,
        f"Measured {datetime.date.today().isoformat()} with `{command}`: {rounds} rounds of {settings.seconds:g} s"
        f"{' (what --with names: of its own length)' if '--with' in command else ''}, the servers in turn within each round; a ratio is the median of the rounds' ratios, above 1 is better for "
        "Fairlead.",
        "",
        f"Machine: {facts['cpu']}, {facts['cores']} cores, {facts['system']}, Linux {facts['kernel']}; "
        f"{facts['openssl']}; {tls.get('version', 'TLS')} {tls.get('cipher', '')}, ECDSA P-256.",
        f"Servers: {'; '.join(f'{peer.name} ({peer.version})' for peer in peers)}.",
        "",
        markdown_rows(results),
        "",
        f"![The ratios of the table on a logarithmic scale]({plot.file_name(part)})",
        "",
        "The generator was the bottleneck (server less than 85 % busy, marked *): "
        + ("; ".join(bound) if bound else "nowhere") + ".",
        "",
        *[line for sentence in [*lags(results), *spread(results)] for line in (sentence, "")],
        *(list(bystanders(results)) or []),
        "### Where others are ahead",
        "",
        *(list(ahead(results)) or ["Nowhere in this run."]),
        *[f"- failed: {failure}" for failure in failures(results)],
        "",
        "### Rates and latencies",
        "",
        "At full speed (closed loop), so these are the latencies of a saturated server, but for those at so many messages a "
        "second, which are counted from when each message was due.",
        "",
        markdown_table(latencies(results)),
        end,
    ])


def markdown_rows(results):
    return table(results, markdown_table)


def update_document(path, measured, part):
    text = path.read_text()
    begin, end = marks(part)
    before, rest = text.split(begin, 1)
    path.write_text(before + measured + rest.split(end, 1)[1])


def draw(folder, results, part):
    """The table's ratios as a picture."""
    others = others_of(results)
    rows = [(workload.title, {name: measure.ratio(cells, OURS, name, workload.lower_is_better) for name in others if name in cells})
            for workload, cells in results]
    (folder / plot.file_name(part)).write_text(plot.svg(rows, others))
