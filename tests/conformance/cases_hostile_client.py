# SPDX-License-Identifier: Apache-2.0
# Hostile servers: the same attacks on `fairlead connect`. It ends in time, with an error and little memory.
import asyncio
import contextlib
import os
import socket
import time

from conformance import deflate
from conformance.frames import BINARY, CONT, PING, PONG, TEXT, Frame, binary, text
from conformance.peer import WAIT
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
    if "--max-message" not in flags:
        flags = (*flags, "--max-message", str(MEBIBYTE))
    async with environment.connector("--exit-on-close", *flags) as client:
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


def _flood(name, title, first, frame, codes, flags=(), extra=()):
    async def run(environment):
        async with besieged(environment, *flags, extra=extra) as client:
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
_flood("empty-fragments-large-limit", "the same with --max-message of 1 GiB", [text("a", fin=False)],
       Frame(CONT, b"", fin=False), {POLICY}, flags=("--max-message", str(1 << 30)))
_flood("empty-fragments-deflate", "a million empty fragments of a compressed message", [Frame(TEXT, b"", rsv=4, fin=False)],
       Frame(CONT, b"", fin=False), {POLICY}, flags=("--compress",), extra=[deflate.field(deflate.ANSWER)])
_flood("pongs", "a million unsolicited pongs (UNDERTOW-1935)", [], Frame(PONG, b"x"), {POLICY})
_flood("pings", "a million pings (kj 485b5c3: recursion for each)", [], Frame(PING, b""), {POLICY})
_flood("pings-125", "pings of 125 bytes without end", [], Frame(PING, b"p" * 125), {POLICY})
_flood("pings-inside-message", "a million pings inside a message", [text("a", fin=False)], Frame(PING, b""), {POLICY})


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


# ── Heads around their limits ────────────────────────────────────────────────────────────────────────────────────────
HEAD_BYTES, HEADER_COUNT = 16 * 1024, 100  # Limits::http_head_bytes, Limits::http_header_count


async def _answered(environment, make, error):
    """The answer `make(plain)` opens the channel (no `error`), or is refused with that error."""
    async with environment.connector("--exit-on-close") as client:
        head = await client.accept()
        data = make(client.response(head))
        await client.peer.send(data)
        if error is None:
            await client.peer.send(text("open"))
            await client.expect_output(b"open\n")
            return
        expect(f"exit status after {len(data)} bytes of head", await client.exit_status(), HANDSHAKE)
        check(error in client.error, f"expected {error}, the client says {client.error[-200:]!r}")


def _filled(count, at_end):
    """An answer of `count` fields, the three that matter before or after the others."""
    def make(plain):
        line, _, fields = plain.partition(b"\r\n")
        more = b"".join(b"X-%d: 1\r\n" % n for n in range(count - 3))
        return line + b"\r\n" + (more + fields if at_end else fields[:-2] + more + b"\r\n")
    return make


def _padded(size):
    """An answer of `size` bytes, its empty line included."""
    def make(plain):
        field = b"X: " + b"x" * (size - len(plain) - len(b"X: \r\n")) + b"\r\n"
        return plain[:-2] + field + b"\r\n"
    return make


@book.case("client/hostile-head/count-sweep", "CVE table", "80 to 130 fields, Upgrade before and after them (CVE-2024-37890)", timeout=60)
async def count_sweep(environment):
    for count in (80, *range(HEADER_COUNT - 4, HEADER_COUNT + 5), 130):
        error = None if count <= HEADER_COUNT else "http_too_many_headers"
        await asyncio.gather(*(_answered(environment, _filled(count, at_end), error) for at_end in (False, True)))


@book.case("client/hostile-head/size-sweep", "CVE table", "an answer's head of up to 16 KiB is read, and no byte more (CVE-2023-43669)",
           timeout=60)
async def size_sweep(environment):
    for size in (HEAD_BYTES // 2, *range(HEAD_BYTES - 4, HEAD_BYTES + 5), HEAD_BYTES * 2):
        await _answered(environment, _padded(size), None if size <= HEAD_BYTES else "http_head_too_large")


# ── Many, and for long ───────────────────────────────────────────────────────────────────────────────────────────────
CYCLES = 3000


class Relay:
    """Between a client and a server. Connection `number` of `wanted` passes whole, or is reset after `cut(number, length)` of the
    server's bytes; the first is whole, and `length` is what the server sent on it. Later ones are kept waiting."""

    def __init__(self, port, wanted, cut):
        self.server_port, self.wanted, self.cut = port, wanted, cut
        self.count = self.ended = self.whole = self.broken_off = 0
        self.length, self.waiting = asyncio.get_running_loop().create_future(), []

    async def __aenter__(self):
        self.listener = await asyncio.start_server(self._relay, "127.0.0.1", 0)
        self.port = self.listener.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        self.listener.close()
        for writer in self.waiting:
            writer.transport.abort()

    async def _relay(self, reader, writer):
        number, self.count = self.count, self.count + 1
        if number >= self.wanted:
            self.waiting.append(writer)
            return
        limit = None if number == 0 else self.cut(number, await self.length)
        with contextlib.suppress(OSError):
            from_server, to_server = await asyncio.open_connection("127.0.0.1", self.server_port)
            there = asyncio.ensure_future(self._pass(reader, to_server, None))
            passed = await self._pass(from_server, writer, limit)
            if passed != limit:
                await there  # the client's own end
            there.cancel()
            to_server.transport.abort()
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
            self.whole += limit is None
            self.broken_off += passed == limit
            if number == 0:
                self.length.set_result(passed)
        writer.transport.abort()
        self.ended += 1

    @staticmethod
    async def _pass(reader, writer, limit):
        """Passes on what comes, its end included, but no more than `limit` bytes; returns how many."""
        passed = 0
        with contextlib.suppress(OSError):
            while passed != limit and (data := await reader.read(65536)):
                data = data if limit is None else data[:limit - passed]
                passed += len(data)
                writer.write(data)
                await writer.drain()
            if passed != limit:
                writer.write_eof()
        return passed


async def _closed_by_client(server, at_least):
    """How many connections the client closed after they had opened: one whose handshake failed sends no close frame."""
    end = time.monotonic() + WAIT
    while True:
        closed = sum(" websocket ended " in line and " code=1000 " in line for line in server.log)
        if closed >= at_least or time.monotonic() > end:
            return closed
        await asyncio.sleep(0.1)


async def _connects(environment, cut, wanted=CYCLES, at_a_time=8):
    """One client process connects `wanted` times; after the first third its memory and its files must not grow. Returns how many
    connections passed whole, were broken off, and were closed by the client after they had opened."""
    async with environment.server("--verbose") as server, Relay(server.port, wanted, cut) as relay:
        client = await processes.spawn(processes.binary(), "bench", f"wss://localhost:{relay.port}/", "--ca", environment.certificates.ca,
                                       *environment.flags, "--mode", "handshake", "--connections", at_a_time, "--warmup", 0, "--duration", 300)

        async def reach(count):
            while relay.ended < count:
                check(client.returncode is None, f"the client has ended after {relay.count} connections")
                await asyncio.sleep(0.01)
            return processes.resident_bytes(client.pid), processes.open_files(client.pid)
        try:
            memory, files = await reach(wanted // 3)
            later, open_later = await reach(wanted)
        finally:
            await processes.reap(client)
        check(later - memory < MEBIBYTE * FACTOR, f"memory grew by {(later - memory) / MEBIBYTE:.2f} MiB")
        check(open_later <= files + 2 * at_a_time, f"open files: {files} → {open_later}")
        return relay.whole, relay.broken_off, await _closed_by_client(server, relay.whole)


@book.case("client/hostile-cycles/3000", "CVE table", "a client connects and closes 3,000 times: memory and files stay flat (CVE-2021-42340)",
           timeout=120, alone=True)
async def cycles(environment):
    whole, broken, closed = await _connects(environment, lambda number, length: None)
    expect("connections that passed whole, were broken off, opened", (whole, broken, closed), (CYCLES, 0, CYCLES))


@book.case("client/hostile-cycles/broken-off", "CVE table", "of 3,000 connects three in four are broken off, at every stage: nothing is left",
           timeout=120, alone=True)
async def broken_off(environment):
    def cut(number, length):
        # Which of four is whole changes every eight: a slot of the client's would give up after 100 failures in a row. Eight bytes
        # less, since the lengths of signatures differ.
        return None if number % 4 == number // 8 % 4 else number * 37 % (length - 8)
    whole, broken, closed = await _connects(environment, cut)
    expect("connections that passed whole, were broken off", (whole, broken), (CYCLES // 4, CYCLES * 3 // 4))
    check(closed >= whole, f"{whole} connections passed whole, {closed} opened")


# ── Nobody reads ─────────────────────────────────────────────────────────────────────────────────────────────────────
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
