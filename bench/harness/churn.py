# SPDX-License-Identifier: Apache-2.0
"""Does the server's memory stay flat over many connects? Connects and closes so many times, and looks at every tenth."""

import itertools
import time

from . import measure
from . import peers as peering
from . import workloads

CHUNK_SECONDS = 2
SETTLE_SECONDS = 1.5  # longer than a closed connection lingers
ALLOWED_GROWTH_KB = 1024  # from the first tenth to the last: allocators keep a little of what was in use at once


def memory_kb(pid):
    """What the process alone has: heap and stacks, swapped out or not. The pages of its program and libraries stay out of
    it: their share in the proportional set size jumps by megabytes whenever another process that maps them comes or goes."""
    with open(f"/proc/{pid}/smaps_rollup") as rollup:
        return sum(int(line.split()[1]) for line in rollup if line.startswith(("Anonymous:", "Swap:")))


def connect(settings, server, mode):
    """Connects and closes for a while; how often."""
    workload = workloads.Workload("churn", "churn", "connect and close", ("--mode", mode, "--connections", "8", *workloads.SOURCES),
                                  "connects")
    done = measure.pressure(settings, workload, server)["count"]
    if done == 0:
        raise RuntimeError("nothing connects")
    return done


def connect_until(settings, server, modes, done, target):
    while done < target:
        done += connect(settings, server, next(modes))
    return done


def run(settings, peer, connects):
    """[(connects so far, memory in KB)] before the first and after each tenth."""
    settings.seconds, settings.warmup = CHUNK_SECONDS, 0
    modes = itertools.cycle(("handshake", "resume"))
    server = peering.Server(peer, settings.server_core, settings.cert, settings.key)
    try:
        seen = [(0, memory_kb(server.pid))]
        for tenth in range(1, 11):
            done = connect_until(settings, server, modes, seen[-1][0], connects * tenth // 10)
            time.sleep(SETTLE_SECONDS)
            seen.append((done, memory_kb(server.pid)))
            print(f"{done:>10,} connects  {seen[-1][1]:>8,} KB", flush=True)
        return seen
    finally:
        server.stop()


def verdict(seen):
    """(the sentence, whether it stayed flat)"""
    (first, before), (last, after) = seen[1], seen[-1]
    growth = after - before
    flat = growth <= ALLOWED_GROWTH_KB
    text = (f"from {before:,} KB after {first:,} connects to {after:,} KB after {last:,}: {growth:+,} KB, "
            f"{growth * 1024 / max(1, last - first):+.2f} bytes a connect")
    return text + (" (flat)" if flat else f" (GROWS: more than {ALLOWED_GROWTH_KB:,} KB)"), flat
