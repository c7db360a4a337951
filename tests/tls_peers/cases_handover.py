# SPDX-License-Identifier: Apache-2.0
# What is legal and easily got wrong where the record layer changes hands, and behind it: data in the segment of Finished,
# any split, KeyUpdate at once, tickets between messages, padding of every kind, floods, and every way to end.
import asyncio
import random

from conformance import frames, peer
from support import tlsstream
from support.suite import Book, check, expect
from tls_peers import by_hand, records, stacks, talk
from tls_peers.records import ALERT, DATA, HANDSHAKE, KEY_UPDATE, NEW_SESSION_TICKET, message

book = Book()
SUITES = (stacks.AES_128, stacks.AES_256, stacks.CHACHA)
ABNORMAL = 14  # what cli/exit_status.h promises
FLOOD = 400  # messages, at 10 in a second with a burst of 20
KEY = "dGhlIHNhbXBsZSBub25jZQ=="  # RFC 6455 1.3


def case(role, name, section, title):
    """A case for each suite and record layer; `function(environment, layer, suite)`."""
    def keep(function):
        for layer in stacks.record_layers():
            for suite in SUITES:
                async def run(environment, layer=layer, suite=suite):
                    await function(environment, layer, suite)
                book.add(f"{role}/records-by-hand/{name}-{stacks.SHORT[suite]}{stacks.suffix(layer)}", f"RFC 8446 {section}", title,
                         run, timeout=20)
        return function
    return keep


# ── Around the handshake ─────────────────────────────────────────────────────────────────────────────────────────────
async def _open_together(environment, layer, suite, together):
    """A client that sends its request around its Finished as `together(stream, finished, request)` says."""
    server = await talk.server(environment, layer)
    request = peer.request(server.port, key=KEY)

    async def send(stream, finished):
        await together(stream, finished, request)
    stream = await records.connect(server.port, suite, by_hand.log_file_for(environment), send)
    client = peer.Peer(stream, masks=True)
    expect("status of the upgrade", (await client.read_head()).status, 101)
    return client


def _together(name, title):
    def keep(function):
        @case("server", name, "2", title)
        async def run(environment, layer, suite):
            client = await _open_together(environment, layer, suite, function)
            await talk.echoes(client, talk.QUICK)
            expect("tickets", client.stream.tickets_seen > 0, True)
            await talk.goodbye(client)
        return function
    return keep


@_together("finished-with-request", "Finished and the request in one segment")
async def finished_with_request(stream, finished, request):
    await stream.write(finished + stream.record(DATA, request))


@_together("finished-with-half", "Finished, and the first half of the next record, in one segment")
async def finished_with_half(stream, finished, request):
    data = finished + stream.record(DATA, request)
    half = len(finished) + 40
    await stream.write(data[:half])
    await asyncio.sleep(0.1)
    await stream.write(data[half:])


@_together("finished-half", "half of Finished; the rest comes with the request")
async def finished_half(stream, finished, request):
    data = finished + stream.record(DATA, request)
    await stream.write(data[:len(finished) - 10])
    await asyncio.sleep(0.1)
    await stream.write(data[len(finished) - 10:])


@_together("byte-by-byte", "Finished and the request, byte by byte")
async def byte_by_byte(stream, finished, request):
    await stream.write_pieces(finished + stream.record(DATA, request), 1)


@_together("finished-with-key-update", "Finished, KeyUpdate with a request, and the request in one segment")
async def finished_with_key_update(stream, finished, request):
    await stream.write(finished + stream.key_update(ask=True) + stream.record(DATA, request))


@_together("finished-with-many", "Finished and many tiny records in one segment")
async def finished_with_many(stream, finished, request):
    await stream.write(finished, *(stream.record(DATA, request[at:at + 1], padding=at % 50) for at in range(len(request))))


@case("client", "finished-with-key-update", "4.6.3", "the server's Finished and KeyUpdate in one segment")
async def server_finished_with_key_update(environment, layer, suite):
    async with by_hand.OurClient(environment, layer, suite) as client:
        head = await client.accept(behind=lambda stream: stream.key_update(ask=True), ticket=False)
        await client.peer.send(client.response(head))
        await _lines(client, (b"hello", b"x" * 20000))
        expect("KeyUpdates that answer", client.peer.stream.updates_seen, 1)
        await _close(client)


@case("client", "finished-with-ticket", "4.6.1", "the server's Finished, a ticket and KeyUpdate in one segment, each in a record")
async def server_finished_with_ticket(environment, layer, suite):
    async with by_hand.OurClient(environment, layer, suite) as client:
        head = await client.accept(ticket=False, behind=lambda stream: stream.record(HANDSHAKE, records.ticket(9)) + stream.key_update(
            ask=True))
        await client.peer.send(client.response(head))
        await _lines(client, (b"hello", b"x" * 20000))
        expect("KeyUpdates that answer", client.peer.stream.updates_seen, 1)
        await _close(client)


@case("client", "no-ticket", "4.6.1", "a server that sends no ticket, and then one between messages")
async def no_ticket(environment, layer, suite):
    async with by_hand.OurClient(environment, layer, suite) as client:
        head = await client.accept(ticket=False)
        stream = client.peer.stream
        await client.peer.send(client.response(head))
        await _lines(client, (b"one", b"x" * 20000))
        cut = records.ticket(1)
        await stream.write(stream.record(HANDSHAKE, cut[:20]))
        await client.write(b"in between\n")  # it may wait for the rest of the ticket
        await asyncio.sleep(0.1)
        await stream.write(stream.record(HANDSHAKE, cut[20:]) + stream.record(DATA, frames.text(b"behind it").encode(False)))
        await client.peer.expect_frame(frames.TEXT, b"in between")
        await client.expect_output(b"behind it\n")
        await _lines(client, (b"two", b"y" * 20000))
        await _close(client)


@case("client", "response-in-pieces", "5.1", "the server's records byte by byte")
async def response_in_pieces(environment, layer, suite):
    async with by_hand.OurClient(environment, layer, suite) as client:
        head = await client.accept()
        stream = client.peer.stream
        await stream.write_pieces(stream.record(DATA, client.response(head)) + stream.record(DATA, frames.text(b"early").encode(False)), 1)
        await client.expect_output(b"early\n")
        await _close(client)


async def _lines(client, lines):
    for line in lines:
        await client.write(line + b"\n")
        frame = await client.peer.expect_frame(frames.TEXT, line)
        await client.peer.send(frames.text(frame.payload))
        await client.expect_output(line + b"\n")


async def _close(client):
    await client.peer.send(frames.close(1000))
    await client.peer.expect_close({1000})
    await client.peer.stream.close_notify()
    await client.peer.expect_end()
    client.peer.stream.writer.close()
    expect("exit status", await client.exit_status(), 0)


# ── Records of every shape ───────────────────────────────────────────────────────────────────────────────────────────
@case("server", "padding", "5.4", "padding of every length that has a name, and random ones")
async def padding(environment, layer, suite):
    chance = random.Random(8446)
    async with by_hand.our_server(environment, layer, suite) as client:
        stream = client.stream
        room = records.RECORD_BYTES
        shapes = [(size, room - size) for size in (0, 1, 6, 1000, room - 1, room)]
        shapes += [(size, pad) for size in (1, 15, 16, 17, 255) for pad in (0, 1, 15, 16, 17, 240, 256)]
        shapes += [(size, chance.randrange(room - size + 1)) for size in (chance.randrange(2000) for _ in range(40))]
        wire = frames.binary(data := talk.payload(200000)).encode(True)
        for size, pad in shapes:
            await stream.write(stream.record(DATA, wire[:size], padding=pad))
            wire = wire[size:]
        await stream.send(wire)
        _, answer, _ = await client.message(talk.WAIT)
        expect("hash", talk.digest(answer), talk.digest(data))
        await talk.goodbye(client)


@case("server", "zeros", "5.4", "content that itself ends with zeros, with and without padding")
async def zeros(environment, layer, suite):
    async with by_hand.our_server(environment, layer, suite) as client:
        for size in (1, 2, 15, 16, 17, 63, 64, 65, 1000, 16000):
            for pad in (0, 1, 200):
                wire = frames.Frame(frames.BINARY, bytes(size), mask=b"\0\0\0\0").encode(True)
                await client.stream.write(client.stream.record(DATA, wire, padding=pad))
                _, answer, _ = await client.message(talk.WAIT)
                expect("answer", answer, bytes(size))
        await talk.goodbye(client)


@case("server", "sizes", "5.1", "one record of each of many sizes, and what comes back is no longer than a record may be")
async def sizes(environment, layer, suite):
    async with by_hand.our_server(environment, layer, suite) as client:
        for size in (*range(0, 80), 2047, 2048, 2049, 4096, 16376, 16377, 16383):
            data = talk.payload(size)
            await client.stream.send(frames.text(data).encode(True))
            _, answer, _ = await client.message(talk.WAIT)
            expect("answer", talk.digest(answer), talk.digest(data))
        check(max(client.stream.lengths) <= records.RECORD_BYTES + 256, "a record above the limit")
        await talk.goodbye(client)


@case("server", "empty-records", "5.1", "a few empty records between the parts of a message")
async def empty_records(environment, layer, suite):
    async with by_hand.our_server(environment, layer, suite) as client:
        wire = frames.text(data := talk.payload(3000)).encode(True)
        for at in range(0, len(wire), 700):
            await client.stream.write(client.stream.record(DATA, wire[at:at + 700]), client.stream.record(DATA, b""))
        _, answer, _ = await client.message(talk.WAIT)
        expect("answer", answer, data)
        await talk.goodbye(client)


# ── Handshake messages ───────────────────────────────────────────────────────────────────────────────────────────────
@case("server", "key-updates", "4.6.3", "KeyUpdate again and again, whole and cut into records, each followed by data")
async def key_updates(environment, layer, suite):
    async with by_hand.our_server(environment, layer, suite) as client:
        stream = client.stream
        for number in range(12):
            ask = number % 2 == 1
            if number % 3 == 2:
                update = message(KEY_UPDATE, bytes([ask]))
                cut = 1 + number % 4
                await stream.write(stream.record(HANDSHAKE, update[:cut]), stream.record(HANDSHAKE, update[cut:], padding=number))
                stream.mine = stream.mine.following()
            else:
                await stream.write(stream.key_update(ask))
            await talk.echo(client, talk.payload(500 + number))
            if number % 4 == 3:
                await asyncio.sleep(0.4)  # Limits::tls_messages_per_second
        expect("KeyUpdates that answer", stream.updates_seen, 6)
        await talk.goodbye(client)


@case("server", "requests-in-a-row", "4.6.3", "several KeyUpdates with a request in one segment: answered, however often")
async def requests_in_a_row(environment, layer, suite):
    async with by_hand.our_server(environment, layer, suite) as client:
        await client.stream.write(*(client.stream.key_update(ask=True) for _ in range(5)))
        await talk.echo(client, b"behind them")
        expect("KeyUpdates that answer", client.stream.updates_seen, range(1, 6))
        await talk.goodbye(client)


@case("client", "tickets", "4.6.1", "tickets of the server: alone, two in a record, cut, before a KeyUpdate in its record, with extensions")
async def tickets(environment, layer, suite):
    async with by_hand.OurClient(environment, layer, suite) as client:
        await client.open()
        stream = client.peer.stream
        await stream.write(stream.record(HANDSHAKE, records.ticket(1)))
        await _lines(client, (b"one",))
        await stream.write(stream.record(HANDSHAKE, records.ticket(2) + records.ticket(3), padding=99))
        await _lines(client, (b"two",))
        cut = records.ticket(4)
        await stream.write(*(stream.record(HANDSHAKE, cut[at:at + 30]) for at in range(0, len(cut), 30)))
        await _lines(client, (b"three",))
        await stream.write(stream.record(HANDSHAKE, records.ticket(5) + message(KEY_UPDATE, b"\1")))
        stream.mine = stream.mine.following()
        await _lines(client, (b"four", b"x" * 40000))
        # RFC 8446 4.6.1: unknown extensions are ignored; 0x0a0a is one that stacks send to see whether they are (RFC 8701).
        extensions = records.extension(0x0a0a) + records.extension(42, bytes(4)) + records.extension(0xfe00, bytes(300))
        await stream.write(stream.record(HANDSHAKE, records.ticket(6, extensions)))
        await _lines(client, (b"five",))
        expect("KeyUpdates that answer", stream.updates_seen, 1)
        await _close(client)


# ── Floods ───────────────────────────────────────────────────────────────────────────────────────────────────────────
async def _expect_cut_off(client):
    """The connection ends by itself, with an alert of any kind, a goodbye or a reset; nothing is echoed behind it."""
    while data := await asyncio.wait_for(client.stream.receive(), by_hand.WAIT):
        check(by_hand.CANARY not in data, "the flood had no end")


def _flood(name, title, make):
    @case("server", f"flood-{name}", "4.6.3", title)
    async def run(environment, layer, suite):
        async with by_hand.our_server(environment, layer, suite) as client:
            await talk.echo(client, b"before")
            await client.stream.write(*(make(client.stream) for _ in range(FLOOD)))
            await client.send(frames.text(by_hand.CANARY))
            await _expect_cut_off(client)
        async with by_hand.our_server(environment, layer, suite) as other:
            await talk.echo(other, b"after")


_flood("key-update", "KeyUpdate without end", lambda stream: stream.key_update())
_flood("key-update-asking", "KeyUpdate with a request, without end", lambda stream: stream.key_update(ask=True))
_flood("empty", "empty records without end", lambda stream: stream.record(DATA, b""))
_flood("padded-empty", "records of padding without end", lambda stream: stream.record(DATA, b"", padding=1000))
_flood("user-canceled", "warnings without end", lambda stream: stream.record(ALERT, b"\1\x5a"))


# ── Ends ─────────────────────────────────────────────────────────────────────────────────────────────────────────────
@case("client", "cut", "6.1", "TCP ends without close_notify")
async def cut(environment, layer, suite):
    async with by_hand.OurClient(environment, layer, suite) as client:
        await client.open()
        await client.peer.send(frames.text(b"whole"))
        client.peer.stream.end_tcp()
        await client.expect_output(b"whole\n")
        client.peer.stream.writer.close()
        expect("exit status", await client.exit_status(), ABNORMAL)
        check("without close_notify" in client.error, f"the truncation is not named: {client.error[-300:]!r}")


@case("client", "cut-in-a-record", "6.1", "TCP ends within a record")
async def cut_in_a_record(environment, layer, suite):
    async with by_hand.OurClient(environment, layer, suite) as client:
        await client.open()
        await client.peer.stream.write(client.peer.stream.record(DATA, frames.text(by_hand.CANARY).encode(False))[:-1])
        client.peer.stream.end_tcp()
        await asyncio.sleep(0.1)
        client.peer.stream.writer.close()
        expect("exit status", await client.exit_status(), ABNORMAL)
        check("without close_notify" in client.error, f"the truncation is not named: {client.error[-300:]!r}")
        expect("output", await client.rest_of_output(), b"")


@case("server", "behind-close-notify", "6.1", "data behind close_notify is ignored")
async def behind_close_notify(environment, layer, suite):
    async with by_hand.our_server(environment, layer, suite) as client:
        stream = client.stream
        await client.send(frames.text(b"before"))
        await client.expect_frame(frames.TEXT, b"before")
        late = frames.text(by_hand.CANARY).encode(True)
        await stream.write(stream.record(ALERT, b"\1\0") + stream.record(DATA, late) + b"\x17\x03\x03\xff\xffgarbage")
        while data := await asyncio.wait_for(stream.receive(), by_hand.WAIT):
            check(by_hand.CANARY not in data, "data behind close_notify was read")
        expect("end of the stream", stream.ended, tlsstream.CLOSE_NOTIFY)


@case("server", "user-canceled", "6.1", "user_canceled is passed over, close_notify follows")
async def user_canceled(environment, layer, suite):
    async with by_hand.our_server(environment, layer, suite) as client:
        await client.stream.write(client.stream.record(ALERT, b"\1\x5a"))
        await talk.echo(client, b"still here")
        await talk.goodbye(client)


@case("server", "half-close", "6.1", "the echo of a close frame that came with close_notify still arrives")
async def half_close(environment, layer, suite):
    async with by_hand.our_server(environment, layer, suite) as client:
        stream = client.stream
        await stream.write(stream.record(DATA, frames.close(1000).encode(True)) + stream.record(ALERT, b"\1\0"))
        await client.expect_close({1000})
        await client.expect_end()


for _level, _alert in ((2, 40), (2, 80), (1, 80), (2, 255), (1, 100)):
    @case("client", f"fatal-alert-{_level}-{_alert}", "6.2", f"alert {_alert} with level {_level} ends the connection, unanswered")
    async def fatal_alert(environment, layer, suite, level=_level, alert=_alert):
        async with by_hand.OurClient(environment, layer, suite) as client:
            await client.open()
            stream = client.peer.stream
            late = frames.text(by_hand.CANARY).encode(False)
            await stream.write(stream.record(ALERT, bytes([level, alert])) + stream.record(DATA, late))
            while await asyncio.wait_for(stream.receive(), by_hand.WAIT):
                pass
            check(stream.alert in (None, 0), f"an answer to a fatal alert: {stream.ended}")
            stream.writer.close()
            expect("exit status", await client.exit_status(), {9, ABNORMAL})
            expect("output", await client.rest_of_output(), b"")


def all_cases():
    return book.cases
