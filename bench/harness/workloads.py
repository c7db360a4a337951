# SPDX-License-Identifier: Apache-2.0
"""The work that servers are compared on, and what we want to reach on it."""

import dataclasses

KIB = 1024


@dataclasses.dataclass(frozen=True)
class Workload:
    name: str  # "echo-1KiB-p16"
    group: str  # what --only selects
    title: str  # for tables
    arguments: tuple  # for the generator
    unit: str  # what is counted per second of server CPU; for memory: what is divided
    path: str = "/echo"
    compress: bool = False
    memory: bool = False  # bytes per connection: lower is better
    rate: int = 0  # messages a second, whatever the server does; what is compared is the p99 of the latency: lower is better
    connections: int = 0  # that need a file each, in one process
    rounds: int = 0  # at most so many; 0: as many as asked for
    repeat: int = 1  # how often in each round: more for what single runs say little of
    quick: bool = True  # has a part in --quick, too
    fresh: bool = False  # a fresh server for each measurement
    speech: str = "json"  # of ours; real-time servers alone
    peers: tuple = ()  # who can do it at all; empty: all
    saturates: bool = False  # the server should be busy all the time; says whether the generator was the bottleneck
    targets: dict = dataclasses.field(default_factory=dict)  # {peer: least ratio}, {"": most KB per connection}

    @property
    def lower_is_better(self):
        return self.memory or self.rate > 0

    @property
    def realtime(self):
        return self.group == "server"


def size_name(size):
    return f"{size // KIB} KiB" if size >= KIB else f"{size} B"


# Of Bun, which is the fastest of the others.
ECHO_TARGETS = {20: {1: 1.4, 16: 2.2}, KIB: {1: 1.8, 16: 1.8}, 16 * KIB: {1: 1.9, 16: 1.9}, 128 * KIB: {1: 1.35, 16: 1.35}}


def echo(size, pipeline, record_each=False):
    """`record_each`: the generator sends each message in a TLS record of its own, as most clients but ours do."""
    connections = 16 if size <= 16 * KIB else 8
    return Workload(
        name=f"echo-{size_name(size).replace(' ', '')}-p{pipeline}{'-record-each' if record_each else ''}",
        group="echo",
        title=f"echo {size_name(size)}, pipeline {pipeline}{', a record for each' if record_each else ''}",
        arguments=("--mode", "echo", "--binary", "--size", str(size), "--pipeline", str(pipeline), "--connections",
                   str(connections), *(("--record-per-message",) if record_each else ())),
        unit="messages",
        saturates=pipeline > 1,
        targets={"bun": ECHO_TARGETS[size][pipeline], "beast": 1.3},
    )


IDLE = 5_000

# Several source addresses: one has 28,000 ports, and a closed connection keeps its port for a while.
SOURCES = ("--local-address", ",".join(f"127.0.0.{n}" for n in range(1, 9)))

# `fairlead serve` lets 1,000 clients in from one address.
MANY_SOURCES = ("--sources", ",".join(f"127.0.0.{n}" for n in range(1, 21)))
FANOUT_TARGETS = {"bun": 1.0, "nats-server": 2.0}


def idle(connections, **more):
    return Workload(
        f"idle-memory{'' if connections == IDLE else f'-{connections}'}", "idle",
        f"memory per idle connection, {connections:,} of them", idle_arguments(connections), "KB", memory=True, fresh=True,
        connections=connections, targets={"": 3.0}, **more)


def idle_arguments(connections):
    return ("--mode", "idle", "--connections", str(connections), "--size", "20", *SOURCES)


def latency(rate):
    return Workload(
        f"latency-{rate}", "latency", f"p99 at {rate:,} messages a second, 128 B",
        ("--mode", "echo", "--binary", "--size", "128", "--rate", str(rate), "--busy-wait", "--pipeline", "16", "--connections", "16"),
        "µs", rate=rate, repeat=4, targets={"bun": 1.0, "beast": 1.0})


def connects(mode, title):
    return Workload(f"handshake-{title}", "handshake", f"connect, {title} handshake",
                    ("--mode", mode, "--connections", "8", *SOURCES), "connects", repeat=3,
                    targets={"bun": 0.9, "beast": 1.3})


def fanout(window):
    alone = window == 1
    return Workload(
        f"fanout-64B{'-alone' if alone else ''}", "fanout", f"fan-out of 64 B to 1,000, {'one' if alone else window} in flight",
        ("--mode", "fanout", "--text", "--size", "64", "--connections", "1001", "--pipeline", str(window), *SOURCES),
        "deliveries", path="/fanout", saturates=not alone, targets={"bun": 1.6, "beast": 1.3})


def channel_fanout(subscribers, size, speech, window=16):
    """`window` publications are in flight: a backend that does not wait for one before it publishes the next."""
    alone = window == 1
    return Workload(
        name=f"server-1-to-{subscribers}-{size_name(size).replace(' ', '')}-{speech}{'-alone' if alone else ''}",
        group="server",
        title=f"1 → {subscribers:,}, {size_name(size)}, {speech}{', one in flight' if alone else ''}",
        arguments=("--mode", "fanout", "--clients", str(subscribers), "--size", str(size), "--window", str(window),
                   *MANY_SOURCES),
        unit="deliveries", speech=speech, saturates=not alone, targets=FANOUT_TARGETS)


def api(batch, speech="json"):
    return Workload(
        name=f"server-api-{'batch' if batch > 1 else 'single'}",
        group="server",
        title=f"publish by API, {f'{batch} in a request' if batch > 1 else 'one in a request'}",
        arguments=("--mode", "api", "--clients", "16", "--channels", "16", "--batch", str(batch)),
        unit="publications", speech=speech, saturates=True, peers=("fairlead", "bun"))


REALTIME = [
    *(channel_fanout(subscribers, size, speech)
      for subscribers in (1_000, 10_000) for size in (64, KIB) for speech in ("json", "protobuf")),
    channel_fanout(1_000, 64, "json", window=1),
    Workload("server-1000x10-64B", "server", "1,000 channels × 10, 64 B, json",
             ("--mode", "fanout", "--clients", "10000", "--channels", "1000", "--size", "64", "--window", "64",
              *MANY_SOURCES), "deliveries", saturates=True, targets=FANOUT_TARGETS),
    api(1),
    api(100),
    Workload("server-subscribe-storm", "server", "10,000 subscribe at once",
             ("--mode", "subscribe-storm", "--clients", "10000", "--channels", "1000", *MANY_SOURCES),
             "subscribes and unsubscribes", saturates=True),
    Workload("server-recover-storm", "server", "10,000 come back at once, 100 missed messages each",
             ("--mode", "recover-storm", "--clients", "10000", "--channels", "100", "--channel", "recover:",
              "--missed", "100", *MANY_SOURCES), "recoveries", fresh=True, peers=("fairlead",)),
    Workload("server-memory", "server", "memory per subscribed client, 10,000 of them",
             ("--mode", "memory", "--clients", "10000", "--channels", "1000", "--full-handshakes", *MANY_SOURCES),
             "KB", memory=True, fresh=True, targets={"": 20.0}),
]

WORKLOADS = [
    *(echo(size, pipeline) for size in (20, KIB, 16 * KIB, 128 * KIB) for pipeline in (1, 16)),
    *(echo(size, 16, record_each=True) for size in (20, KIB)),
    connects("handshake", "full"),
    connects("resume", "resumed"),
    latency(20_000),
    idle(IDLE),
    idle(50_000, peers=("fairlead", "bun"), rounds=1, quick=False),
    fanout(1),
    fanout(16),
    Workload("deflate-1KiB", "deflate", "echo of 1 KiB JSON, permessage-deflate, pipeline 16",
             ("--mode", "echo", "--text", "--compress", "--size", str(KIB), "--pipeline", "16", "--connections", "16"),
             "messages", compress=True, saturates=True, targets={"beast": 1.3}),
]

WORKLOADS += REALTIME

GROUPS = list(dict.fromkeys(workload.group for workload in WORKLOADS))
