# SPDX-License-Identifier: Apache-2.0
# Hostile clients: what has been a CVE elsewhere. After each the server still serves, with the memory it had before.
import asyncio
import contextlib
import os
import ssl
import time

from conformance import deflate
from conformance.frames import BINARY, CLOSE, CONT, PING, PONG, TEXT, Frame, binary, text
from conformance.peer import Head, request
from support import processes, tlsstream
from support.suite import Book, check, expect

book = Book()
MEBIBYTE = 1024 * 1024
FACTOR = float(os.environ.get("FAIRLEAD_MEMORY_FACTOR", "1"))  # a sanitizer's memory is not the program's
POLICY, TOO_BIG = 1008, 1009
HANDSHAKE_TIME = 5.0  # Limits::tls_handshake_time, Limits::http_head_time


@contextlib.asynccontextmanager
async def besieged(environment, *flags, growth=8 * MEBIBYTE):
    """A server of the case's own; afterwards it must serve, and must not have grown by more than `growth`."""
    async with environment.server(*flags) as server:
        client = environment.client_of(server)
        for _ in range(3):
            await _serves(client)
        before, peak = server.rss(), [0]

        async def watch():
            while True:
                peak[0] = max(peak[0], server.rss())
                await asyncio.sleep(0.02)
        watching = asyncio.ensure_future(watch())
        try:
            yield server, client
        finally:
            watching.cancel()
        check(server.alive(), f"the server has died: {server.log[-3:]}")
        await _serves(client)
        grown = max(peak[0], server.rss()) - before
        check(grown <= growth * FACTOR, f"memory grew by {grown / MEBIBYTE:.1f} MiB, allowed {growth * FACTOR / MEBIBYTE:.1f}")


async def _serves(client):
    async with client.open() as peer:
        await peer.send(text("still here"))
        expect("echo", (await peer.message())[1], b"still here")
        await peer.close_cleanly()


async def _flood(peer, data, repeat, codes, before=()):
    """Sends `data` again and again until the server closes; the close frame must have one of the codes."""
    async def pour():
        await peer.send(*before)
        for _ in range(repeat):
            if peer.stream.writer.is_closing() or peer.stream.ended:
                return
            await peer.stream.send(data)
    pouring = asyncio.ensure_future(pour())
    try:
        await peer.expect_close(codes, timeout=30, skip_data=True)
    finally:
        pouring.cancel()


def _frame_flood(name, title, first, frame, codes, flags=(), extra=(), growth=8 * MEBIBYTE):
    async def run(environment):
        async with besieged(environment, *flags, growth=growth) as (_, client):
            async with client.open(extra=list(extra)) as peer:
                await _flood(peer, frame.encode(True) * 10000, 100, codes, first)
    book.add(f"server/hostile-frames/{name}", "CVE table", title, run, timeout=60, alone=True)


_ZERO = b"\0\0\0\0"
_frame_flood("empty-fragments", "a million empty fragments without an end (CVE-2026-48779)", [text("a", fin=False)],
             Frame(CONT, b"", fin=False, mask=_ZERO), {POLICY})
_frame_flood("one-byte-fragments", "a million fragments of one byte without an end (CVE-2026-48779)",
             [binary(b"a", fin=False)], Frame(CONT, b"a", fin=False, mask=_ZERO), {POLICY})
_frame_flood("empty-fragments-large-limit", "the same with --max-message of 1 GiB", [text("a", fin=False)],
             Frame(CONT, b"", fin=False, mask=_ZERO), {POLICY}, ("--max-message", str(1 << 30)))
_frame_flood("empty-fragments-deflate", "a million empty fragments of a compressed message",
             [Frame(TEXT, b"", rsv=4, fin=False)], Frame(CONT, b"", fin=False, mask=_ZERO), {POLICY},
             ("--compress",), [deflate.field(deflate.NAME)])
_frame_flood("pongs", "a million unsolicited pongs (UNDERTOW-1935)", [], Frame(PONG, b"pong", mask=_ZERO), {POLICY})
_frame_flood("pings", "a million pings (kj 485b5c3: recursion for each)", [], Frame(PING, b"", mask=_ZERO), {POLICY})
_frame_flood("pings-125", "pings of 125 bytes without end", [], Frame(PING, b"p" * 125, mask=_ZERO), {POLICY})
_frame_flood("pings-inside-message", "a million pings inside a message", [text("a", fin=False)],
             Frame(PING, b"", mask=_ZERO), {POLICY})


@book.case("server/hostile-frames/million-pings-answered", "CVE table",
           "a million pings, the rate limit lifted: a million pongs, flat memory (kj 485b5c3)", timeout=60, alone=True)
async def million_pings(environment):
    block, count = Frame(PING, b"", mask=_ZERO).encode(True) * 10000, 100
    async with besieged(environment, "--control-frames-per-second", "unlimited") as (_, client):
        async with client.open() as peer:
            pouring = asyncio.ensure_future(peer.stream.send(block * count))
            got = bytearray()
            while len(got) < 2 * 10000 * count:
                data = await asyncio.wait_for(peer.stream.receive(), 20)
                check(data, f"the stream ended after {len(got) // 2} pongs")
                got += data
            await pouring
            check(bytes(got) == b"\x8a\0" * (10000 * count), "not a pong for each ping")
            await peer.close_cleanly()


@book.case("server/hostile-frames/million-pongs-ignored", "CVE table",
           "a million pongs, the rate limit lifted: no answer, flat memory (UNDERTOW-1935)", timeout=60, alone=True)
async def million_pongs(environment):
    async with besieged(environment, "--control-frames-per-second", "unlimited") as (_, client):
        async with client.open() as peer:
            await peer.stream.send(Frame(PONG, b"pong", mask=_ZERO).encode(True) * 1_000_000)
            await peer.send(text("after"))
            expect("echo", (await peer.message(30))[1], b"after")
            await peer.close_cleanly()


def _bombs():
    for megabytes in (6, 100, 1024):
        for cut in (None, 4096):
            async def run(environment, megabytes=megabytes, cut=cut):
                body = deflate.bomb(megabytes * 1_000_000)
                frames = [deflate.frame(BINARY, body)] if cut is None else deflate.fragments(BINARY, body, range(cut, len(body), cut))
                async with besieged(environment, "--compress", growth=16 * MEBIBYTE) as (server, client):
                    spent = processes.cpu_seconds(server.pid)
                    async with client.open(extra=[deflate.field(deflate.NAME)]) as peer:
                        pouring = asyncio.ensure_future(peer.send(*frames))
                        await peer.expect_close({TOO_BIG}, timeout=30)
                        pouring.cancel()
                    spent = processes.cpu_seconds(server.pid) - spent
                    check(spent < 2.0, f"{spent:.1f} s of processor time for a message that is refused")
            yield (f"server/hostile-bomb/{megabytes}m{'-fragmented' if cut else ''}",
                   f"a bomb of {megabytes} MB{' in fragments' if cut else ''} (CVE-2026-1526)", run)


for _id, _title, _run in _bombs():
    book.add(_id, "CVE table", _title, _run, timeout=60, alone=True)


@book.case("server/hostile-length/2^40-then-silence", "CVE table", "a header of 2^40 bytes, then silence (CVE-2022-35922)", alone=True)
async def huge_header(environment):
    async with besieged(environment, "--max-message", str(1 << 62)) as (_, client):
        async with client.open() as peer:
            await peer.send(Frame(BINARY, length=1 << 40))
            await asyncio.sleep(1)


@book.case("server/hostile-length/promises", "CVE table", "200 headers of 1 MiB, then silence: nothing is set aside for promises",
           timeout=60, alone=True)
async def promised_lengths(environment):
    async with besieged(environment, growth=24 * MEBIBYTE) as (_, client):
        async with contextlib.AsyncExitStack() as stack:
            peers = [await stack.enter_async_context(client.open()) for _ in range(200)]
            for peer in peers:
                await peer.send(Frame(BINARY, b"x", length=MEBIBYTE))
            await asyncio.sleep(1)


# ── Slow handshakes ──────────────────────────────────────────────────────────────────────────────────────────────────
async def _hello(client):
    """The bytes of a ClientHello."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    with contextlib.suppress(ssl.SSLWantReadError):
        client.context.wrap_bio(incoming, outgoing, server_hostname="localhost").do_handshake()
    return outgoing.read()


async def _until_end(reader, limit):
    started = time.monotonic()
    with contextlib.suppress(ConnectionError):
        while await asyncio.wait_for(reader.read(65536), limit - (time.monotonic() - started) + 0.01):
            pass
    return time.monotonic() - started


async def _drip(write, data, pause):
    with contextlib.suppress(ConnectionError):
        for at in range(len(data)):
            await write(data[at:at + 1])
            await asyncio.sleep(pause)


async def _slow_tls(client, data, pause):
    reader, writer = await asyncio.open_connection("127.0.0.1", client.port)

    async def write(byte):
        writer.write(byte)
        await writer.drain()
    dripping = asyncio.ensure_future(_drip(write, data, pause))
    try:
        spent = await _until_end(reader, HANDSHAKE_TIME + 4)
        check(spent > HANDSHAKE_TIME - 2, f"cut off after {spent:.1f} s already")
    finally:
        dripping.cancel()
        writer.transport.abort()


async def _slow_http(client, data, pause):
    """408 for a request that has begun (RFC 9110 15.5.9); a connection on which nothing was asked ends without an answer."""
    async with client.raw() as peer:
        dripping = asyncio.ensure_future(_drip(peer.send, data, pause))
        try:
            answer = b""
            started = time.monotonic()
            while piece := await asyncio.wait_for(peer.stream.receive(), HANDSHAKE_TIME + 4):
                answer += piece
            check(time.monotonic() - started < HANDSHAKE_TIME + 4, "the head is limited for each byte, not as a whole")
            expect("status", Head(answer).status, 408 if data else 0)
        finally:
            dripping.cancel()


def _slow(name, title, attack):
    async def run(environment):
        client = await environment.client()
        await asyncio.gather(*(attack(client) for _ in range(5)))
        await _serves(client)
    book.add(f"server/hostile-slow/{name}", "CVE table", title, run, timeout=30)


async def _silent_tls(client):
    await _slow_tls(client, b"", 0)


async def _drip_hello(client):
    await _slow_tls(client, await _hello(client), 0.1)


async def _half_hello(client):
    await _slow_tls(client, (await _hello(client))[:100], 0)


async def _silent_http(client):
    await _slow_http(client, b"", 0)


async def _drip_head(client):
    await _slow_http(client, request(client.port, extra=["X: " + "x" * 1000]), 0.1)


async def _half_head(client):
    await _slow_http(client, request(client.port)[:-2], 0)


for _name, _title, _attack in [
        ("tls-silence", "silence after connect", _silent_tls), ("tls-drip", "a ClientHello byte by byte", _drip_hello),
        ("tls-half", "half a ClientHello", _half_hello), ("http-silence", "silence after TLS", _silent_http),
        ("http-drip", "a head byte by byte", _drip_head), ("http-half", "a head without its last line", _half_head)]:
    _slow(_name, f"slow loris: {_title} is cut off as a whole", _attack)


# ── Heads ────────────────────────────────────────────────────────────────────────────────────────────────────────────
@book.case("server/hostile-head/20m", "CVE table", "a head of 20 MB in small writes is cut early and cheaply (CVE-2023-43669)",
           timeout=60, alone=True)
async def endless_head(environment):
    async with besieged(environment) as (server, client):
        before = processes.cpu_seconds(server.pid)
        async with client.raw() as peer:
            await peer.send(request(client.port)[:-2] + b"X: ")
            sent, answer = 0, asyncio.ensure_future(peer.stream.receive())
            while sent < 20_000_000 and not answer.done():
                await peer.send(b"x" * 100, pieces=100)
                sent += 100
            check(sent < MEBIBYTE, f"the server read {sent} bytes of head")
            first = await asyncio.wait_for(answer, 5)
            expect("status", Head(first).status, 431)
        spent = processes.cpu_seconds(server.pid) - before
        check(spent < 1.0, f"{spent:.1f} s of processor time")


@book.case("server/hostile-head/count-sweep", "CVE table", "80 to 130 fields, Upgrade before and after them (CVE-2024-37890)", timeout=60)
async def count_sweep(environment):
    client = await environment.client()

    async def one(count, at_end):
        plain = request(client.port)
        line, _, fields = plain.partition(b"\r\n")
        more = b"".join(b"X-%d: 1\r\n" % n for n in range(count - 5))
        data = line + b"\r\n" + (more + fields if at_end else fields[:-2] + more + b"\r\n")
        async with client.raw() as peer:
            await peer.send(data)
            status = (await peer.read_head()).status
            expect(f"status with {count} fields", status, 101 if count <= 100 else 431)
    for count in range(80, 131, 1):
        await asyncio.gather(one(count, False), one(count, True))
    await _serves(client)


# ── Many, and for long ───────────────────────────────────────────────────────────────────────────────────────────────
@book.case("server/hostile-cycles/3000", "CVE table", "3,000 connections come and go: memory and files stay flat (CVE-2021-42340)",
           timeout=120, alone=True)
async def cycles(environment):
    async with environment.server() as server:
        client = environment.client_of(server)

        async def some(count):
            async def worker(share):
                for _ in range(share):
                    await _serves(client)
            await asyncio.gather(*(worker(count // 10) for _ in range(10)))
        await some(1000)
        memory, files = server.rss(), processes.open_files(server.pid)
        await some(2000)
        await asyncio.sleep(0.2)
        grown = server.rss() - memory
        check(grown < 2 * MEBIBYTE * FACTOR, f"memory grew by {grown / MEBIBYTE:.2f} MiB in 2,000 cycles")
        check(processes.open_files(server.pid) <= files + 2, f"open files: {files} → {processes.open_files(server.pid)}")


@book.case("server/hostile-cycles/broken-off", "CVE table", "1,000 connections broken off at every stage: no file stays open",
           timeout=90, alone=True)
async def broken_off(environment):
    async with besieged(environment, growth=12 * MEBIBYTE) as (server, client):
        files = processes.open_files(server.pid)

        async def one(number):
            if number % 4 == 0:
                _, writer = await asyncio.open_connection("127.0.0.1", client.port)
                writer.write((await _hello(client))[:number % 300])
                await asyncio.sleep(0.001)
                writer.transport.abort()
                return
            async with client.raw() as peer:
                if number % 4 > 1:
                    await peer.send(request(client.port)[:None if number % 4 == 3 else 60])
                peer.stream.reset()
        for start in range(0, 1000, 20):
            await asyncio.gather(*(one(number) for number in range(start, start + 20)))
        await asyncio.sleep(HANDSHAKE_TIME + 1.5)
        check(processes.open_files(server.pid) <= files + 2, f"open files: {files} → {processes.open_files(server.pid)}")


@book.case("server/hostile-reader/slow", "CVE table", "a peer that sends and never reads: bounded memory, then closed or paused (CVE-2020-35896)",
           timeout=90, alone=True)
async def slow_reader(environment):
    async with besieged(environment, "--queue-bytes", "1M", growth=12 * MEBIBYTE) as (_, client):
        async with client.open(receive_buffer=4096) as peer:
            message = binary(b"s" * 16384, mask=_ZERO).encode(True)
            sent = 0

            async def pour():
                nonlocal sent
                for _ in range(8000):  # 128 MiB
                    if peer.stream.writer.is_closing():
                        return
                    await peer.stream.send(message)
                    sent += 1
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(pour(), 8)
            echoed, code = await _read_all(peer, sent)
            check(code in (1013, POLICY) or echoed >= sent - 1 or peer.stream.ended == tlsstream.RESET,
                  f"neither closed by policy nor paused: {sent} sent, {echoed} echoed, close code {code}, {peer.stream.ended}")


async def _read_all(peer, wanted):
    echoed = 0
    with contextlib.suppress(asyncio.TimeoutError):
        while echoed < wanted:
            frame = await peer.next(3)
            if frame is None or frame.opcode == CLOSE:
                return echoed, frame.code if frame else None
            echoed += 1
    return echoed, None


@book.case("server/hostile-rate/messages", "OWASP", "--messages-per-second 10: a flood is closed by policy")
async def message_rate(environment):
    async with environment.server("--messages-per-second", "10") as server:
        client = environment.client_of(server)
        async with client.open() as peer:
            await peer.send(*(text("hurry") for _ in range(200)))
            await peer.expect_close({POLICY}, skip_data=True)
        async with client.open() as peer:
            for _ in range(10):
                await peer.send(text("calm"))
                expect("echo", (await peer.message())[1], b"calm")
            await peer.close_cleanly()


@book.case("server/hostile-address/limit", "OWASP", "--max-connections-per-address 5: the sixth is refused until one leaves")
async def per_address(environment):
    async with environment.server("--max-connections-per-address", "5") as server:
        client = environment.client_of(server)
        async with contextlib.AsyncExitStack() as stack:
            peers = [await stack.enter_async_context(client.open()) for _ in range(5)]
            for _ in range(3):
                try:
                    async with client.open():
                        check(False, "a sixth connection was accepted")
                except (ConnectionError, OSError):
                    pass
                except Exception as refused:  # a status is as good as a closed connection
                    check("101" in str(refused) or "ended" in str(refused), f"unexpected: {refused}")
            await peers[0].close_cleanly()
            peers[0].stream.abort()
            await asyncio.sleep(0.5)
            await _serves(client)


# ── Liveness ─────────────────────────────────────────────────────────────────────────────────────────────────────────
@book.case("server/5.5.2-keepalive/unanswered", "RFC 6455 5.5.2", "--idle 2: a ping after one second, the end after two", timeout=20,
           alone=True)
async def idle_unanswered(environment):
    async with environment.server("--idle", "2") as server:
        async with environment.client_of(server).open() as peer:
            started = time.monotonic()
            await peer.expect_frame(PING, timeout=3)
            check(0.5 < time.monotonic() - started < 1.9, f"the ping came after {time.monotonic() - started:.1f} s")
            while (frame := await peer.next(5)) is not None and frame.opcode != CLOSE:
                expect("frame", frame.opcode, PING)
            check(1.5 < time.monotonic() - started < 4, f"the end came after {time.monotonic() - started:.1f} s")


@book.case("server/5.5.2-keepalive/answered", "RFC 6455 5.5.3", "--idle 2: whoever answers pings stays", timeout=20, alone=True)
async def idle_answered(environment):
    async with environment.server("--idle", "2") as server:
        async with environment.client_of(server).open() as peer:
            until = time.monotonic() + 4.5
            while time.monotonic() < until:
                frame = await peer.expect_frame(PING, timeout=3)
                await peer.send(Frame(PONG, frame.payload))
            await peer.close_cleanly(skip_data=True)


# ── Origins ──────────────────────────────────────────────────────────────────────────────────────────────────────────
GOOD = "https://good.example"
# RFC 6454 5: a port that is the scheme's own says nothing. Whatever is no origin in our list is denied, and that is 403.
ORIGINS = [(None, 101), (GOOD, 101), ("https://good.example:443", 101), ("https://other.example:8443", 101),
           ("https://other.example", 403), ("http://good.example", 403), ("https://good.example:444", 403),
           ("https://good.example.evil.example", 403), ("https://evilgood.example", 403), ("https://sub.good.example", 403),
           ("https://good.example@evil.example", 403), ("https://evil.example/https://good.example", 403),
           ("https://evil.example", 403), ("null", 403), ("", 403), ("https://", 403), ("good.example", 403),
           ("https://good.example https://evil.example", 403), ("https://good.example,https://evil.example", 403),
           ("https://good.example\\.evil.example", 403), ("https://good.exampl", 403), ("file://", 403),
           ("https://good\u00e9.example", 403)]


def _origin(number, origin, status):
    async def run(environment):
        client = await environment.client("--allow-origin", GOOD, "--allow-origin", "https://other.example:8443")
        for host in (f"localhost:{client.port}", "good.example", "anything.example"):
            async with client.raw() as peer:
                await peer.send(request(client.port, host=host, extra=[] if origin is None else [f"Origin: {origin}"]))
                expect(f"status with Host {host}", (await peer.read_head()).status, status)
    book.add(f"server/hostile-origin/{number:02}", "RFC 6455 10.2", f"Origin {origin!r} (CVE-2025-24964)", run)


for _number, (_origin_value, _status) in enumerate(ORIGINS):
    _origin(_number, _origin_value, _status)


@book.case("server/hostile-origin/two-fields", "RFC 6455 10.2", "two Origin fields, one of them good")
async def two_origins(environment):
    client = await environment.client("--allow-origin", GOOD, "--allow-origin", "https://other.example:8443")
    for values in ([GOOD, "https://evil.example"], ["https://evil.example", GOOD]):
        async with client.raw() as peer:
            await peer.send(request(client.port, extra=[f"Origin: {value}" for value in values]))
            expect("status", (await peer.read_head()).status, 403)


def all_cases():
    return book.cases
