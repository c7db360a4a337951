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
    memory: bool = False  # lower is better, and a fresh server for each measurement
    saturates: bool = False  # the server should be busy all the time; says whether the generator was the bottleneck
    targets: dict = dataclasses.field(default_factory=dict)  # {peer: least ratio}, {"": most KB per connection}


def size_name(size):
    return f"{size // KIB} KiB" if size >= KIB else f"{size} B"


def echo(size, pipeline):
    connections = 16 if size <= 16 * KIB else 8
    return Workload(
        name=f"echo-{size_name(size).replace(' ', '')}-p{pipeline}",
        group="echo",
        title=f"echo {size_name(size)}, pipeline {pipeline}",
        arguments=("--mode", "echo", "--binary", "--size", str(size), "--pipeline", str(pipeline), "--connections",
                   str(connections)),
        unit="messages",
        saturates=pipeline > 1,
        targets={"bun": 0.9 if size >= KIB else 0.7, "beast": 1.3},
    )


# Several source addresses: one has 28,000 ports, and a closed connection keeps its port for a while.
SOURCES = ("--local-address", ",".join(f"127.0.0.{n}" for n in range(1, 9)))

WORKLOADS = [
    *(echo(size, pipeline) for size in (20, KIB, 16 * KIB, 128 * KIB) for pipeline in (1, 16)),
    Workload("handshake-full", "handshake", "connect, full handshake",
             ("--mode", "handshake", "--connections", "8", *SOURCES), "connects", targets={"beast": 1.3}),
    Workload("handshake-resumed", "handshake", "connect, resumed handshake",
             ("--mode", "resume", "--connections", "8", *SOURCES), "connects", targets={"beast": 1.3}),
    Workload("idle-memory", "idle", "memory per idle connection, 5,000 of them",
             ("--mode", "idle", "--connections", "5000", "--size", "20", *SOURCES), "KB", memory=True,
             targets={"": 15.0}),
    Workload("fanout-64B", "fanout", "fan-out of 64 B to 1,000",
             ("--mode", "fanout", "--text", "--size", "64", "--connections", "1001", "--pipeline", "4", *SOURCES),
             "deliveries", path="/fanout", saturates=True, targets={"beast": 1.3}),
    Workload("deflate-1KiB", "deflate", "echo of 1 KiB JSON, permessage-deflate, pipeline 16",
             ("--mode", "echo", "--text", "--compress", "--size", str(KIB), "--pipeline", "16", "--connections", "16"),
             "messages", compress=True, saturates=True, targets={"beast": 1.3}),
]

GROUPS = list(dict.fromkeys(workload.group for workload in WORKLOADS))
