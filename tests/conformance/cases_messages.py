# SPDX-License-Identifier: Apache-2.0
# RFC 6455 5.1, 5.3, 5.4 over many and over large messages: order, integrity by hash in odd chunkings, masks that nobody
# can predict.
import asyncio
import collections
import hashlib
import random

from conformance.exchange import expect_exit
from conformance.frames import BINARY, CONT, TEXT, Frame, binary, text
from support.suite import Book, check, expect

book = Book()
MEBIBYTE = 1024 * 1024
LARGE = ("--max-message", str(64 * MEBIBYTE))


def _blob(length, seed=1):
    return random.Random(seed).randbytes(length)


def _pieces(payload, size):
    return [payload[at:at + size] for at in range(0, len(payload), size)] or [b""]


async def _echo_by_hash(peer, opcode, parts):
    """Sends a message in the given fragments while reading the echo; compares by hash."""
    sent, got = hashlib.sha256(), hashlib.sha256()

    async def send():
        for at, part in enumerate(parts):
            sent.update(part)
            await peer.send(Frame(opcode if at == 0 else CONT, part, fin=at == len(parts) - 1))

    sending = asyncio.ensure_future(send())
    opcode_back, payload, _ = await peer.message(timeout=60)
    await sending
    got.update(payload)
    expect("kind of the echo", opcode_back, opcode)
    expect("length of the echo", len(payload), sum(map(len, parts)))
    expect("hash of the echo", got.hexdigest(), sent.hexdigest())


def _large(name, title, length, size, opcode=BINARY, blob=_blob):
    async def run(environment):
        client = await environment.client(*LARGE)
        async with client.open() as peer:
            await _echo_by_hash(peer, opcode, _pieces(blob(length), size))
            await peer.close_cleanly()
    book.add(f"server/5.4-large/{name}", "RFC 6455 5.4", title, run, timeout=90)


_large("1m-one-frame", "1 MiB in one frame", MEBIBYTE, MEBIBYTE)
_large("1m-997", "1 MiB in fragments of 1,237 bytes", MEBIBYTE, 1237)
_large("8m-65537", "8 MiB in fragments of 65,537 bytes", 8 * MEBIBYTE, 65537)
_large("16m-text", "16 MiB of text in one frame", 16 * MEBIBYTE, 16 * MEBIBYTE, TEXT,
       lambda length: ("日本語😀κόσμε abc " * (length // 30))[:length // 4].encode()[:length])
_large("64m-one-frame", "64 MiB in one frame", 64 * MEBIBYTE, 64 * MEBIBYTE)
_large("64m-odd", "64 MiB in fragments of 1,000,003 bytes", 64 * MEBIBYTE, 1000003)
_large("64m-64k", "64 MiB in 1,024 fragments of 64 KiB", 64 * MEBIBYTE, 65536)


@book.case("server/10.4-limits/large-over", "RFC 6455 10.4", "one byte more than --max-message", timeout=30)
async def large_over(environment):
    client = await environment.client(*LARGE)
    async with client.open() as peer:
        await peer.send(Frame(BINARY, length=64 * MEBIBYTE + 1))
        await peer.expect_close({1009})


@book.case("server/10.4-limits/small", "RFC 6455 10.4", "--max-message 100: 100 bytes pass, 101 do not")
async def small_limit(environment):
    client = await environment.client("--max-message", "100")
    for length in (0, 1, 99, 100):
        async with client.open() as peer:
            await peer.send(binary(b"x" * length))
            expect("echo", (await peer.message())[1], b"x" * length)
            await peer.close_cleanly()
    for frames in ([binary(b"x" * 101)], [Frame(BINARY, length=101)],
                   [binary(b"x" * 60, fin=False), Frame(CONT, b"x" * 41, fin=False)]):
        async with client.open() as peer:
            await peer.send(*frames)
            await peer.expect_close({1009})


@book.case("server/5.4-order/5000", "RFC 6455 5.4", "5,000 messages of many sizes in order, kinds mixed", timeout=60)
async def many_in_order(environment):
    client = await environment.client()
    random_size = random.Random(5)
    sizes = [random_size.choice((0, 1, 20, 125, 126, 300, 5000)) for _ in range(5000)]

    def message(at):
        body = (b"%d:" % at).ljust(sizes[at], b".")
        return text(body) if at % 2 else binary(body)

    async with client.open() as peer:
        async def send():
            for start in range(0, 5000, 50):
                await peer.send(*(message(at) for at in range(start, start + 50)))
        sending = asyncio.ensure_future(send())
        for at in range(5000):
            opcode, payload, _ = await peer.message()
            expect(f"message {at}", (opcode, payload), (message(at).opcode, message(at).payload))
        await sending
        await peer.close_cleanly()


@book.case("server/5.4-order/segments", "RFC 6455 5.4", "records cut into TCP segments of 1, 2, 3 and 7 bytes", timeout=30)
async def tcp_segments(environment):
    client = await environment.client()
    async with client.open() as peer:
        for size in (1, 2, 3, 7):
            await peer.stream.send_segments(text("cut").encode(True) + binary(b"x" * 300).encode(True), size)
            expect("text", (await peer.message())[1], b"cut")
            expect("binary", (await peer.message())[1], b"x" * 300)
        await peer.close_cleanly()


@book.case("server/5.4-order/many-connections", "RFC 6455 5.4", "200 connections at once, each with its own echo", timeout=60)
async def many_connections(environment):
    client = await environment.client()
    gate = asyncio.Event()

    async def one(number):
        async with client.open() as peer:
            await gate.wait()
            for at in range(5):
                await peer.send(text(f"{number}/{at}"))
                expect("echo", (await peer.message(15))[1], f"{number}/{at}".encode())
            await peer.close_cleanly(timeout=15)

    tasks = [asyncio.ensure_future(one(number)) for number in range(200)]
    await asyncio.sleep(1)
    gate.set()
    await asyncio.gather(*tasks)


# ── The binary as a client ───────────────────────────────────────────────────────────────────────────────────────────
async def _lines(environment, lines, *flags):
    """Writes lines, returns the frames that come, and ends cleanly."""
    async with environment.connector("--exit-on-close", *flags) as client:
        await client.open()
        writing = asyncio.ensure_future(client.write(b"".join(line + b"\n" for line in lines)))
        got = []
        for _ in lines:
            frame = await client.peer.next(15)
            check(frame is not None, "the stream ended before all lines came")
            got.append(frame)
        await writing
        await client.peer.close_cleanly()
        await expect_exit(client, clean=True)
    return got


@book.case("client/5.3-mask/10000", "RFC 6455 5.3", "10,000 frames: each mask is fresh and nobody can predict it", timeout=60)
async def masks(environment):
    frames = await _lines(environment, [b"line %d" % at for at in range(10000)])
    for at, frame in enumerate(frames):
        expect(f"line {at}", frame.payload, b"line %d" % at)
    keys = [int.from_bytes(frame.key, "big") for frame in frames]
    check(len(set(keys)) >= 9995, f"only {len(set(keys))} different masks in 10,000 frames")
    check(keys.count(0) <= 1, f"{keys.count(0)} masks are zero")
    for bit in range(32):
        share = sum(key >> bit & 1 for key in keys)
        check(4700 < share < 5300, f"bit {bit} of the masks is set {share} times in 10,000")  # six standard deviations
    for name, relation in [("difference", lambda a, b: (b - a) & 0xFFFFFFFF), ("XOR", lambda a, b: a ^ b)]:
        common = collections.Counter(relation(a, b) for a, b in zip(keys, keys[1:])).most_common(1)[0]
        check(common[1] <= 3, f"the {name} of neighbouring masks is {common[0]:#x} {common[1]} times")
    for byte in range(4):
        most = collections.Counter(key >> 8 * byte & 0xFF for key in keys).most_common(1)[0]
        check(most[1] < 100, f"byte {byte} of the masks is {most[0]} {most[1]} times in 10,000")


@book.case("client/5.6-send/text", "RFC 6455 5.6", "a line is a text message of its bytes", timeout=30)
async def text_lines(environment):
    lines = [b"hello", b"", b" leading and trailing ", "日本語😀".encode(), b"x" * 125, b"x" * 126, b"x" * 65535, b"x" * 65536,
             b"x" * 300000, b"tab\tand\x01control"]
    async with environment.connector("--exit-on-close") as client:
        await client.open()
        writing = asyncio.ensure_future(client.write(b"".join(line + b"\n" for line in lines)))
        for line in lines:
            expect("kind and payload", (await client.peer.message())[:2], (TEXT, line))
        await writing
        await client.peer.close_cleanly()
        await expect_exit(client, clean=True)


@book.case("client/5.6-send/binary", "RFC 6455 5.6", "--binary: bytes leave as binary messages, UTF-8 or not", timeout=30)
async def binary_bytes(environment):
    data = b"\xff\xfe\x00\xc0\n" + bytes(range(256)) * 1000
    async with environment.connector("--no-wait", "--binary") as client:
        await client.open()
        await client.write(data)
        client.process.stdin.close()
        got = b""
        while len(got) < len(data):
            opcode, payload, _ = await client.peer.message()
            expect("kind", opcode, BINARY)
            got += payload
        check(got == data, "the bytes changed")
        await client.peer.expect_close({1000})


@book.case("client/5.6-send/not-utf8", "RFC 6455 5.6", "a line that is not UTF-8 never leaves as text")
async def not_utf8_line(environment):
    async with environment.connector("--exit-on-close") as client:
        await client.open()
        await client.write(b"bad \xff\xfe line\n")
        try:
            frame = await client.peer.next(1.0)
        except asyncio.TimeoutError:
            return
        if frame is not None and frame.opcode == TEXT:
            frame.payload.decode("utf-8")


@book.case("client/5.4-large/1m", "RFC 6455 5.4", "1 MiB in fragments of 1,237 bytes is one line", timeout=30)
async def large_to_client(environment):
    payload = bytes(97 + at % 26 for at in range(MEBIBYTE))
    async with environment.connector("--exit-on-close") as client:
        await client.open()
        parts = _pieces(payload, 1237)
        await client.peer.send(*(Frame(TEXT if at == 0 else CONT, part, fin=at == len(parts) - 1)
                                 for at, part in enumerate(parts)))
        await client.expect_output(payload + b"\n", 15)
        await client.peer.close_cleanly()
        await expect_exit(client, clean=True)


@book.case("client/5.4-order/5000", "RFC 6455 5.4", "5,000 messages become 5,000 lines in order", timeout=60)
async def many_lines(environment):
    async with environment.connector("--exit-on-close") as client:
        await client.open()
        for start in range(0, 5000, 250):
            await client.peer.send(*(text(f"message {at}") for at in range(start, start + 250)))
            await client.expect_output(b"".join(b"message %d\n" % at for at in range(start, start + 250)), 15)
            await asyncio.sleep(0.3)  # within the client's own limit of messages per second
        await client.peer.close_cleanly()
        await expect_exit(client, clean=True)


def all_cases():
    return book.cases
