# SPDX-License-Identifier: Apache-2.0
# How streams end: our client's input ends first; a stream that is cut without close_notify is told as such, in both
# roles, between messages and within one; what NSS' and GnuTLS' server programs can say.
import asyncio

from conformance import frames
from support import processes, tlsstream
from support.suite import Book, check, expect
from tls_peers import stacks, talk, tools

book = Book()
ABNORMAL, REFUSED, HANDSHAKE = 14, 10, 11  # what cli/exit_status.h promises
LOG_WAIT = 5.0


def _suite(suites):
    return stacks.AES_128 if stacks.AES_128 in suites["1.3"] else suites["1.3"][0]


# ── Our client closes first ──────────────────────────────────────────────────────────────────────────────────────────
def _input_ends(name, title, make, truncation, layer):
    async def run(environment):
        async with talk.connected(environment, await make(environment), layer) as connecting:
            output = await talk.lines(connecting, talk.QUICK)
            await talk.close_from_client(connecting, output, truncation)
    book.add(f"client/close/{name}{stacks.suffix(layer)}", "RFC 8446 6.1", f"{title}: our client closes first", run, timeout=30)


# ── Streams that are cut ─────────────────────────────────────────────────────────────────────────────────────────────
def _cut_server(name, title, make, layer, within):
    async def run(environment):
        async with talk.connected(environment, await make(environment), layer) as connecting:
            output = await talk.lines(connecting, talk.QUICK)
            if within:
                await connecting.peer.send(frames.text(b"x" * 50000).encode(False)[:30000])
                await asyncio.sleep(0.2)
            await connecting.stream.cut()
            status, printed, errors = await connecting.ended()
            expect("exit status", (status, errors[-200:]), (ABNORMAL, errors[-200:]))
            check("without close_notify" in errors, f"the truncation is not named: {errors[-300:]!r}")
            check(printed.startswith(output), "what came before the end is not on standard output")
    where = "-within" if within else ""
    book.add(f"client/truncation/{name}{where}{stacks.suffix(layer)}", "RFC 8446 6.1",
             f"{title}: a server that goes without close_notify{' within a message' if within else ''}", run, timeout=30)


async def _told(server, port):
    """The log line about the connection from that port."""
    for _ in range(int(LOG_WAIT / 0.05)):
        found = [line for line in server.log if f":{port} " in line and "close_notify" in line]
        if found:
            return found[0]
        await asyncio.sleep(0.05)
    return ""


def _cut_client(stack, layer, within):
    async def run(environment):
        async with environment.server(*stacks.flags(layer), "--verbose", "--threads", "1") as server:
            async with await environment.relay(stack.name, "client", "1.3", _suite(stack.client), port=server.port) as stream:
                client = await talk.upgrade(await stream.open(), server.port)
                await talk.echoes(client, talk.QUICK)
                if within:
                    await client.send(frames.text(b"x" * 50000).encode(True)[:30000])
                await stream.cut()
                for _ in range(int(LOG_WAIT / 0.05)):
                    if any("unexpected_eof" in line for line in server.log):
                        break
                    await asyncio.sleep(0.05)
            check(any("unexpected_eof" in line and "close_notify" in line for line in server.log),
                  f"the log names no truncation: {server.log[-3:]}")
    where = "-within" if within else ""
    book.add(f"server/truncation/{stack.name}{where}{stacks.suffix(layer)}", "RFC 8446 6.1",
             f"{stack.title}: a client that goes without close_notify{' within a message' if within else ''}", run, timeout=30)


def _relay_server(stack):
    return lambda environment: environment.relay(stack.name, "server", "1.3", _suite(stack.server))


async def _s_server(environment):
    return tools.SServer(environment.certificates, "1.3", stacks.CHACHA)


for _layer in stacks.record_layers():
    _input_ends("openssl", "s_server", _s_server, True, _layer)
    _cut_server("openssl", "s_server", _s_server, _layer, within=False)
    for _stack in stacks.STACKS:
        _input_ends(_stack.name, _stack.title, _relay_server(_stack), _stack.truncation, _layer)
        if _stack.cuts:
            for _within in (False, True):
                _cut_server(_stack.name, _stack.title, _relay_server(_stack), _layer, _within)
                _cut_client(_stack, _layer, _within)


# ── Programs that cannot speak WebSocket as servers ──────────────────────────────────────────────────────────────────
async def _ready(port):
    for _ in range(200):
        try:
            (await asyncio.open_connection("127.0.0.1", port))[1].close()
            return
        except OSError:
            await asyncio.sleep(0.05)


def _other_server(name, title, command, statuses, layer):
    """Their answer is no upgrade: our client says so, with nothing on standard output, after whole records of theirs."""
    async def run(environment):
        port = tools.free_port()
        process = await processes.spawn(*await command(environment, port))
        try:
            await _ready(port)
            done = await environment.fairlead("connect", "--ca", environment.certificates.ca, *stacks.flags(layer),
                                              f"wss://localhost:{port}/", input=b"hello\n", timeout=20)
        finally:
            await processes.reap(process)
        expect("exit status", (done.status, done.error[-300:]), {(status, done.error[-300:]) for status in statuses})
        expect("standard output", done.output, b"")
    book.add(f"client/no-upgrade/{name}{stacks.suffix(layer)}", title, f"{title}: its answer is refused as what it is", run,
             timeout=30)


async def _gnutls_serv(environment, port):
    certificates = environment.certificates
    return ("gnutls-serv", "--http", "--port", port, "--x509certfile", certificates.cert("server"), "--x509keyfile",
            certificates.key("server"))


async def _selfserv(environment, port):
    database = await environment.nss_database(environment.certificates.cert("server"))
    return "selfserv", "-d", f"sql:{database}", "-p", port, "-e", "own", "-n", "own", "-V", "tls1.3:tls1.3", "-w", ""


for _layer in stacks.record_layers():
    _other_server("gnutls-serv", "gnutls-serv", _gnutls_serv, {REFUSED}, _layer)
    _other_server("selfserv", "NSS selfserv", _selfserv, {REFUSED, HANDSHAKE}, _layer)


# ── Their own programs as clients ────────────────────────────────────────────────────────────────────────────────────
def _gnutls_cli(suite, layer):
    async def run(environment):
        server = await talk.server(environment, layer)
        log = environment.directory / f"gnutls-cli-{stacks.SHORT[suite]}{stacks.suffix(layer)}.log"
        async with tools.GnutlsCli(server.port, environment.certificates, "1.3", suite, log) as stream:
            client = await talk.upgrade(await stream.open(), server.port)
            for size in talk.QUICK:
                await talk.echo(client, talk.payload(size), safe=True)
            await client.send(frames.close(1000))
            await client.expect_close({1000}, talk.WAIT)
            await stream.settle()
            expect("end of the stream", stream.how_it_ended(), tlsstream.CLOSE_NOTIFY)
    book.add(f"server/gnutls-cli/{stacks.SHORT[suite]}{stacks.suffix(layer)}", "gnutls-cli", f"client, {suite}", run, timeout=40)


def _tstclnt(suite, layer):
    async def run(environment):
        server = await talk.server(environment, layer)
        async with tools.Tstclnt(server.port, await environment.nss_database(), "1.3", suite) as stream:
            client = await talk.upgrade(await stream.open(), server.port)
            for size in talk.QUICK:
                await talk.echo(client, talk.payload(size))
            await client.send(frames.close(1000))
            await client.expect_close({1000}, talk.WAIT)
    book.add(f"server/tstclnt/{stacks.SHORT[suite]}{stacks.suffix(layer)}", "NSS tstclnt", f"client, {suite}", run, timeout=40)


for _layer in stacks.record_layers():
    for _suite_name in stacks.ALL["1.3"]:
        _gnutls_cli(_suite_name, _layer)
        _tstclnt(_suite_name, _layer)


def all_cases():
    return book.cases
