# SPDX-License-Identifier: Apache-2.0
# 64 MiB through connect, echo and back: every byte arrives, and neither side holds more than a few pieces.
import hashlib
import os
import subprocess
import threading
import time

import harness
from harness import FAIRLEAD, Serving, case, equal

MIB = 1024 * 1024
SIZE = 64 * MIB
FLAT_BYTES = 24 * MIB  # what a program may hold while 64 MiB pass
QUEUE_BYTES = 16 * MIB  # what an echo without --chunks may keep for its peer besides (--queue-bytes)


def through(server, data, *arguments):
    """Pipes `data` through connect; gives the digest of what came back and the most memory that connect held."""
    process = subprocess.Popen([FAIRLEAD, "connect", server.url(), "--ca", "dev", "--linger", "5", *arguments],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    digest = hashlib.sha256()
    count = 0
    peaks = [0, 0]

    def feed():
        with process.stdin as pipe:
            for at in range(0, len(data), MIB):
                pipe.write(data[at:at + MIB])

    def watch():
        while process.poll() is None:
            try:
                peaks[0] = max(peaks[0], harness.resident_bytes(process.pid))
                peaks[1] = max(peaks[1], server.resident_bytes())
            except (FileNotFoundError, StopIteration, ProcessLookupError):
                return
            time.sleep(0.05)

    threads = [threading.Thread(target=feed), threading.Thread(target=watch)]
    for thread in threads:
        thread.start()
    while piece := process.stdout.read(MIB):
        digest.update(piece)
        count += len(piece)
    error = process.stderr.read().decode()
    equal(process.wait(60), 0, error)
    for thread in threads:
        thread.join()
    equal(count, len(data), "bytes:")
    return digest.hexdigest(), peaks


def expect_whole_and_flat(server, data, *arguments):
    digest, (client, server_peak) = through(server, data, *arguments)
    equal(digest, hashlib.sha256(data).hexdigest())
    assert client < FLAT_BYTES, f"connect held {client / MIB:.0f} MiB"
    limit = FLAT_BYTES if "--chunks" in server.command else FLAT_BYTES + 2 * QUEUE_BYTES
    assert server_peak < limit, f"echo held {server_peak / MIB:.0f} MiB"


def lines():
    text = b"".join(b"%x" % i * 12 + b"\n" for i in range(100_000)) + b"\n" + os.urandom(MIB).hex().encode() + b"\n"
    return (text * (SIZE // len(text) + 1))[:SIZE - 1] + b"\n"


@case
def pipe_64_mib_as_lines():
    with Serving("--max-message", "4M") as server:
        expect_whole_and_flat(server, lines())


@case
def pipe_64_mib_as_bytes():
    with Serving() as server:
        expect_whole_and_flat(server, os.urandom(SIZE), "--binary")


@case
def pipe_64_mib_compressed():
    with Serving("--compress", "--context-takeover") as server:
        expect_whole_and_flat(server, lines(), "--compress", "--binary", "--chunk-bytes", "64K")


@case
def pipe_64_mib_as_one_message():
    with Serving("--chunks", "--max-message", "unlimited", "--max-fragments", "unlimited") as server:
        data = os.urandom(SIZE)
        expect_whole_and_flat(server, data, "--binary", "--one-message", "--max-fragments", "unlimited")


@case
def pipe_a_line_of_64_mib():
    with Serving("--chunks", "--max-message", "unlimited", "--max-fragments", "unlimited") as server:
        data = b"z" * (SIZE - 1) + b"\n"
        expect_whole_and_flat(server, data, "--max-fragments", "unlimited")


@case
def a_reader_that_goes_away_ends_the_pipe():
    with Serving() as server:
        script = f"yes | '{FAIRLEAD}' connect {server.url()} --ca dev | head -3; echo ${{PIPESTATUS[1]}}"
        # An endless input must not keep the answers from being seen: that took half a minute.
        done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=12, check=True)
        equal(done.stdout, "y\ny\ny\n15\n")


@case
def a_reader_that_pauses_for_longer_than_the_linger_gets_everything():
    data = os.urandom(8 * MIB)
    with Serving() as server:
        process = subprocess.Popen([FAIRLEAD, "connect", server.url(), "--ca", "dev", "--binary", "--linger", "0.2"],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        feeder = threading.Thread(target=lambda: (process.stdin.write(data), process.stdin.close()))
        feeder.start()
        answer = b""
        for _ in range(4):
            answer += process.stdout.read(MIB)
            time.sleep(0.6)  # the pipe is full, nothing is received
        answer += process.stdout.read()
        feeder.join()
        equal(process.wait(30), 0, process.stderr.read().decode())
        equal(len(answer), len(data))
        assert answer == data


@case
def input_that_is_not_text_is_a_fault_of_ours():
    with Serving() as server:
        _, error = harness.run("connect", server.url(), "--ca", "dev", stdin=b"a\xff\n", status=15)
        harness.contains(error, "line 1 of the input", "--binary")
        harness.lacks(error, "peer")


@case
def streams_that_do_not_exist_are_errors_and_nothing_else():
    with Serving() as server:
        for missing, number, status in (("<&-", 0, 15), (">&-", 1, 15), ("2>&-", 2, 0)):
            script = f"echo x | '{FAIRLEAD}' connect {server.url()} --ca dev --linger 0.2 {missing}"
            done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=30, check=False)
            equal(done.returncode, status, f"without descriptor {number}: {done.stderr}")
            equal(done.stdout, "x\n" if status == 0 else "")


@case
def a_slow_reader_slows_the_writer_down():
    with Serving() as server:
        process = subprocess.Popen([FAIRLEAD, "connect", server.url(), "--ca", "dev", "--binary"], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        os.set_blocking(process.stdin.fileno(), False)
        taken = 0
        quiet_since = time.monotonic()
        while time.monotonic() - quiet_since < 1.5 and taken < SIZE:  # nobody reads its output
            try:
                taken += os.write(process.stdin.fileno(), bytes(65536))
                quiet_since = time.monotonic()
            except BlockingIOError:
                time.sleep(0.02)
        held = harness.resident_bytes(process.pid)
        process.kill()
        process.communicate()
        assert taken < SIZE, "everything was taken although nobody read"
        assert held < FLAT_BYTES, f"connect held {held / MIB:.0f} MiB"
