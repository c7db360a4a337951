# SPDX-License-Identifier: Apache-2.0
# Records as others make them: padded, tiny, and with a limit that a client asks for.
from conformance import frames
from support.suite import Book
from tls_peers import stacks, talk, tools

book = Book()
PADDINGS = (1, 255, 256, 4096, 16000)


# ── Padding ──────────────────────────────────────────────────────────────────────────────────────────────────────────
def _padded_client(suite, layer):
    async def run(environment):
        server = await talk.server(environment, layer)
        async with await environment.relay("gnutls", "client", "1.3", suite, port=server.port) as stream:
            client = await talk.upgrade(await stream.open(), server.port)
            for padding in PADDINGS:
                for size in (0, 1, 300, 70000):
                    data = talk.payload(size, padding)
                    await stream.send_padded(frames.binary(data).encode(True), padding)
                    kind, answer, _ = await client.message(talk.WAIT)
                    talk.expect("answer", (kind, talk.digest(answer)), (frames.BINARY, talk.digest(data)))
            await talk.goodbye(client)
    book.add(f"server/padding/gnutls-{stacks.SHORT[suite]}{stacks.suffix(layer)}", "RFC 8446 5.4",
             f"GnuTLS pads its records, {suite}", run, timeout=30)


def _padded_server(suite, layer):
    async def run(environment):
        relay = await environment.relay("gnutls", "server", "1.3", suite)
        async with talk.connected(environment, relay, layer) as connecting:
            output = b""
            for padding in PADDINGS:
                line = talk.payload(3000, padding)
                await connecting.stream.send_padded(frames.text(line).encode(False), padding)
                output += line + b"\n"
            output += await talk.lines(connecting, talk.QUICK)
            await talk.close_from_server(connecting, output)
    book.add(f"client/padding/gnutls-{stacks.SHORT[suite]}{stacks.suffix(layer)}", "RFC 8446 5.4",
             f"GnuTLS pads its records, {suite}", run, timeout=30)


# ── s_client and s_server with options ───────────────────────────────────────────────────────────────────────────────
def _s_client(name, title, version, suite, layer, *extra):
    async def run(environment):
        server = await talk.server(environment, layer)
        async with tools.SClient(server.port, environment.certificates, version, suite, *extra) as stream:
            client = await talk.upgrade(await stream.open(), server.port)
            await talk.echoes(client, talk.SIZES, safe=True)
            await talk.goodbye(client)
    book.add(f"server/records/{name}-{stacks.SHORT[suite]}-{version}{stacks.suffix(layer)}", "RFC 8446 5.1",
             f"s_client: {title}, {suite}", run, timeout=40)


def _s_server(name, title, version, suite, layer, *extra):
    async def run(environment):
        async with talk.connected(environment, tools.SServer(environment.certificates, version, suite, *extra),
                                  layer) as connecting:
            output = await talk.lines(connecting, talk.SIZES)
            await talk.close_from_server(connecting, output)
    book.add(f"client/records/{name}-{stacks.SHORT[suite]}-{version}{stacks.suffix(layer)}", "RFC 8446 5.1",
             f"s_server: {title}, {suite}", run, timeout=40)


for _layer in stacks.record_layers():
    for _suite in stacks.ALL["1.3"]:
        _padded_client(_suite, _layer)
        _padded_server(_suite, _layer)
        for _name, _title, _extra in (("padded-512", "records padded to 512 bytes", ("-record_padding", 512)),
                                      ("padded-16384", "records padded to the longest", ("-record_padding", 16384)),
                                      ("small", "records of 512 bytes", ("-max_send_frag", 512))):
            _s_client(_name, _title, "1.3", _suite, _layer, *_extra)
            _s_server(_name, _title, "1.3", _suite, _layer, *_extra)
    # RFC 6066 4: a server that agrees sends no longer records. Whoever seals must know.
    for _version, _suite in (("1.3", stacks.AES_128), ("1.3", stacks.CHACHA), ("1.2", stacks.OLD_AES)):
        for _length in (512, 4096):
            _s_client(f"maxfraglen-{_length}", f"max_fragment_length {_length}", _version, _suite, _layer, "-maxfraglen", _length)


def all_cases():
    return book.cases
