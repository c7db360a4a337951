# SPDX-License-Identifier: Apache-2.0
"""Runs a workload on all peers in turn, several rounds, and keeps the figures of each round."""

import concurrent.futures
import contextlib
import dataclasses
import json
import statistics
import subprocess
import sys

from . import peers as peering
from . import workloads

AT_LEAST_OF_RATE = 0.99  # of the messages that were due
LATE_US = 100  # a generator that is later than this behind its schedule (p99) was disturbed: measured again
TRIES = 3
FILES_BESIDES = 500  # that a process has open beside its connections
BUSY = 0.85  # a server whose core is less busy than this at a full pipeline waited for the generator


@dataclasses.dataclass
class Settings:
    generator: str
    programs: object
    cert: object
    key: object
    server_core: int
    generator_core: int
    rounds: int
    seconds: float
    warmup: float
    files: int  # that one process may have open


@dataclasses.dataclass
class Cell:
    """What one peer did on one workload: a figure for each round (None: it failed), and the generator's last report."""

    values: list = dataclasses.field(default_factory=list)
    utilisation: list = dataclasses.field(default_factory=list)
    wall: list = dataclasses.field(default_factory=list)
    latency: list = dataclasses.field(default_factory=list)
    failures: list = dataclasses.field(default_factory=list)
    bystander: list = dataclasses.field(default_factory=list)
    tls: dict = dataclasses.field(default_factory=dict)
    lag: list = dataclasses.field(default_factory=list)  # of the generator behind its schedule
    processes: int = 1  # over which the connections were spread

    def median(self):
        good = [value for value in self.values if value is not None]
        return statistics.median(good) if good else None


def bench_command(settings, workload, server):
    return [settings.generator, "bench", server.url(workload.path), "--ca", str(settings.cert), "--json"]


def realtime_command(settings, workload, server):
    speech = {"fairlead": workload.speech, "bun": "bun", "nats-server": "nats"}[server.peer.name]
    return [str(settings.programs / "bench_realtime"), "--port", server.port(), "--cert", str(settings.cert), "--speech",
            speech, "--api-key", peering.API_KEY]


def pressure(settings, workload, server):
    """One run of the generator against one server: its JSON report."""
    limit = 180 + settings.seconds + settings.warmup
    generator = realtime_command if workload.realtime else bench_command
    command = ["taskset", "-c", str(settings.generator_core), *generator(settings, workload, server),
               "--server-pid", str(server.pid), "--duration", str(settings.seconds), "--warmup", str(settings.warmup),
               *workload.arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=limit)
    if done.returncode != 0:
        raise RuntimeError((done.stderr.strip() or f"the generator ended with {done.returncode}").splitlines()[-1])
    return json.loads(done.stdout)


def note(cell, workload, report):
    server = report["server"]
    if workload.memory:
        cell.values.append(server["memory_per_connection_bytes"] / 1000)
        return
    if server["cpu_seconds"] <= 0:
        raise RuntimeError("the server used no CPU time")
    cell.values.append(figure(workload, report))
    cell.utilisation.append(server["utilisation"])
    cell.wall.append(report["per_second"])
    cell.latency.append(report["latency_us"])
    if workload.rate:
        cell.lag.append(report["generator_lag_us"])
    if "bystander_us" in report:
        cell.bystander.append(report["bystander_us"])
    cell.tls = report.get("tls", {})


def figure(workload, report):
    """What is compared."""
    if not workload.rate:
        return report["count"] / report["server"]["cpu_seconds"]
    if report["per_second"] < AT_LEAST_OF_RATE * workload.rate:
        raise RuntimeError(f"{report['per_second']:,.0f} of {workload.rate:,} messages a second came back")
    return report["latency_us"]["p99"]


def undisturbed(settings, workload, server):
    """The report of a run; at a given rate, of the first in which the generator itself kept to its schedule, or else the last."""
    for _ in range(TRIES):
        report = pressure(settings, workload, server)
        if not workload.rate or report["generator_lag_us"]["p99"] <= LATE_US:
            break
    return report


def attempt(settings, workload, server, cell):
    try:
        note(cell, workload, undisturbed(settings, workload, server))
    except (RuntimeError, subprocess.TimeoutExpired, json.JSONDecodeError, KeyError) as failure:
        cell.values.append(None)
        cell.failures.append(str(failure))


@contextlib.contextmanager
def running(settings, workload, peer):
    server = peering.Server(peer, settings.server_core, settings.cert, settings.key, workload.compress)
    try:
        yield server
    finally:
        server.stop()


def on_a_fresh_server(settings, workload, peer, cell):
    try:
        with running(settings, workload, peer) as server:
            attempt(settings, workload, server, cell)
    except peering.DidNotStart as failure:
        cell.values.append(None)
        cell.failures.append(str(failure))


def shares(connections, files):
    """How many connections each process gets, if one may have so many files open."""
    if files < 2 * FILES_BESIDES:
        raise SystemExit(f"one process may have {files} files open here: too few to measure {connections:,} connections")
    processes = -(-connections // (files - FILES_BESIDES))
    return [(connections * (at + 1)) // processes - (connections * at) // processes for at in range(processes)]


def on_fresh_servers(settings, workload, peer, cell, parts):
    """As many servers as there are parts, each with a generator of its own, all at the same time."""
    cell.processes = len(parts)
    try:
        with contextlib.ExitStack() as stack:
            servers = [stack.enter_context(running(settings, workload, peer)) for _ in parts]
            with concurrent.futures.ThreadPoolExecutor(len(parts)) as pool:
                reports = list(pool.map(lambda part, server: pressure(settings, idle_part(workload, part), server), parts, servers))
        grown = sum(report["server"]["memory_per_connection_bytes"] * part for report, part in zip(reports, parts))
        cell.values.append(grown / sum(parts) / 1000)
    except (peering.DidNotStart, RuntimeError, subprocess.TimeoutExpired, json.JSONDecodeError, KeyError) as failure:
        cell.values.append(None)
        cell.failures.append(str(failure))


def idle_part(workload, connections):
    return dataclasses.replace(workload, arguments=workloads.idle_arguments(connections))


def start_all(settings, workload, peers, cells, stack):
    """{peer name: Server} of those that start; the others' cells say why they did not."""
    servers = {}
    for peer in peers:
        try:
            servers[peer.name] = stack.enter_context(running(settings, workload, peer))
        except peering.DidNotStart as failure:
            cells[peer.name].failures.append(str(failure))
    return servers


def one_round(settings, workload, peers, servers, cells, number):
    start = number % len(peers)  # nobody is always first
    for peer in peers[start:] + peers[:start]:
        cell = cells[peer.name]
        parts = shares(workload.connections, settings.files) if workload.connections else []
        if len(parts) > 1:
            on_fresh_servers(settings, workload, peer, cell, parts)
        elif workload.fresh:
            on_a_fresh_server(settings, workload, peer, cell)
        elif peer.name in servers:
            attempt(settings, workload, servers[peer.name], cell)
        else:
            cell.values.append(None)


def progress(text):
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


def run_workload(settings, workload, peers):
    """{peer name: Cell}. All servers are up at the same time, so that each round meets the same weather."""
    peers = [peer for peer in peers if not workload.peers or peer.name in workload.peers]
    if workload.group == "fanout":
        peers = [peering.fanout_peer(peer, settings.programs) for peer in peers]
    cells = {peer.name: Cell() for peer in peers}
    with contextlib.ExitStack() as stack:
        servers = {} if workload.fresh else start_all(settings, workload, peers, cells, stack)
        rounds = min(settings.rounds, workload.rounds or settings.rounds) * workload.repeat
        for number in range(rounds):
            progress(f"{workload.title}: round {number + 1} of {rounds}")
            one_round(settings, workload, peers, servers, cells, number)
    progress("")
    return cells


def ratios(cells, ours, theirs, lower_is_better=False):
    """Ours to theirs, round by round; more than 1 is always better for us."""
    pairs = [(a, b) for a, b in zip(cells[ours].values, cells[theirs].values) if a and b]
    return [(b / a if lower_is_better else a / b) for a, b in pairs]


def ratio(cells, ours, theirs, lower_is_better=False):
    all_rounds = ratios(cells, ours, theirs, lower_is_better)
    return statistics.median(all_rounds) if all_rounds else None


def generator_was_bottleneck(workload, cell):
    return workload.saturates and bool(cell.utilisation) and statistics.median(cell.utilisation) < BUSY
