# SPDX-License-Identifier: Apache-2.0
# RFC 7692 6 and 7.2: compressed messages, legal and illegal, once permessage-deflate has been agreed on.
import asyncio

from conformance import deflate
from conformance.deflate import RSV1, bomb, fragments, frame, packed
from conformance.exchange import cases, expect_exit, row
from conformance.frames import BINARY, CLOSE, NAMES, PING, PONG, TEXT, Frame, binary, close, cont, ping, pong, text
from support.suite import Book, check, expect

book = Book()
MEBIBYTE = 1024 * 1024
LIMIT = ("--max-message", str(MEBIBYTE))  # a client's own default is larger
PROTOCOL_ERROR, NOT_UTF8, TOO_BIG = 1002, 1007, 1009
BROKEN = {1007, 1002}  # RFC 7692 names no code for data that does not inflate
HELLO = bytes.fromhex("f248cdc9c90700")


def _samples():
    section = "RFC 7692 7.2.3"
    yield row("7.2.3-sample/one-block", section, "the RFC's sample: one block", frame(TEXT, HELLO), messages=["Hello"],
              deflate=True)
    yield row("7.2.3-sample/fragments", section, "the RFC's sample: two fragments", frame(TEXT, HELLO[:3], fin=False),
              cont(HELLO[3:]), messages=["Hello"], deflate=True)
    yield row("7.2.3-sample/stored", section, "the RFC's sample: a block without compression",
              frame(TEXT, bytes.fromhex("000500faff48656c6c6f00")), messages=["Hello"], deflate=True)
    yield row("7.2.3-sample/final", section, "the RFC's sample: BFINAL is 1", frame(TEXT, bytes.fromhex("f348cdc9c9070000")),
              messages=["Hello"], deflate=True)
    yield row("7.2.3-sample/final-then-more", section, "a message after one with BFINAL",
              frame(TEXT, bytes.fromhex("f348cdc9c9070000")), frame(TEXT, HELLO), messages=["Hello", "Hello"], deflate=True)
    yield row("7.2.3-sample/final-twice", section, "two final blocks in one message",
              frame(TEXT, bytes.fromhex("f348cdc9c90700f348cdc9c9070000")), messages=["HelloHello"], deflate=True)
    yield row("7.2.3-sample/two-blocks", section, "the RFC's sample: two blocks",
              frame(TEXT, bytes.fromhex("f248050000 00ffffcac9c90700")), messages=["Hello"], deflate=True)
    yield row("7.2.3-sample/empty", section, "the RFC's sample: an empty message", frame(TEXT, b"\0"), frame(BINARY, b"\0"),
              messages=["", b""], deflate=True)
    yield row("7.2.3-sample/empty-blocks", section, "a hundred empty blocks", frame(TEXT, b"\0\0\0\xff\xff" * 100 + HELLO),
              messages=["Hello"], deflate=True)
    yield row("7.2.3-sample/huffman-only", section, "a block with its own Huffman codes",
              frame(BINARY, packed(bytes(range(256)) * 8)), messages=[bytes(range(256)) * 8], deflate=True)


def _mixed():
    section = "RFC 7692 6"
    yield row("6-mixed/uncompressed", section, "an uncompressed message where compression was agreed on", text("plain"),
              binary(b"\xff\0"), messages=["plain", b"\xff\0"], deflate=True)
    yield row("6-mixed/alternating", section, "compressed and plain messages in turn", frame(TEXT, HELLO), text("plain"),
              frame(BINARY, HELLO), binary(b"b"), frame(TEXT, HELLO), messages=["Hello", "plain", b"Hello", b"b", "Hello"],
              deflate=True)
    yield row("6-mixed/ping-between", section, "a ping inside a compressed message", frame(TEXT, HELLO[:2], fin=False),
              ping(b"p"), cont(HELLO[2:5], fin=False), pong(b"q"), cont(HELLO[5:]), messages=["Hello"], pongs=[b"p"], deflate=True)
    yield row("6-mixed/empty-fragments", section, "empty fragments around a compressed message", frame(TEXT, b"", fin=False),
              cont(HELLO[:4], fin=False), cont(b"", fin=False), cont(HELLO[4:], fin=False), cont(), messages=["Hello"],
              deflate=True)
    yield row("6-mixed/one-byte-fragments", section, "a compressed message in fragments of one byte",
              *fragments(TEXT, HELLO, range(1, len(HELLO))), messages=["Hello"], deflate=True)
    yield row("6-mixed/close-inside", section, "a close inside a compressed message", frame(TEXT, HELLO[:3], fin=False),
              close(1000), closes=(1000, b""), deflate=True, partial=b"He")
    yield row("6-mixed/incompressible", section, "a stored message that grows",
              frame(BINARY, packed(bytes(at * 7919 % 251 for at in range(5000)), level=0)),
              messages=[bytes(at * 7919 % 251 for at in range(5000))], deflate=True)


def _reserved_bits():
    for opcode in (PING, PONG, CLOSE):
        yield row(f"6-rsv1/{NAMES[opcode]}", "RFC 7692 6", f"RSV1 on a {NAMES[opcode]}",
                  Frame(opcode, b"\x03\xe8" if opcode == CLOSE else b"", rsv=RSV1), fails=PROTOCOL_ERROR, deflate=True)
    yield row("6-rsv1/continuation", "RFC 7692 6.1", "RSV1 on a continuation of a compressed message",
              frame(TEXT, HELLO[:3], fin=False), cont(HELLO[3:], rsv=RSV1), fails=PROTOCOL_ERROR, deflate=True)
    yield row("6-rsv1/continuation-plain", "RFC 7692 6.1", "RSV1 on a continuation of a plain message",
              text("a", fin=False), cont(HELLO, rsv=RSV1), fails=PROTOCOL_ERROR, deflate=True)
    for rsv in (1, 2, 3, 5, 6, 7):
        yield row(f"6-rsv/{rsv}", "RFC 6455 5.2", f"reserved bits {rsv:03b} although only RSV1 was agreed on",
                  Frame(TEXT, HELLO, rsv=rsv), fails=PROTOCOL_ERROR, deflate=True)


def _broken():
    broken = {"block-type-3": b"\x06", "block-type-3-later": HELLO[:-1] + b"\x06", "all-ones": b"\xff" * 20,
              "stored-length": bytes.fromhex("000500000048656c6c6f00"), "far-distance": bytes.fromhex("020310"),
              "code-lengths": b"\x04\xc0\x81\x08\0\0\0\0\x20\x7f\xeb\x0b\0\0", "text-as-deflate": b"this is no deflate data"}
    for name, payload in broken.items():
        yield row(f"7.2.2-broken/{name}", "RFC 7692 7.2.2", f"a payload that does not inflate: {name}",
                  frame(BINARY, payload), fails=BROKEN, deflate=True)
    yield row("7.2.2-broken/fails-early", "RFC 7692 7.2.2", "broken data fails before the message ends",
              frame(BINARY, b"\x06" + b"\xff" * 20, fin=False), fails=BROKEN, deflate=True)
    for name, data in [("ff", b"abc\xff"), ("surrogate", b"\xed\xa0\x80"), ("incomplete", b"caf\xc3"),
                       ("late", "日本語".encode() * 3000 + b"\xc0")]:
        yield row(f"7.2.2-utf8/{name}", "RFC 6455 8.1", f"compressed text that is not UTF-8: {name}",
                  frame(TEXT, packed(data)), fails=NOT_UTF8, deflate=True)
        yield row(f"7.2.2-utf8/{name}-binary", "RFC 6455 5.6", f"the same bytes as a compressed binary: {name}",
                  frame(BINARY, packed(data)), messages=[data], deflate=True, splits=("whole",))
    yield row("7.2.2-utf8/valid", "RFC 6455 5.6", "compressed text of all character sizes",
              frame(TEXT, packed("aκ日😀" * 500)), messages=["aκ日😀" * 500], deflate=True)


def _limits():
    exact, more = b"m" * MEBIBYTE, b"m" * (MEBIBYTE + 1)
    section = "RFC 6455 10.4"
    yield row("10.4-inflated/at", section, "a message that inflates to exactly the limit", frame(BINARY, packed(exact)),
              messages=[exact], deflate=True)
    yield row("10.4-inflated/over", section, "a message that inflates to one byte more", frame(BINARY, packed(more)),
              fails=TOO_BIG, deflate=True, client_flags=LIMIT, splits=("whole",))
    yield row("10.4-inflated/over-open", section, "the limit counts while inflating: the message is never finished",
              frame(BINARY, packed(more), fin=False), fails=TOO_BIG, deflate=True, client_flags=LIMIT, splits=("whole",))
    yield row("10.4-inflated/bomb-6m", section, "a bomb of 6 MB", frame(BINARY, bomb(6 << 20)), fails=TOO_BIG, deflate=True, client_flags=LIMIT)
    yield row("10.4-inflated/bomb-100m-text", section, "a bomb of 100 MB of text", frame(TEXT, bomb(100 << 20, b" ")),
              fails=TOO_BIG, deflate=True, client_flags=LIMIT)
    small = bomb(6 << 20)
    yield row("10.4-inflated/bomb-fragmented", section, "a bomb in fragments",
              *fragments(BINARY, small, range(500, len(small), 500)), fails=TOO_BIG, deflate=True, client_flags=LIMIT)


# ── Every cut, on one connection ─────────────────────────────────────────────────────────────────────────────────────
PLAIN = "every cut of a compressed message, 日本語, every cut of a compressed message, again and again".encode()


def _all_cuts():
    body = packed(PLAIN)
    for cut in range(len(body) + 1):
        yield fragments(TEXT, body, [cut])
    for cut in range(0, len(body) - 1, 3):
        yield fragments(TEXT, body, [cut, cut + 1])


@book.case("server/6.2-cuts/fragments", "RFC 7692 6.2", "a compressed message cut everywhere", timeout=60)
async def cuts_server(environment):
    client = await environment.client("--compress")
    async with client.open(extra=[deflate.field(deflate.OFFER)]) as peer:
        deflate.Agreement.of(peer.head).receive_with(peer)
        for frames in _all_cuts():
            await peer.send(*frames)
            expect("echo", (await peer.message())[1], PLAIN)
        body = packed(PLAIN)
        for cut in range(1, len(frame(TEXT, body).encode(True))):
            data = frame(TEXT, body).encode(True)
            await peer.send(data[:cut])
            await peer.send(data[cut:])
            expect("echo", (await peer.message())[1], PLAIN)
        await peer.close_cleanly()


@book.case("client/6.2-cuts/fragments", "RFC 7692 6.2", "a compressed message cut everywhere", timeout=60)
async def cuts_client(environment):
    async with environment.connector("--exit-on-close", "--compress") as client:
        await client.open([deflate.field(deflate.ANSWER)])
        for frames in _all_cuts():
            await client.peer.send(*frames)
            await client.expect_output(PLAIN + b"\n")
        await client.peer.close_cleanly()
        await expect_exit(client, clean=True)


@book.case("server/7.2.3-takeover/sample", "RFC 7692 7.2.3.2", "the RFC's sample: the second message refers to the first")
async def takeover_sample(environment):
    client = await environment.client("--compress", "--context-takeover")
    async with client.open(extra=[deflate.field(deflate.OFFER)]) as peer:
        agreement = deflate.Agreement.of(peer.head)
        check(agreement.client_takeover, "--context-takeover, and yet the server asks for client_no_context_takeover")
        agreement.receive_with(peer)
        await peer.send(frame(TEXT, HELLO), frame(TEXT, bytes.fromhex("f200110000")))
        for _ in range(2):
            expect("echo", (await peer.message())[1], b"Hello")
        await peer.close_cleanly()


@book.case("client/7.2.3-takeover/sample", "RFC 7692 7.2.3.2", "the RFC's sample: the second message refers to the first")
async def takeover_sample_client(environment):
    async with environment.connector("--exit-on-close", "--compress", "--context-takeover") as client:
        await client.open([deflate.field(deflate.NAME)])
        await client.peer.send(frame(TEXT, HELLO), frame(TEXT, bytes.fromhex("f200110000")))
        await client.expect_output(b"Hello\nHello\n")
        await client.peer.close_cleanly()
        await expect_exit(client, clean=True)


@book.case("server/7.2.2-broken/cut-short", "RFC 7692 7.2.2", "a message that stops inside a block: refused, or what it has")
async def cut_short(environment):
    client = await environment.client("--compress")
    body = packed(PLAIN)
    for cut in range(1, len(body), 5):
        async with client.open(extra=[deflate.field(deflate.OFFER)]) as peer:
            deflate.Agreement.of(peer.head).receive_with(peer)
            await peer.send(frame(BINARY, body[:cut]))
            answer = await peer.next()
            check(answer is not None, "the end without a close frame")
            if answer.opcode == CLOSE:
                expect("close code", answer.code, BROKEN)


@book.case("client/7.1.1-takeover/forgotten", "RFC 7692 7.1.1.1",
           "server_no_context_takeover was agreed on: a reference into the last message fails")
async def forgotten(environment):
    async with environment.connector("--exit-on-close", "--compress") as client:
        await client.open([deflate.field(deflate.NAME + "; server_no_context_takeover")])
        await client.peer.send(frame(TEXT, HELLO))
        await client.expect_output(b"Hello\n")
        await client.peer.send(frame(TEXT, bytes.fromhex("f200110000")))
        try:
            answer = await client.peer.next(2.0)
        except asyncio.TimeoutError:
            answer = None
        if answer is not None:
            expect("answer", (answer.opcode, answer.code in BROKEN), (CLOSE, True))
        else:  # a client may keep a larger window than it must; then the text is the same
            await client.expect_output(b"Hello\n")


def all_cases():
    for table in (_samples, _mixed, _reserved_bits, _broken, _limits):
        yield from cases(table())
    yield from book.cases
