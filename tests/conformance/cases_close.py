# SPDX-License-Identifier: Apache-2.0
# RFC 6455 5.5.1 and 7: codes and reasons, who closes first, how TLS and TCP end, what an abnormal end becomes.
import asyncio
import os
import time

from conformance.exchange import Pause, cases, expect_exit, row
from conformance.frames import CLOSE, Frame, binary, close, cont, ping, text
from conformance.peer import WAIT
from support import tlsstream
from support.suite import Book, check, expect

PROTOCOL_ERROR, NOT_UTF8 = 1002, 1007
LEGAL = {*range(1000, 1004), *range(1007, 1015), *range(3000, 5000)}
EDGES = (0, 1, 125, 500, 998, 999, *range(1000, 1018), 1099, 1100, 1999, 2000, 2001, 2500, 2998, 2999, 3000, 3001, 3500,
         3998, 3999, 4000, 4001, 4500, 4998, 4999, 5000, 5001, 6000, 9999, 32767, 32768, 65534, 65535)
CLOSE_TIME = 5.0  # Limits::close_time
TIMED_OUT, CLOSED, ABNORMAL = 6, 13, 14  # exit statuses, docs/command-line.md

book = Book()


def _codes():
    for code in EDGES:
        known = code in LEGAL
        ending = {"closes": (code, b"why")} if known else {"fails": {PROTOCOL_ERROR}}
        yield row(f"7.4-code/{code}", "RFC 6455 7.4", f"close code {code} is {'legal' if known else 'illegal'}",
                  close(code, b"why"), **ending)


def _reasons():
    for length in (0, 1, 122, 123):
        yield row(f"5.5.1-reason/{length}", "RFC 6455 5.5.1", f"a reason of {length} bytes", close(1000, b"r" * length),
                  closes=(1000, b"r" * length))
    yield row("5.5.1-reason/124", "RFC 6455 5.5", "a reason of 124 bytes makes the frame too long",
              close(1000, b"r" * 124), fails=PROTOCOL_ERROR)
    yield row("5.5.1-reason/utf8", "RFC 6455 5.5.1", "a reason of four-byte characters",
              close(3000, "😀".encode() * 30), closes=(3000, "😀".encode() * 30))
    for name, reason in [("ff", b"\xff"), ("incomplete", b"caf\xc3"), ("surrogate", b"\xed\xa0\x80"),
                         ("overlong", b"\xc0\xaf"), ("late", b"r" * 120 + b"\xe2\x82")]:
        yield row(f"5.5.1-reason/not-utf8-{name}", "RFC 6455 8.1", f"a reason that is not UTF-8: {name}",
                  close(1000, reason), fails={NOT_UTF8, PROTOCOL_ERROR})


def _bodies():
    yield row("5.5.1-body/empty", "RFC 6455 5.5.1", "an empty close frame is answered", close(), closes=(1005, b""))
    for byte in (b"\0", b"\x03", b"\xff"):
        yield row(f"5.5.1-body/one-byte-{byte.hex()}", "RFC 6455 5.5.1", "a close frame with a body of one byte",
                  Frame(CLOSE, byte), fails=PROTOCOL_ERROR)


def _data_after():
    late = [("text", text("late")), ("binary", binary(b"late")), ("ping", ping(b"late")), ("close", close(1001)),
            ("garbage", b"\xff" * 64), ("fragment", text("late", fin=False)), ("unmasked", text("x", mask="wrong")),
            ("orphan", cont("late"))]
    for name, frame in late:
        yield row(f"1.4-after-close/{name}", "RFC 6455 1.4", f"what comes after the close frame is not read: {name}",
                  close(1000, b"done"), frame, closes=(1000, b"done"), splits=("whole",))
    yield row("1.4-after-close/message-before", "RFC 6455 1.4", "a message before the close frame is delivered",
              text("before"), Pause, close(1000), messages=["before"], closes=(1000, b""))


# ── The binary as a server ───────────────────────────────────────────────────────────────────────────────────────────
async def _sweep(environment, codes):
    """Every close code on a connection of its own, some at a time."""
    client = await environment.client()
    slots, wrong = asyncio.Semaphore(4), []

    async def one(code):
        async with slots, client.open() as peer:
            await peer.send(close(code))
            frame = await peer.expect_frame(CLOSE)
            wanted = code if code in LEGAL else PROTOCOL_ERROR
            if frame.code != wanted:
                wrong.append((code, frame.code))

    await asyncio.gather(*(one(code) for code in codes))
    check(not wrong, f"{len(wrong)} codes have the wrong answer (sent, got): {sorted(wrong)[:10]}")


STRIDE = 1 if os.environ.get("FAIRLEAD_THOROUGH") else 9  # the unit tests judge each code; here a channel is opened for it

for low in range(0, 5000, 1000):
    book.add(f"server/7.4-code/sweep-{low}", "RFC 6455 7.4", f"close codes {low}–{low + 999}, every {STRIDE}th" if STRIDE > 1 else
             f"close codes {low}–{low + 999}, each one",
             lambda environment, low=low: _sweep(environment, range(low, low + 1000, STRIDE)), timeout=60)


@book.case("server/7.1.1-end/server-ends-tcp", "RFC 6455 7.1.1", "the server ends TLS and TCP first, at once", alone=True)
async def server_ends_first(environment):
    client = await environment.client()
    async with client.open() as peer:
        await peer.send(close(1000))
        started = time.monotonic()
        await peer.expect_close({1000})
        expect("what follows the close frame", await peer.next(2.0), None)
        expect("end of TLS", peer.stream.ended, tlsstream.CLOSE_NOTIFY)
        await asyncio.wait_for(peer.stream.await_fin(), 2.0)  # we have said nothing in TLS or TCP
        check(time.monotonic() - started < 1.0, f"TCP ended only after {time.monotonic() - started:.1f} s")


@book.case("server/7.1.1-end/no-reset", "RFC 6455 7.1.1", "no reset overtakes the close frame while the client sends on", timeout=40)
async def no_reset_race(environment):
    client = await environment.client()
    for _ in range(20):
        async with client.open() as peer:
            await peer.send(text(b"\xff"))
            sending = asyncio.ensure_future(peer.send(*(binary(b"x" * 20000) for _ in range(20))))
            await peer.expect_close({NOT_UTF8})
            sending.cancel()
            await peer.expect_end(ended=None, fin=False)


@book.case("server/7.1.4-end/fin-without-close", "RFC 6455 7.1.5", "TCP ends without a close frame: the server ends too")
async def fin_without_close(environment):
    client = await environment.client()
    async with client.open() as peer:
        await peer.send(text("hello"))
        await peer.message()
        peer.stream.end_tcp()
        await _ends_without_data(peer)


@book.case("server/7.1.4-end/close-notify-without-close", "RFC 6455 7.1.5",
           "TLS ends without a close frame: the server ends too")
async def notify_without_close(environment):
    client = await environment.client()
    async with client.open() as peer:
        await peer.stream.close_notify()
        await _ends_without_data(peer)


async def _ends_without_data(peer):
    """At most a close frame may still come."""
    while (frame := await peer.next(3.0)) is not None:
        expect("frame after the end", frame.opcode, CLOSE)
    await asyncio.wait_for(peer.stream.await_fin(), 3.0)


@book.case("server/7.1.4-end/resets", "RFC 6455 7.1.5", "connections reset at any moment; the server lives on", timeout=40)
async def resets(environment):
    client = await environment.client()
    for at in range(30):
        async with client.open() as peer:
            await peer.send(text("half", fin=False) if at % 3 else binary(b"x" * 50000).encode(True)[:30000])
            if at % 2:
                await asyncio.sleep(0.005)
            peer.stream.reset()
    async with client.open() as peer:
        await peer.send(text("alive"))
        expect("echo", (await peer.message())[1], b"alive")
        await peer.close_cleanly()


@book.case("server/7.1.4-end/half-message", "RFC 6455 7.1.5", "the stream ends inside a frame and inside a message")
async def end_inside(environment):
    client = await environment.client()
    for data in (text("abc", fin=False).encode(True), binary(b"x" * 300).encode(True)[:100], b"\x82", b"\x82\xfe\x01"):
        async with client.open() as peer:
            await peer.send(data)
            await peer.stream.close_notify()
            peer.stream.end_tcp()
            await _ends_without_data(peer)


@book.case("server/7.1.1-end/deaf-client", "RFC 6455 7.1.1", "a client that ignores the end is cut off by the close time",
           timeout=20)
async def deaf_client(environment):
    client = await environment.client()
    async with client.open() as peer:
        await peer.send(close(1000))
        await peer.expect_close({1000})
        started = time.monotonic()
        while peer.stream.ended is None:
            await peer.next(2.0)
        await asyncio.wait_for(peer.stream.await_fin(), CLOSE_TIME + 3)
        expect("seconds to the end of TCP", int(time.monotonic() - started), range(0, 8))


# ── The binary as a client ───────────────────────────────────────────────────────────────────────────────────────────
@book.case("client/7.1.1-end/client-waits", "RFC 6455 7.1.1", "the client leaves the end of TCP to the server")
async def client_waits(environment):
    async with environment.connector("--exit-on-close") as client:
        await client.open()
        await client.peer.send(close(1000))
        await client.peer.expect_close({1000})
        try:
            await client.peer.next(0.4)
        except asyncio.TimeoutError:
            pass
        check(not client.peer.stream.fin, "the client ended TCP before the server did")
        await client.peer.stream.close_notify()
        client.peer.stream.end_tcp()
        await client.peer.expect_end(ended=None)
        await expect_exit(client, clean=True)


@book.case("client/7.1.1-end/deaf-server", "RFC 6455 7.1.1", "a server that never ends TCP does not hold the client",
           timeout=25)
async def deaf_server(environment):
    async with environment.connector("--exit-on-close") as client:
        await client.open()
        await client.peer.send(close(1000))
        await client.peer.expect_close({1000})
        await client.exit_status(CLOSE_TIME + 3)


@book.case("client/7.1.2-start/end-of-input", "RFC 6455 7.1.2", "the end of the input closes the channel with 1000")
async def end_of_input(environment):
    async with environment.connector("--no-wait") as client:
        await client.open()
        await client.write(b"last line\n")
        client.process.stdin.close()
        expect("message", (await client.peer.message())[1], b"last line")
        await client.peer.expect_close({1000, 1001, 1005})
        await client.peer.send(close(1000))
        await client.peer.stream.close_notify()
        client.peer.stream.end_tcp()
        await client.peer.expect_end(ended=None)
        expect("exit status", await client.exit_status(), 0)


@book.case("client/7.1.2-start/unanswered", "RFC 6455 7.1.1", "a server that never answers the close frame", timeout=25)
async def unanswered_close(environment):
    async with environment.connector("--no-wait") as client:
        await client.open()
        client.process.stdin.close()
        await client.peer.expect_close({1000, 1001, 1005})
        expect("exit status of a closing handshake that was not finished", await client.exit_status(CLOSE_TIME + 3), TIMED_OUT)


async def _abnormal(environment, finish):
    async with environment.connector("--exit-on-close") as client:
        await client.open()
        await client.peer.send(text("hello"))
        await client.expect_output(b"hello\n")
        await finish(client.peer)
        status = await client.exit_status()
        expect("exit status after an abnormal end", status, ABNORMAL)


async def _fin(peer):
    peer.stream.end_tcp()


async def _notify(peer):
    await peer.stream.close_notify()
    peer.stream.end_tcp()


async def _reset(peer):
    peer.stream.reset()


async def _half_frame(peer):
    await peer.send(text("never finished").encode(False)[:5])
    await _notify(peer)


for _name, _finish, _what in [("fin", _fin, "TCP ends without TLS's goodbye"), ("close-notify", _notify, "TLS ends"),
                              ("reset", _reset, "TCP is reset"), ("half-frame", _half_frame, "TLS ends inside a frame")]:
    book.add(f"client/7.1.5-end/{_name}", "RFC 6455 7.1.5", f"1006: {_what} without a close frame",
             lambda environment, finish=_finish: _abnormal(environment, finish))


async def _exit_for(environment, code, clean):
    async with environment.connector("--exit-on-close") as client:
        await client.open()
        await client.peer.send(close(code) if code != 1005 else close())
        await client.peer.expect_close({code})
        await client.peer.stream.close_notify()
        client.peer.stream.end_tcp()
        status = await client.exit_status(WAIT)
        expect(f"exit status after close {code}", status, 0 if clean else CLOSED)


for _code in (1000, 1001, 1005, 1011, 1012, 1013, 4000):
    book.add(f"client/7.1.5-exit/{_code}", "RFC 6455 7.1.5", f"the client exits after the server closes with {_code}",
             lambda environment, code=_code: _exit_for(environment, code, clean=code in (1000, 1001, 1005)))


def all_cases():
    for table in (_codes, _reasons, _bodies, _data_after):
        yield from cases(table())
    yield from book.cases
