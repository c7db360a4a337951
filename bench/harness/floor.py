# SPDX-License-Identifier: Apache-2.0
"""What the kernel leaves to win: echo over bare TCP, in turn with a peer's and ours, on the work whose targets we miss."""

import json
import statistics
import subprocess

from . import measure
from . import peers as peering
from . import workloads

CELLS = (("echo-20B-p1", 20, 1), ("echo-20B-p16", 20, 16), ("echo-1KiB-p1", 1024, 1), ("echo-1KiB-p16", 1024, 16))
READY = r"listening on (tcp://[^/\s]+)/"
RECORD_BYTES = 5 + 1 + 16  # header, content type, tag
MASKED_HEAD_BYTES = {20: 6, 1024: 8}
MOST_IN_A_RECORD = 16 * 1024
CONNECTIONS = 16


def wire_bytes(size, pipeline):
    """Of the messages that a client sends at once, which share TLS records."""
    frames = pipeline * (MASKED_HEAD_BYTES[size] + size)
    return frames + RECORD_BYTES * -(-frames // MOST_IN_A_RECORD)


def bare_us(settings, server, size, pipeline):
    """Server CPU for each message, in µs."""
    command = ["taskset", "-c", str(settings.generator_core), str(settings.programs / "bench_floor"), "load", server.port(),
               str(wire_bytes(size, pipeline)), str(CONNECTIONS), str(server.pid), str(settings.seconds)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60 + settings.seconds, check=True)
    report = json.loads(done.stdout)
    if report["count"] == 0:
        raise RuntimeError("nothing came back over bare TCP")
    return 1e6 * report["cpu_seconds"] / report["count"] / pipeline


def echo_us(settings, workload, server):
    report = measure.pressure(settings, workload, server)
    return 1e6 * report["server"]["cpu_seconds"] / report["count"]


def one_cell(settings, name, size, pipeline, bare, others):
    """{who: µs for each message}, medians of all rounds."""
    workload = next(one for one in workloads.WORKLOADS if one.name == name)
    seen = {"bare TCP": [], **{peer.name: [] for peer in others}}
    with measure.running(settings, workload, bare) as tcp:
        for peer in others:  # one at a time beside the bare one: more would keep more memory warm than any of them needs
            with measure.running(settings, workload, peer) as server:
                for _ in range(settings.rounds):
                    seen["bare TCP"].append(bare_us(settings, tcp, size, pipeline))
                    seen[peer.name].append(echo_us(settings, workload, server))
    return workload, {who: statistics.median(values) for who, values in seen.items()}


def run(settings, ours, theirs):
    bare = peering.Peer("bare TCP", (str(settings.programs / "bench_floor"), "serve"), "", kind="bare", ready=READY)
    lines = [f"| work | bare TCP | fairlead | {theirs.name} | fairlead to {theirs.name} | bare TCP to {theirs.name} | target |",
             "|---|---|---|---|---|---|---|"]
    for name, size, pipeline in CELLS:
        workload, us = one_cell(settings, name, size, pipeline, bare, (ours, theirs))
        peer, target = us[theirs.name], workload.targets.get(theirs.name)
        lines.append(f"| {workload.title} | {us['bare TCP']:.2f} µs | {us[ours.name]:.2f} µs | {peer:.2f} µs | "
                     f"{peer / us[ours.name]:.2f} | {peer / us['bare TCP']:.2f} | ≥ {target} |")
        print(lines[-1], flush=True)
    return "\n".join(lines)
