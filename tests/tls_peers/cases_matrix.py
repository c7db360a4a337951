# SPDX-License-Identifier: Apache-2.0
# Stack × role × version and suite × record layer: messages of 0 B to 2 MiB there and back, then both goodbyes.
from support.suite import Book, expect
from tls_peers import stacks, talk, tools

book = Book()


def _agreed(stream, version, suite):
    expect("version and suite", stream.opened[:2], (f"TLSv{version}", suite))


def _their_client(stack, version, suite, layer):
    async def run(environment):
        server = await talk.server(environment, layer)
        async with await environment.relay(stack.name, "client", version, suite, port=server.port) as stream:
            _agreed(await stream.open(), version, suite)
            client = await talk.upgrade(stream, server.port)
            await talk.echoes(client, talk.SIZES)
            await talk.goodbye(client, stack.truncation)
    book.add(f"server/{stack.name}/{version}-{stacks.SHORT[suite]}{stacks.suffix(layer)}", stack.title,
             f"client, TLS {version}, {suite}", run, timeout=30)


def _their_server(stack, version, suite, layer):
    async def run(environment):
        relay = await environment.relay(stack.name, "server", version, suite)
        async with talk.connected(environment, relay, layer) as connecting:
            _agreed(connecting.stream, version, suite)
            output = await talk.lines(connecting, talk.SIZES)
            await talk.close_from_server(connecting, output, stack.truncation)
    book.add(f"client/{stack.name}/{version}-{stacks.SHORT[suite]}{stacks.suffix(layer)}", stack.title,
             f"server, TLS {version}, {suite}", run, timeout=30)


def _s_client(version, suite, layer):
    async def run(environment):
        server = await talk.server(environment, layer)
        async with tools.SClient(server.port, environment.certificates, version, suite) as stream:
            _agreed(await stream.open(), version, suite)
            client = await talk.upgrade(stream, server.port)
            await talk.echoes(client, talk.SIZES, safe=True)
            await talk.goodbye(client)
    book.add(f"server/openssl/{version}-{stacks.SHORT[suite]}{stacks.suffix(layer)}", "openssl s_client",
             f"client, TLS {version}, {suite}", run, timeout=30)


def _s_server(version, suite, layer):
    async def run(environment):
        stream = tools.SServer(environment.certificates, version, suite)
        async with talk.connected(environment, stream, layer) as connecting:
            _agreed(stream, version, suite)
            output = await talk.lines(connecting, talk.SIZES)
            await talk.close_from_server(connecting, output)
    book.add(f"client/openssl/{version}-{stacks.SHORT[suite]}{stacks.suffix(layer)}", "openssl s_server",
             f"server, TLS {version}, {suite}", run, timeout=30)


for _layer in stacks.record_layers():
    for _version, _suites in stacks.ALL.items():
        for _suite in _suites:
            _s_client(_version, _suite, _layer)
            _s_server(_version, _suite, _layer)
    for _stack in stacks.STACKS:
        for _version, _suites in _stack.client.items():
            for _suite in _suites:
                _their_client(_stack, _version, _suite, _layer)
        for _version, _suites in _stack.server.items():
            for _suite in _suites:
                _their_server(_stack, _version, _suite, _layer)


def all_cases():
    return book.cases
