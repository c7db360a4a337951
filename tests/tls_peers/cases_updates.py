# SPDX-License-Identifier: Apache-2.0
# KeyUpdate of both kinds from every stack that can send it, many of them, between messages and in the middle of one.
import asyncio

from conformance import frames
from support import tlsstream
from support.suite import Book, check, expect
from tls_peers import stacks, talk, tools

book = Book()
# Limits::tls_messages_per_second is 10 with a burst of 20, and GnuTLS takes 8 KeyUpdate in a second: so they come in
# bursts of this many, and there are as many bursts.
BURST = 6
BURSTS = 3
PAUSE = 1.0
JAVA_LIMIT = 2**17  # bytes per key
MESSAGES = 16
UPDATING = [stack for stack in stacks.STACKS if stack.updates]
SUITES = stacks.ALL["1.3"]


async def _rounds(stream, exchange):
    """KeyUpdate of both kinds, each with a message behind it; then several in a row with nothing between them."""
    for burst in range(BURSTS):
        for number in range(BURST):
            await stream.update(ask=number % 2 == 1)
            await exchange(talk.payload(100 + number if burst % 2 else 20000 + number))
        await asyncio.sleep(PAUSE)
    for number in range(BURST):
        await stream.update(ask=number % 2 == 0)
    await exchange(talk.payload(300000))


def _their_client(stack, suite, layer):
    async def run(environment):
        server = await talk.server(environment, layer)
        async with await environment.relay(stack.name, "client", "1.3", suite, port=server.port) as stream:
            client = await talk.upgrade(await stream.open(), server.port)
            await _rounds(stream, lambda data: talk.echo(client, data))
            await talk.goodbye(client)
    book.add(f"server/key-update/{stack.name}-{stacks.SHORT[suite]}{stacks.suffix(layer)}", "RFC 8446 4.6.3",
             f"{stack.title}: KeyUpdate of both kinds from a client, {suite}", run, timeout=30)


def _their_server(stack, suite, layer):
    async def run(environment):
        relay = await environment.relay(stack.name, "server", "1.3", suite)
        async with talk.connected(environment, relay, layer) as connecting:
            output = bytearray()

            async def exchange(line):
                await connecting.answer(line)
                output.extend(line + b"\n")
            await _rounds(connecting.stream, exchange)
            await talk.close_from_server(connecting, bytes(output))
    book.add(f"client/key-update/{stack.name}-{stacks.SHORT[suite]}{stacks.suffix(layer)}", "RFC 8446 4.6.3",
             f"{stack.title}: KeyUpdate of both kinds from a server, {suite}", run, timeout=30)


# ── In the middle of a message ───────────────────────────────────────────────────────────────────────────────────────
def _within_a_message(stack, layer):
    async def run(environment):
        server = await talk.server(environment, layer)
        async with await environment.relay(stack.name, "client", "1.3", stacks.AES_128, port=server.port) as stream:
            client = await talk.upgrade(await stream.open(), server.port)
            data = talk.payload(talk.MEBIBYTE)
            wire = frames.binary(data).encode(True)
            step = len(wire) // 7
            for start in range(0, len(wire), step):
                await stream.send(wire[start:start + step])
                await stream.update(ask=start % (2 * step) == 0)
            _, answer, _ = await client.message(talk.WAIT)
            check(talk.digest(answer) == talk.digest(data), "the hash changed")
            await talk.goodbye(client)
    book.add(f"server/key-update/{stack.name}-in-a-message{stacks.suffix(layer)}", "RFC 8446 4.6.3",
             f"{stack.title}: KeyUpdate between the records of one message", run, timeout=30)


# ── openssl's own programs ───────────────────────────────────────────────────────────────────────────────────────────
def _s_client(suite, layer):
    async def run(environment):
        server = await talk.server(environment, layer)
        async with tools.SClient(server.port, environment.certificates, "1.3", suite) as stream:
            client = await talk.upgrade(await stream.open(), server.port)
            await _rounds(stream, lambda data: talk.echo(client, data, safe=True))
            await talk.goodbye(client)
    book.add(f"server/key-update/openssl-{stacks.SHORT[suite]}{stacks.suffix(layer)}", "RFC 8446 4.6.3",
             f"s_client: k and K, {suite}", run, timeout=40)


def _s_server(suite, layer):
    async def run(environment):
        async with talk.connected(environment, tools.SServer(environment.certificates, "1.3", suite), layer) as connecting:
            output = bytearray()

            async def exchange(line):
                await connecting.answer(line)
                output.extend(line + b"\n")
            await _rounds(connecting.stream, exchange)
            await talk.close_from_server(connecting, bytes(output))
    book.add(f"client/key-update/openssl-{stacks.SHORT[suite]}{stacks.suffix(layer)}", "RFC 8446 4.6.3",
             f"s_server: k and K, {suite}", run, timeout=40)


def _gnutls_cli(layer):
    async def run(environment):
        server = await talk.server(environment, layer)
        log = environment.directory / f"gnutls-cli-update{stacks.suffix(layer)}.log"
        async with tools.GnutlsCli(server.port, environment.certificates, "1.3", stacks.AES_128, log,
                                   "--inline-commands") as stream:
            client = await talk.upgrade(await stream.open(), server.port)
            for number in range(BURST):
                await stream.update(ask=number % 2 == 1)
                await talk.echo(client, talk.payload(2000) + b"\n", safe=True)  # a command wants a line of its own
            await stream.settle()
            expect("KeyUpdates that gnutls-cli tells of", stream.said().count("Rekey was completed"), BURST)
            expect("end of the stream", stream.how_it_ended(), tlsstream.CLOSE_NOTIFY)
    book.add(f"server/key-update/gnutls-cli{stacks.suffix(layer)}", "RFC 8446 4.6.3", "gnutls-cli: ^rekey^ and ^rekey1^", run,
             timeout=40)


# ── JSSE, which begins by itself ─────────────────────────────────────────────────────────────────────────────────────
def _java_client(suite, layer):
    async def run(environment):
        server = await talk.server(environment, layer)
        async with await environment.relay("java", "client", "1.3", suite, port=server.port, limit=JAVA_LIMIT) as stream:
            client = await talk.upgrade(await stream.open(), server.port)
            for number in range(MESSAGES):  # a key lasts for two of them, in each direction
                await talk.echo(client, talk.payload(JAVA_LIMIT // 2 + number))
                await asyncio.sleep(0.1)
            await talk.goodbye(client)
    book.add(f"server/key-update/java-{stacks.SHORT[suite]}{stacks.suffix(layer)}", "RFC 8446 4.6.3",
             f"JSSE as a client: a KeyUpdate after each {JAVA_LIMIT} bytes, {suite}", run, timeout=40)


def _java_server(suite, layer):
    async def run(environment):
        relay = await environment.relay("java", "server", "1.3", suite, limit=JAVA_LIMIT)
        async with talk.connected(environment, relay, layer) as connecting:
            output = b""
            for number in range(MESSAGES):
                output += await talk.lines(connecting, [JAVA_LIMIT // 2 + number])
                await asyncio.sleep(0.1)
            await talk.close_from_server(connecting, output)
    book.add(f"client/key-update/java-{stacks.SHORT[suite]}{stacks.suffix(layer)}", "RFC 8446 4.6.3",
             f"JSSE as a server: a KeyUpdate after each {JAVA_LIMIT} bytes, {suite}", run, timeout=40)


for _layer in stacks.record_layers():
    for _suite in SUITES:
        for _stack in UPDATING:
            _their_client(_stack, _suite, _layer)
            _their_server(_stack, _suite, _layer)
        _s_client(_suite, _layer)
        _s_server(_suite, _layer)
        _java_client(_suite, _layer)
        _java_server(_suite, _layer)
    for _stack in UPDATING:
        _within_a_message(_stack, _layer)
    _gnutls_cli(_layer)


def all_cases():
    return book.cases
