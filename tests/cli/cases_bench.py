# SPDX-License-Identifier: Apache-2.0
# `fairlead bench` against `fairlead echo`: every mode does its work, says so, and ends by itself.
import json
import socket
import time

from harness import Peer, Serving, accept, case, contains, equal, run

LIFTED = ("--max-connections-per-address", "unlimited")


def bench(server, *arguments, **options):
    return run("bench", f"wss://localhost:{server.port}/", "--ca", "dev", "--duration", "0.5", "--warmup", "0.1", *arguments,
               **options)


def measured(server, *arguments):
    return json.loads(bench(server, "--json", "--server-pid", server.process.pid, *arguments)[0])


def nothing_went_wrong(report):
    equal({name: report["errors"][name] for name in ("failed", "lost", "wrong")}, {"failed": 0, "lost": 0, "wrong": 0})


@case
def bench_echo_counts_and_times():
    with Serving(*LIFTED) as server:
        report = measured(server, "--connections", "4", "--pipeline", "8", "--size", "1K", "--text")
        nothing_went_wrong(report)
        assert report["count"] > 100, report
        equal(report["bytes"], report["count"] * 1024)
        equal(report["connections"], 4)
        latency = report["latency_us"]
        equal(latency["count"], report["count"])
        assert 0 < latency["min"] <= latency["p50"] <= latency["p90"] <= latency["p99"] <= latency["p99.9"] <= latency["max"]
        assert report["server"]["cpu_seconds"] > 0
        equal(report["tls"]["version"], "TLSv1.3")


@case
def bench_echo_on_threads_compressed_from_several_addresses():
    with Serving(*LIFTED, "--compress", listen="127.0.0.1:0") as server:
        out = run("bench", f"wss://127.0.0.1:{server.port}/", "--ca", "dev", "--duration", "0.5", "--warmup", "0.1", "--threads",
                  "2", "--compress", "--text", "--size", "2K", "--local-address", "127.0.0.1,127.0.0.2", "--json")[0]
        report = json.loads(out)
        nothing_went_wrong(report)
        assert report["count"] > 50 and report["compress"] and report["threads"] == 2, report


@case
def bench_rate_is_kept_and_counted_from_when_due():
    with Serving() as server:
        report = measured(server, "--rate", "400", "--connections", "4")
        nothing_went_wrong(report)
        assert 150 <= report["count"] <= 250, report["count"]
        assert "generator_lag_us" in report and report["due_but_not_sent"] <= 20


@case
def bench_handshakes_full_and_resumed():
    with Serving(*LIFTED) as server:
        full = measured(server, "--mode", "handshake", "--connections", "2")
        nothing_went_wrong(full)
        assert full["count"] > 5 and full["tls"]["resumed"] == 0, full
        resumed = measured(server, "--mode", "resume", "--connections", "2")
        nothing_went_wrong(resumed)
        assert resumed["tls"]["resumed"] > 0.8 * resumed["tls"]["opened"] > 0, resumed


@case
def bench_idle_keeps_connections_and_weighs_them():
    with Serving(*LIFTED) as server:
        report = measured(server, "--mode", "idle", "--connections", "200")
        nothing_went_wrong(report)
        equal(report["connections"], 200)
        assert 1_000 < report["server"]["memory_per_connection_bytes"] < 200_000, report["server"]
        contains(bench(server, "--mode", "idle", "--connections", "3")[0], "3 connections")


@case
def bench_tells_a_person():
    with Serving() as server:
        out = bench(server, "--connections", "2")[0]
        contains(out, "messages", "per second", "p50", "p99.9", "TLSv1.3", "generator")


@case
def bench_stall_shows_only_at_a_rate():
    """A server that answers nothing: the closed loop has nothing to tell, the schedule tells how long it waited."""
    def mute(stream, head):
        accept(stream, head)
        end = time.monotonic() + 5
        while time.monotonic() < end and stream.recv(65536):
            pass
    with Peer(mute) as peer:
        out = run("bench", peer.url(), "--insecure", "--connections", "1", "--rate", "20", "--duration", "1", "--warmup", "0",
                  "--json", status=None)[0]
        report = json.loads(out)
        equal(report["count"], 0)
        assert report["latency_us"]["count"] >= 15 and report["latency_us"]["max"] > 700_000, report["latency_us"]


@case
def bench_refuses_other_hosts_and_nonsense():
    contains(run("bench", "wss://example.org/", status=2)[1], "--yes-i-own-this-host")
    run("bench", "no url", status=3)
    run("bench", "wss://localhost:1/", "--mode", "nothing", status=2)
    run("bench", "wss://localhost:1/", "--rate", "5", "--mode", "idle", status=2)
    run("bench", "wss://localhost:1/", "--server-pid", str((1 << 22) - 1), status=2)


@case
def bench_ends_when_nobody_is_there():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
        began = time.monotonic()
        for mode in ("echo", "handshake"):
            run("bench", f"wss://127.0.0.1:{port}/", "--mode", mode, "--duration", "0.3", "--warmup", "0", "--connections", "100",
                status=5)
        assert time.monotonic() - began < 20
