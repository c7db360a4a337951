# SPDX-License-Identifier: Apache-2.0
# Resumption in both roles, and client certificates. Tickets of ours are sent before a record layer is handed over, those
# of theirs arrive behind it: either way the sequence numbers must be right.
import json

from conformance import frames
from support import processes, tlsstream
from support.suite import Book, check, expect
from tls_peers import stacks, talk, tools

book = Book()
FIRST_SUITE = {"1.3": stacks.AES_128, "1.2": stacks.OLD_AES}


def _suite(suites, version):
    return FIRST_SUITE[version] if FIRST_SUITE[version] in suites[version] else suites[version][0]


# ── Resumption ───────────────────────────────────────────────────────────────────────────────────────────────────────
def _resuming_client(stack, version, layer):
    async def run(environment):
        server = await talk.server(environment, layer)
        relay = await environment.relay(stack.name, "client", version, _suite(stack.client, version), port=server.port, resume=1)
        async with relay as stream:
            await stream.open()
            expect("kind of the handshake", stream.opened[2], "resumed")
            client = await talk.upgrade(stream, server.port)
            await talk.echoes(client, talk.QUICK)
            await talk.goodbye(client)
    book.add(f"server/resumption/{stack.name}-{version}{stacks.suffix(layer)}", "RFC 8446 4.6.1",
             f"{stack.title}: a client that resumes, TLS {version}", run, timeout=30)


def _s_client(version, layer):
    async def run(environment):
        server = await talk.server(environment, layer)
        session = environment.directory / f"openssl-{version}{stacks.suffix(layer)}.session"
        suite = FIRST_SUITE[version]
        async with tools.SClient(server.port, environment.certificates, version, suite, "-sess_out", session) as stream:
            await talk.goodbye(await talk.upgrade(await stream.open(), server.port))
        check(session.exists(), "s_client has kept no session")
        # Only its long form says whether a session was resumed.
        done = await environment.run("openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-CAfile",
                                     environment.certificates.ca, "-sess_in", session, "-sess_out", session,
                                     *tools.openssl_suite(version, suite), input=b"")
        check(b"Reused, TLSv" + version.encode() in done.output, f"not resumed: {done.output[-300:]!r}")
        async with tools.SClient(server.port, environment.certificates, version, suite, "-sess_in", session) as stream:
            client = await talk.upgrade(await stream.open(), server.port)
            await talk.echoes(client, talk.QUICK, safe=True)
            await talk.goodbye(client)
    book.add(f"server/resumption/openssl-{version}{stacks.suffix(layer)}", "RFC 8446 4.6.1",
             f"s_client resumes, TLS {version}", run, timeout=40)


ROUNDS = 6


def _resuming_ourselves(stack, version, layer):
    """`fairlead bench` keeps tickets from one connection to the next; the relay takes one after the other."""
    async def run(environment):
        relay = await environment.relay(stack.name, "server", version, _suite(stack.server, version))
        kinds = []
        async with relay as stream:
            await stream.listen()
            bench = await processes.spawn(
                processes.binary(), "bench", f"wss://localhost:{stream.port}/", "--ca", environment.certificates.ca, "--mode",
                "resume", "--connections", 1, "--duration", 60, "--warmup", 0, "--json", *stacks.flags(layer))
            for _ in range(ROUNDS):
                kinds.append(await _answer_once(stream))
                await stream.next()
            await processes.reap(bench)
        expect("the first handshake", kinds[0], "full")
        # A session serves once, and in TLS 1.2 a resumed handshake brings no other.
        wanted = ROUNDS // 2 if version == "1.2" else ROUNDS - 2
        check(kinds.count("resumed") >= wanted, f"too few handshakes were resumed: {kinds}")
    book.add(f"client/resumption/{stack.name}-{version}{stacks.suffix(layer)}", "RFC 8446 4.6.1",
             f"{stack.title}: its tickets let our client resume, TLS {version}", run, timeout=40)


async def _answer_once(stream):
    """Opens the WebSocket of the connection that there is, and closes it when the client does."""
    await stream.open()
    server = talk.peer.Peer(stream, masks=False)
    head = await server.read_head()
    await server.send(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
                      + talk.peer.accept_for(head.one("sec-websocket-key").encode()) + b"\r\n\r\n")
    frame = await server.next(talk.WAIT)
    if frame is not None:
        check(frame.opcode == frames.CLOSE, f"expected a close frame, got {frame}")
        await server.send(frames.close(frame.code))
        await stream.close_notify()
        await server.next(talk.WAIT)
    return stream.opened[2]


# ── Client certificates ──────────────────────────────────────────────────────────────────────────────────────────────
def _certified_client(stack, version, layer):
    async def run(environment):
        certificates = environment.certificates
        server = await talk.server(environment, layer, "--client-ca", str(certificates.ca))
        suite = _suite(stack.client, version)
        own = {"cert": certificates.cert("client"), "key": certificates.key("client")}
        async with await environment.relay(stack.name, "client", version, suite, port=server.port, **own) as stream:
            client = await talk.upgrade(await stream.open(), server.port)
            await talk.echoes(client, talk.QUICK)
            await talk.goodbye(client, stack.truncation)
    book.add(f"server/client-certificate/{stack.name}-{version}{stacks.suffix(layer)}", "RFC 8446 4.4.2",
             f"{stack.title}: a client with a certificate, TLS {version}", run, timeout=30)


def _asking_server(stack, version, layer):
    async def run(environment):
        certificates = environment.certificates
        suite = _suite(stack.server, version)
        relay = await environment.relay(stack.name, "server", version, suite, client_ca=certificates.ca)
        own = ("--cert", certificates.cert("client"), "--key", certificates.key("client"))
        async with talk.connected(environment, relay, layer, *own) as connecting:
            output = await talk.lines(connecting, talk.QUICK)
            await talk.close_from_server(connecting, output, stack.truncation)
    book.add(f"client/client-certificate/{stack.name}-{version}{stacks.suffix(layer)}", "RFC 8446 4.4.2",
             f"{stack.title}: a server that wants a certificate, TLS {version}", run, timeout=30)


def _s_client_certified(layer):
    async def run(environment):
        certificates = environment.certificates
        server = await talk.server(environment, layer, "--client-ca", str(certificates.ca))
        async with tools.SClient(server.port, certificates, "1.3", stacks.AES_256, "-cert", certificates.cert("client"), "-key",
                                 certificates.key("client")) as stream:
            client = await talk.upgrade(await stream.open(), server.port)
            await talk.echoes(client, talk.QUICK, safe=True)
            await talk.goodbye(client)
    book.add(f"server/client-certificate/openssl-1.3{stacks.suffix(layer)}", "RFC 8446 4.4.2", "s_client with a certificate", run)


def _s_server_asks(layer):
    async def run(environment):
        certificates = environment.certificates
        stream = tools.SServer(certificates, "1.3", stacks.AES_256, "-Verify", 1, "-CAfile", certificates.ca,
                               "-verify_return_error")
        own = ("--cert", certificates.cert("client"), "--key", certificates.key("client"))
        async with talk.connected(environment, stream, layer, *own) as connecting:
            output = await talk.lines(connecting, talk.QUICK)
            await talk.close_from_server(connecting, output)
    book.add(f"client/client-certificate/openssl-1.3{stacks.suffix(layer)}", "RFC 8446 4.4.2", "s_server wants a certificate", run)


for _layer in stacks.record_layers():
    for _version in stacks.ALL:
        _s_client(_version, _layer)
        for _stack in stacks.STACKS:
            if _stack.resumes:
                _resuming_client(_stack, _version, _layer)
            if _stack.tickets:
                _resuming_ourselves(_stack, _version, _layer)
            _certified_client(_stack, _version, _layer)
            _asking_server(_stack, _version, _layer)
    _s_client_certified(_layer)
    _s_server_asks(_layer)


def all_cases():
    return book.cases
