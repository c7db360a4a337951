# SPDX-License-Identifier: Apache-2.0
# WebSocket over another stack's TLS, in both roles: messages of several sizes there and back, compared by their hash.
import asyncio
import base64
import contextlib
import hashlib
import os
import random

from conformance import frames, peer
from support import processes, tlsstream
from support.suite import PATIENCE, check, expect
from tls_peers import stacks, tools

MEBIBYTE = 1024 * 1024
# None of their length fields holds a letter that s_client or s_server takes for a command.
SIZES = (0, 1, 125, 126, 127, 4096, 16383, 16384, 16385, 65535, 65536, 2 * MEBIBYTE)
QUICK = (0, 1, 126, 16384, 65536)
SAFE = bytes(set(range(33, 127)) - set(tools.Openssl.letters) - set(b"^"))  # ^ begins a command of gnutls-cli's
WAIT = 15 * PATIENCE


def payload(size, seed=0):
    """Printable bytes, no two messages alike, none of them a command of s_client's."""
    return bytes(random.Random(size * 1000 + seed).choices(SAFE, k=size)) if size < 5000 else _long(size, seed)


def _long(size, seed):
    block = bytes(random.Random(size + seed).choices(SAFE, k=4099))
    return (block * (size // len(block) + 1))[:size]


def digest(data):
    return hashlib.sha256(data).hexdigest()


def frame(opcode, data, safe=False):
    return frames.Frame(opcode, data, mask=b"\0\0\0\0" if safe else frames.AUTO)


# ── The binary as a server ───────────────────────────────────────────────────────────────────────────────────────────
def server(environment, layer, *more):
    return environment.shared(*stacks.flags(layer), "--max-message", "16M", *more)


async def upgrade(stream, port, tls_of=None):
    """The opening handshake; gives the peer."""
    client = peer.Peer(stream, masks=True)
    key = base64.b64encode(os.urandom(16))
    await client.send(peer.request(port, key=key.decode()))
    head = await client.read_head()
    expect("status of the upgrade", head.status, 101)
    expect("Sec-WebSocket-Accept", head.one("sec-websocket-accept"), peer.accept_for(key).decode())
    return client


async def echo(client, data, opcode=frames.BINARY, safe=False):
    await client.send(frame(opcode, data, safe) if client.masks else frames.Frame(opcode, data))
    kind, answer, _ = await client.message(WAIT)
    expect("kind of the answer", kind, opcode)
    expect("length of the answer", len(answer), len(data))
    check(digest(answer) == digest(data), f"the hash changed at {len(data)} bytes")


async def echoes(client, sizes, safe=False, seed=0):
    for size in sizes:
        await echo(client, payload(size, seed), frames.TEXT if size % 2 else frames.BINARY, safe)
    # Many at once: several frames share records, and records are split over reads.
    burst = [payload(size, seed) for size in (3, 700, 0, 20000, 1, 40000)]
    await client.send(*(frame(frames.TEXT, data, safe) for data in burst))
    for data in burst:
        kind, answer, _ = await client.message(WAIT)
        expect("answer within a burst", (kind, digest(answer)), (frames.TEXT, digest(data)))


async def goodbye(client, truncation=True):
    """The closing handshake and both close_notify. The server's comes behind its close frame."""
    await client.send(frames.close(1000, mask=b"\0\0\0\0"))
    await client.expect_close({1000}, WAIT)
    await client.expect_end(WAIT, ended=tlsstream.CLOSE_NOTIFY if truncation else None)


# ── The binary as a client ───────────────────────────────────────────────────────────────────────────────────────────
class Connecting:
    """`fairlead connect` against a stream that listens: `peer` is the server's end of the WebSocket."""

    def __init__(self, environment, stream, layer, *arguments, program=()):
        self.stream = stream
        self.peer = peer.Peer(stream, masks=False)
        self.command = [*(program or [processes.binary()]), "connect", "--ca", environment.certificates.ca, *stacks.flags(layer),
                        *arguments, f"wss://localhost:{stream.port}/"]

    async def __aenter__(self):
        self.process = await processes.spawn(*self.command)
        self._output = asyncio.ensure_future(self.process.stdout.read())
        self._errors = asyncio.ensure_future(self.process.stderr.read())
        return self

    async def __aexit__(self, *_):
        await processes.reap(self.process)
        self._output.cancel(), self._errors.cancel()

    async def open(self):
        await self.stream.open()
        head = await self.peer.read_head()
        key = head.one("sec-websocket-key").encode()
        await self.peer.send(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                             b"Sec-WebSocket-Accept: " + peer.accept_for(key) + b"\r\n\r\n")

    async def say(self, line):
        self.process.stdin.write(line + b"\n")
        await self.process.stdin.drain()

    async def answer(self, line):
        """The client sends a line as a message, and we send it back."""
        speaking = asyncio.ensure_future(self.say(line))
        kind, data, _ = await self.peer.message(WAIT)
        await speaking
        expect("kind and length of the message", (kind, len(data)), (frames.TEXT, len(line)))
        check(digest(data) == digest(line), f"the hash changed at {len(line)} bytes")
        await self.peer.send(frames.Frame(kind, data))

    async def ended(self):
        """The exit status, and everything on standard output and standard error."""
        await asyncio.wait_for(self.process.wait(), WAIT)
        return self.process.returncode, await self._output, (await self._errors).decode(errors="replace")


async def lines(connecting, sizes, seed=0):
    """Messages there and back; returns what must be on standard output then."""
    sent = [payload(size, seed) for size in sizes]
    for line in sent:
        await connecting.answer(line)
    return b"".join(line + b"\n" for line in sent)


async def close_from_server(connecting, output, truncation=True):
    """1000 from the server, both close_notify, and the client's exit status."""
    await connecting.peer.send(frames.close(1000))
    await connecting.peer.expect_close({1000}, WAIT)
    await connecting.stream.close_notify()
    await connecting.peer.expect_end(WAIT, ended=tlsstream.CLOSE_NOTIFY if truncation else None)
    await connecting.stream.cut()
    await _good_end(connecting, output)


async def close_from_client(connecting, output, truncation=True):
    """The input ends: 1000 from the client, answered; the server says goodbye first (RFC 6455 7.1.1)."""
    connecting.process.stdin.close()
    await connecting.peer.expect_close({1000}, WAIT)
    await connecting.peer.send(frames.close(1000))
    await connecting.stream.close_notify()
    await connecting.peer.expect_end(WAIT, ended=tlsstream.CLOSE_NOTIFY if truncation else None)
    await connecting.stream.cut()
    await _good_end(connecting, output)


async def _good_end(connecting, output):
    status, printed, errors = await connecting.ended()
    expect("exit status", (status, errors[-200:]), (0, errors[-200:]))
    expect("hash of the output", digest(printed), digest(output))


@contextlib.asynccontextmanager
async def connected(environment, relay, layer, *arguments, **options):
    """A relay as a server and our client on it, the WebSocket open."""
    async with relay as stream:
        await stream.listen()
        async with Connecting(environment, stream, layer, *arguments, **options) as connecting:
            await connecting.open()
            yield connecting
