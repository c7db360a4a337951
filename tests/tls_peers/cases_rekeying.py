# SPDX-License-Identifier: Apache-2.0
# The KeyUpdate that comes by itself before a key has sealed too much (RFC 8446 5.5): hundreds of them on a real socket,
# read by stacks of others, in both roles. The program is rekeying.cc's, whose keys last for RECORDS records.
import asyncio
import os
import pathlib

from support import processes
from support.suite import Book, check, expect
from tls_peers import by_hand, stacks, talk, tools

book = Book()
RECORDS = 3  # of a key, of which the last says KeyUpdate
MESSAGES = 500
LARGE = 300_000  # bytes, in 19 records
THEIRS_EVERY = 50  # messages: then the peer changes its keys as well, and asks for ours
# GnuTLS takes 8 KeyUpdate in a second.
SLOW = {"gnutls": dict(messages=120, pause_every=4, pause=0.35)}
SUITES = stacks.ALL["1.3"]
PROGRAM = pathlib.Path(os.environ.get("FAIRLEAD_REKEYING") or processes.ROOT / "build/debug/tests/tls_peers/rekeying_fairlead")


def least_updates(layer):
    """Each message is one record. Ours counts every record of a key, the KeyUpdate too; OpenSSL's engine counts those of data, and
    not the one behind a KeyUpdate."""
    return MESSAGES // (RECORDS + 1 if layer == "openssl" else RECORDS - 1)


def most_records(layer):
    return RECORDS + 2 if layer == "openssl" else RECORDS


def program():
    check(PROGRAM.exists(), f"{PROGRAM} was not built (cmake --build build/debug --target rekeying_fairlead)")
    return ["env", f"FAIRLEAD_TEST_RECORDS_PER_KEY={RECORDS}", PROGRAM]


def server(environment, layer):
    return environment.server(*stacks.flags(layer), "--max-message", "16M", program=program())


async def _exchange(stream, exchange, updates, messages=MESSAGES, pause_every=0, pause=0.0, large=True):
    for number in range(messages):
        await exchange(talk.payload(1 + number * 7 % 900, number))
        if updates and number % THEIRS_EVERY == THEIRS_EVERY - 1:
            await stream.update(ask=number // THEIRS_EVERY % 2 == 0)
        if pause_every and number % pause_every == pause_every - 1:
            await asyncio.sleep(pause)
    if large:
        await exchange(talk.payload(LARGE))


def _their_client(stack, suite, layer):
    async def run(environment):
        async with server(environment, layer) as ours:
            async with await environment.relay(stack.name, "client", "1.3", suite, port=ours.port) as stream:
                client = await talk.upgrade(await stream.open(), ours.port)
                slow = SLOW.get(stack.name, {})
                await _exchange(stream, lambda data: talk.echo(client, data), stack.updates, large=not slow, **slow)
                await talk.goodbye(client)
    book.add(f"server/rekeying/{stack.name}-{stacks.SHORT[suite]}{stacks.suffix(layer)}", "RFC 8446 5.5",
             f"{stack.title} reads a server's keys that change every {RECORDS} records, {suite}", run, timeout=90)


def _their_server(stack, suite, layer):
    async def run(environment):
        relay = await environment.relay(stack.name, "server", "1.3", suite)
        async with talk.connected(environment, relay, layer, program=program()) as connecting:
            output = bytearray()

            async def exchange(line):
                await connecting.answer(line)
                output.extend(line + b"\n")
            slow = SLOW.get(stack.name, {})
            await _exchange(connecting.stream, exchange, stack.updates, large=not slow, **slow)
            await talk.close_from_server(connecting, bytes(output), truncation=stack.truncation)
    book.add(f"client/rekeying/{stack.name}-{stacks.SHORT[suite]}{stacks.suffix(layer)}", "RFC 8446 5.5",
             f"{stack.title} reads a client's keys that change every {RECORDS} records, {suite}", run, timeout=90)


# ── openssl's own programs, which count ──────────────────────────────────────────────────────────────────────────────
def _counting(environment, name):
    log = environment.directory / f"{name}.log"
    return log, ("-msg", "-msgfile", log)


def _expect_updates(log, least):
    came = sum("<<<" in line and "KeyUpdate" in line for line in log.read_text().splitlines())
    check(came >= least, f"OpenSSL has seen {came} KeyUpdate, expected {least} or more")


def _s_client(suite, layer):
    name = f"openssl-{stacks.SHORT[suite]}{stacks.suffix(layer)}"

    async def run(environment):
        log, counting = _counting(environment, f"rekeying-server-{name}")
        async with server(environment, layer) as ours:
            async with tools.SClient(ours.port, environment.certificates, "1.3", suite, *counting) as stream:
                client = await talk.upgrade(await stream.open(), ours.port)
                await _exchange(stream, lambda data: talk.echo(client, data, safe=True), updates=False)
                await talk.goodbye(client)
        _expect_updates(log, least_updates(layer))
    book.add(f"server/rekeying/{name}", "RFC 8446 5.5", f"s_client counts a server's changes of keys, {suite}", run, timeout=90)


def _s_server(suite, layer):
    name = f"openssl-{stacks.SHORT[suite]}{stacks.suffix(layer)}"

    async def run(environment):
        log, counting = _counting(environment, f"rekeying-client-{name}")
        relay = tools.SServer(environment.certificates, "1.3", suite, *counting)
        async with talk.connected(environment, relay, layer, program=program()) as connecting:
            output = bytearray()

            async def exchange(line):
                await connecting.answer(line)
                output.extend(line + b"\n")
            await _exchange(connecting.stream, exchange, updates=False)
            await talk.close_from_server(connecting, bytes(output))
        _expect_updates(log, least_updates(layer))
    book.add(f"client/rekeying/{name}", "RFC 8446 5.5", f"s_server counts a client's changes of keys, {suite}", run, timeout=90)


# ── In one program: our engine and OpenSSL's, which counts each key's records ────────────────────────────────────────────
def _key_limit(role):
    async def run(environment):
        tool = PROGRAM.parent / "tls_key_limit"
        check(tool.exists(), f"{tool} was not built (cmake --build build/debug --target tls_key_limit)")
        await environment.tool(tool, role, 50, 20_000)  # the true limit takes 2^24 records; docs/record-layer.md tells of it
    book.add(f"{role}/rekeying/key-limit", "RFC 8446 5.5", "our engine against OpenSSL on a socket: 408 keys of 50 records", run)


# ── By hand: how long each key lasted ────────────────────────────────────────────────────────────────────────────────
def _expect_generations(stream, layer):
    least, most = least_updates(layer), most_records(layer)
    check(len(stream.generations) >= least, f"{len(stream.generations)} KeyUpdate came, expected {least} or more")
    # Of the first, what OpenSSL sealed before our layer took over counts as well; its own engine does not count that.
    counted = stream.generations[1:] if layer == "openssl" else stream.generations
    check(max(counted) <= most, f"a key sealed {max(counted)} records, expected {most} at most")


def _by_hand_server(suite, layer):
    async def run(environment):
        async with server(environment, layer) as ours:
            stream = await by_hand.records.connect(ours.port, suite, by_hand.log_file_for(environment))
            stream.role = "client"
            client = await talk.upgrade(stream, ours.port)
            # OpenSSL's engine looks between writes; what one write holds is far below the 2^24.5 records that are allowed.
            await _exchange(stream, lambda data: talk.echo(client, data), updates=False, large=layer != "openssl")
            await talk.goodbye(client)
            _expect_generations(stream, layer)
    book.add(f"server/rekeying/by-hand-{stacks.SHORT[suite]}{stacks.suffix(layer)}", "RFC 8446 5.5",
             f"no key of a server seals more than {most_records(layer)} records, {suite}", run, timeout=90)


def _by_hand_client(suite, layer):
    async def run(environment):
        client = by_hand.OurClient(environment, layer, suite)
        client.program = program()
        async with client:
            await client.open()
            for number in range(MESSAGES):
                line = talk.payload(1 + number * 7 % 900, number)
                await client.write(line + b"\n")
                kind, data, _ = await client.peer.message(talk.WAIT)
                expect("hash of the message", talk.digest(data), talk.digest(line))
            _expect_generations(client.peer.stream, layer)
    book.add(f"client/rekeying/by-hand-{stacks.SHORT[suite]}{stacks.suffix(layer)}", "RFC 8446 5.5",
             f"no key of a client seals more than {most_records(layer)} records, {suite}", run, timeout=90)


for _role in ("server", "client"):
    _key_limit(_role)
for _layer in stacks.record_layers():
    for _stack in stacks.STACKS:
        _suite = _stack.client["1.3"][0]
        _their_client(_stack, _suite, _layer)
        _their_server(_stack, _suite, _layer)
    for _suite in SUITES:
        _s_client(_suite, _layer)
        _s_server(_suite, _layer)
        _by_hand_server(_suite, _layer)
        _by_hand_client(_suite, _layer)


def all_cases():
    return book.cases
