# SPDX-License-Identifier: Apache-2.0
# Hostile servers: the same attacks on `fairlead connect`. It ends in time, with an error and little memory.
import asyncio
import contextlib
import os

from conformance import deflate
from conformance.frames import BINARY, CONT, PING, PONG, Frame, binary, text
from support import processes
from support.suite import Book, check, expect

book = Book()
MEBIBYTE = 1024 * 1024
FACTOR = float(os.environ.get("FAIRLEAD_MEMORY_FACTOR", "1"))
POLICY, TOO_BIG = 1008, 1009
TIMED_OUT, TLS_FAILED, HANDSHAKE, OVER_LIMIT = 6, 9, 11, 16  # exit statuses, docs/command-line.md


@contextlib.asynccontextmanager
async def besieged(environment, *flags, growth=8 * MEBIBYTE, extra=()):
    """A client of the case's own with an open channel, whose memory is watched until the case is done."""
    async with environment.connector("--exit-on-close", "--max-message", str(MEBIBYTE), *flags) as client:
        await client.open(list(extra))
        await client.peer.send(text("warm"))
        await client.expect_output(b"warm\n")
        before, peak = processes.resident_bytes(client.process.pid), [0]

        async def watch():
            while True:
                with contextlib.suppress(OSError, StopIteration):
                    peak[0] = max(peak[0], processes.resident_bytes(client.process.pid))
                await asyncio.sleep(0.02)
        watching = asyncio.ensure_future(watch())
        try:
            yield client
        finally:
            watching.cancel()
        grown = max(0, peak[0] - before)
        check(grown <= growth * FACTOR, f"memory grew by {grown / MEBIBYTE:.1f} MiB, allowed {growth * FACTOR / MEBIBYTE:.1f}")


async def _fails(client):
    await client.peer.stream.close_notify()
    client.peer.stream.end_tcp()
    expect(f"exit status of the client, which says {client.error[-200:]!r},", await client.exit_status(), OVER_LIMIT)


def _flood(name, title, first, frame, codes):
    async def run(environment):
        async with besieged(environment) as client:
            async def pour():
                await client.peer.send(*first)
                block = frame.encode(False) * 10000
                for _ in range(100):
                    if client.peer.stream.writer.is_closing() or client.peer.stream.ended:
                        return
                    await client.peer.stream.send(block)
            pouring = asyncio.ensure_future(pour())
            try:
                await client.peer.expect_close(codes, timeout=30, skip_data=True)
            finally:
                pouring.cancel()
            await _fails(client)
    book.add(f"client/hostile-frames/{name}", "CVE table", title, run, timeout=60, alone=True)


_flood("empty-fragments", "a million empty fragments without an end (CVE-2026-48779)", [text("a", fin=False)],
       Frame(CONT, b"", fin=False), {POLICY})
_flood("one-byte-fragments", "a million fragments of one byte without an end", [binary(b"a", fin=False)],
       Frame(CONT, b"a", fin=False), {POLICY})
_flood("pongs", "a million unsolicited pongs", [], Frame(PONG, b"x"), {POLICY})
_flood("pings", "a million pings", [], Frame(PING, b""), {POLICY})


def _bomb(megabytes, cut):
    async def run(environment):
        body = deflate.bomb(megabytes * 1_000_000)
        frames = [deflate.frame(BINARY, body)] if cut is None else deflate.fragments(BINARY, body, range(cut, len(body), cut))
        async with besieged(environment, "--compress", growth=16 * MEBIBYTE, extra=[deflate.field(deflate.ANSWER)]) as client:
            spent = processes.cpu_seconds(client.process.pid)
            pouring = asyncio.ensure_future(client.peer.send(*frames))
            try:
                await client.peer.expect_close({TOO_BIG}, timeout=30)
                spent = processes.cpu_seconds(client.process.pid) - spent
            finally:
                pouring.cancel()
            check(spent < 2.0, f"{spent:.1f} s of processor time for a message that is refused")
            await _fails(client)
    book.add(f"client/hostile-bomb/{megabytes}m{'-fragmented' if cut else ''}", "CVE table",
             f"a bomb of {megabytes} MB{' in fragments' if cut else ''} (CVE-2026-1526)", run, timeout=60, alone=True)


for _megabytes in (6, 100, 1024):
    for _cut in (None, 4096):
        _bomb(_megabytes, _cut)


@book.case("client/hostile-length/2^40", "CVE table", "a header of 2^40 bytes, then silence (CVE-2022-35922)", alone=True)
async def huge_header(environment):
    async with besieged(environment) as client:
        await client.peer.send(Frame(BINARY, length=1 << 40))
        await client.peer.expect_close({TOO_BIG})
        await _fails(client)


@book.case("client/hostile-length/promise", "CVE table", "a header of 1 MiB, then silence: nothing is set aside", alone=True)
async def promised_length(environment):
    async with besieged(environment, growth=MEBIBYTE // 2) as client:
        await client.peer.send(Frame(BINARY, b"x", length=MEBIBYTE))
        await asyncio.sleep(0.5)


@book.case("client/hostile-slow/tcp-only", "CVE table", "TCP accepts, TLS never answers: a time-out", timeout=40)
async def silent_tls(environment):
    async with environment.connector() as client:
        await client.tcp()
        expect("exit status", await client.exit_status(25), TIMED_OUT)


@book.case("client/hostile-slow/tls-garbage", "CVE table", "bytes that are no TLS")
async def garbage_tls(environment):
    async with environment.connector() as client:
        _, writer = await client.tcp()
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\nthis is no TLS")
        expect("exit status", await client.exit_status(10), TLS_FAILED)
        writer.close()


async def _endless(environment, data):
    async with environment.connector() as client:
        await client.accept()
        before = processes.resident_bytes(client.process.pid)
        sent = 0
        reading = asyncio.ensure_future(client.peer.stream.receive())
        while sent < 20_000_000 and not reading.done() and not client.peer.stream.writer.is_closing():
            await client.peer.stream.send(data)
            sent += len(data)
            await asyncio.sleep(0)
            with contextlib.suppress(OSError, StopIteration):
                grown = processes.resident_bytes(client.process.pid) - before
                check(grown < 4 * MEBIBYTE * FACTOR, f"memory grew by {grown / MEBIBYTE:.1f} MiB")
        reading.cancel()
        check(sent < 8 * MEBIBYTE, f"the client took {sent} bytes of head")
        expect(f"exit status of the client, which says {client.error[-200:]!r},", await client.exit_status(10), HANDSHAKE)


for _name, _title, _data in [
        ("line", "a status line without an end", b"HTTP/1.1 101 " + b"x" * 1000), ("fields", "fields without an end", b"X: y\r\n" * 200),
        ("spaces", "white space without an end", b"\r\n" * 500), ("continue", "100 Continue without an end",
                                                                b"HTTP/1.1 100 Continue\r\n\r\n" * 100)]:
    async def _run(environment, data=_data):
        await _endless(environment, data)
    book.add(f"client/hostile-head/{_name}", "CVE table", f"20 MB of {_title} (CVE-2023-43669)", _run, timeout=60, alone=True)


@book.case("client/hostile-reader/unread-output", "CVE table",
           "nobody reads the client's output: it stops receiving, in bounded memory, and loses nothing", timeout=60, alone=True)
async def unread_output(environment):
    async with besieged(environment, growth=24 * MEBIBYTE) as client:
        line = b"o" * 16384
        message, sent, most = text(line).encode(False), 0, 8000  # 128 MiB; sockets, pipe and the suite's own reader take little of it

        async def pour():
            nonlocal sent
            while sent < most:
                sent += 1
                await client.peer.stream.send(message)
        client.process.stdout._transport.pause_reading()
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(pour(), 5)
        check(sent < most, "the client received 128 MiB that nobody has read")
        expect("exit status of the client while it waits", client.process.returncode, None)
        client.process.stdout._transport.resume_reading()
        await client.expect_output((line + b"\n") * sent, timeout=30)
        await client.peer.close_cleanly()
        expect("exit status", await client.exit_status(), 0)


def all_cases():
    return book.cases
