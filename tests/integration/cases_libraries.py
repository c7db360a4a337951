# SPDX-License-Identifier: Apache-2.0
# Node's ws and Python's websockets, as clients of `fairlead echo` and as servers for `fairlead connect`.
import asyncio
import contextlib
import hashlib
import os
import random

from support import processes, tlsstream
from support.suite import Book, Skip, check, expect

book = Book()
MEBIBYTE = 1024 * 1024
SIZES = [0, 1, 125, 126, 127, 1000, 16384, 65535, 65536, 200000, 1000000]
LARGE_SIZES = [8 * MEBIBYTE, 64 * MEBIBYTE]
LARGE = ("--max-message", str(64 * MEBIBYTE))


def websockets():
    try:
        import websockets as library
        return library
    except ImportError:
        raise Skip("python3-websockets is not installed") from None


# ── Their client, our server ─────────────────────────────────────────────────────────────────────────────────────────
def _node_client(name, flags, sizes, deflate, wants_extension):
    async def run(environment):
        server = await environment.shared(*flags)
        report = await environment.node_client(url=f"wss://localhost:{server.port}/", sizes=sizes, deflate=deflate,
                                               code=4321, reason="von Node – fertig")
        expect("pong", report["pong"], "from node")
        expect("close", (report["code"], report["reason"]), {(4321, "von Node – fertig"), (4321, "")})
        expect("extension agreed", bool(report["extensions"]), wants_extension)
    book.add(f"server/node-ws/{name}", "Node ws", f"client: {name}", run, timeout=180)


_node_client("plain", (), SIZES, False, False)
_node_client("offer-declined", (), SIZES, True, False)
_node_client("deflate", ("--compress",), SIZES, True, True)
_node_client("deflate-takeover", ("--compress", "--context-takeover"), SIZES, True, True)
_node_client("deflate-small-windows", ("--compress", "--context-takeover"), SIZES,
             {"serverMaxWindowBits": 10, "clientMaxWindowBits": 11}, True)
_node_client("deflate-no-takeover", ("--compress", "--context-takeover"), SIZES,
             {"serverNoContextTakeover": True, "clientNoContextTakeover": True}, True)
_node_client("large", LARGE, LARGE_SIZES, False, False)
_node_client("large-deflate", (*LARGE, "--compress"), [8 * MEBIBYTE], True, True)
_node_client("streamed", (*LARGE, "--chunks"), [*SIZES, 64 * MEBIBYTE], False, False)
_node_client("streamed-deflate", (*LARGE, "--chunks", "--compress"), [*SIZES, 8 * MEBIBYTE], True, True)


def _python_client(name, flags, sizes, compression, wants_extension):
    async def run(environment):
        server = await environment.shared(*flags)
        context = tlsstream.client_context(environment.certificates.ca)
        chance = random.Random(11)
        async with websockets().connect(f"wss://localhost:{server.port}/", ssl=context, compression=compression,
                                        max_size=80 * MEBIBYTE, ping_interval=None) as channel:
            for size in sizes:
                for data in (chance.randbytes(size), chance.randbytes(size // 2).hex()):
                    await channel.send(data)
                    answer = await asyncio.wait_for(channel.recv(), 60)
                    expect("kind", type(answer), type(data))
                    check(_hash(answer) == _hash(data), f"the hash changed at {size} bytes")
            await channel.send(["in ", "three ", "fragments – ü"])
            expect("fragments", await asyncio.wait_for(channel.recv(), 10), "in three fragments – ü")
            await asyncio.wait_for(await channel.ping(b"from python"), 10)
            expect("extension agreed", bool(channel.extensions), wants_extension)
            await channel.close(4000, "bye – ü")
            expect("close code", channel.close_code, 4000)
    book.add(f"server/python-websockets/{name}", "Python websockets", f"client: {name}", run, timeout=180)


def _hash(data):
    return hashlib.sha256(data if isinstance(data, bytes) else data.encode()).hexdigest()


_python_client("plain", (), SIZES, None, False)
_python_client("offer-declined", (), SIZES, "deflate", False)
_python_client("deflate", ("--compress",), SIZES, "deflate", True)
_python_client("deflate-takeover", ("--compress", "--context-takeover"), SIZES, "deflate", True)
_python_client("large", LARGE, LARGE_SIZES, None, False)
_python_client("large-deflate", (*LARGE, "--compress"), [8 * MEBIBYTE], "deflate", True)


@book.case("server/node-ws/many", "Node ws", "eight Node clients at once", timeout=180)
async def many_node_clients(environment):
    server = await environment.shared()
    plans = (environment.node_client(url=f"wss://localhost:{server.port}/", sizes=[10, 70000] * 20, deflate=False)
             for _ in range(8))
    await asyncio.gather(*plans)


@book.case("server/node-ws/subprotocol", "Node ws", "the subprotocol that both speak")
async def node_subprotocol(environment):
    server = await environment.shared("--subprotocol", "v2", "--subprotocol", "v1")
    report = await environment.node_client(url=f"wss://localhost:{server.port}/", subprotocols=["v1", "v2"], deflate=False)
    expect("subprotocol", report["protocol"], "v2")


# ── Our client, their server ─────────────────────────────────────────────────────────────────────────────────────────
@contextlib.asynccontextmanager
async def _their_server(environment, library, deflate):
    if library == "node-ws":
        async with await environment.node_server(deflate) as server:
            yield server.port
        return
    context = tlsstream.server_context(environment.certificates.cert("server"), environment.certificates.key("server"))

    async def echo(channel):
        async for message in channel:
            await channel.send(message)

    async with websockets().serve(echo, "127.0.0.1", 0, ssl=context, compression="deflate" if deflate else None,
                                  max_size=80 * MEBIBYTE, ping_interval=None) as server:
        yield server.sockets[0].getsockname()[1]


def _lines(library, name, deflate, *flags):
    async def run(environment):
        async with _their_server(environment, library, deflate) as port:
            lines = [b"hello", b"", "日本語 😀".encode(), *(b"%d " % at + b"x" * (at * 37 % 5000) for at in range(500)),
                     b"y" * 1000000]
            text = b"".join(line + b"\n" for line in lines)
            done = await environment.fairlead("connect", "--ca", environment.certificates.ca, "--linger", 3, *flags,
                                              f"wss://localhost:{port}/", input=text)
            expect("exit status", (done.status, done.error[-200:]), (0, done.error[-200:]))
            expect("hash of the lines", hashlib.sha256(done.output).hexdigest(), hashlib.sha256(text).hexdigest())
    book.add(f"client/{library}/lines-{name}", library, f"server: 500 lines and back, {name}", run, timeout=120)


def _bytes(library, size, deflate, *flags):
    async def run(environment):
        async with _their_server(environment, library, deflate) as port:
            data = os.urandom(size // 2) + bytes(size - size // 2)
            done = await environment.fairlead("connect", "--ca", environment.certificates.ca, "--binary", "--one-message",
                                              "--max-message", "64M", "--max-fragments", "unlimited", "--linger",
                                              8 if size > 16 * MEBIBYTE else 3, *flags,
                                              f"wss://localhost:{port}/", input=data, timeout=150)
            check(done.status == 0, f"exit status {done.status}: {done.error[-300:]}")
            expect("length", len(done.output), size)
            expect("hash", hashlib.sha256(done.output).hexdigest(), hashlib.sha256(data).hexdigest())
    kind = "deflate" if deflate else "plain"
    book.add(f"client/{library}/bytes-{size // MEBIBYTE}m-{kind}", library, f"server: one message of {size // MEBIBYTE} MiB, {kind}",
             run, timeout=180)


for _library in ("node-ws", "python-websockets"):
    _lines(_library, "plain", False)
    _lines(_library, "declined", False, "--compress")
    _lines(_library, "deflate", True, "--compress")
    _lines(_library, "deflate-takeover", True, "--compress", "--context-takeover")
    _bytes(_library, 1 * MEBIBYTE, False)
    _bytes(_library, 64 * MEBIBYTE, False)
    _bytes(_library, 16 * MEBIBYTE, True, "--compress")


@book.case("client/node-ws/close-seen", "Node ws", "the server sees 1000 when our input has ended")
async def close_seen(environment):
    async with await environment.node_server(False) as server:
        done = await environment.fairlead("connect", "--ca", environment.certificates.ca, f"wss://localhost:{server.port}/",
                                          input=b"one\n")
        expect("exit status and output", (done.status, done.output), (0, b"one\n"))
        expect("close code at the server", (await server.line())["closed"], 1000)


@book.case("client/python-websockets/ping-stats", "Python websockets", "--ping and --stats speak on stderr")
async def ping_stats(environment):
    async with _their_server(environment, "python-websockets", False) as port:
        process = await processes.spawn(processes.binary(), "connect", *environment.flags, "--ca", environment.certificates.ca, "--ping", "0.1",
                                        "--stats", f"wss://localhost:{port}/")
        process.stdin.write(b"hello\n")
        await asyncio.sleep(0.6)
        process.stdin.close()
        output, error = await asyncio.wait_for(process.communicate(), 20)
        await processes.reap(process)
        expect("exit status and output", (process.returncode, output), (0, b"hello\n"))
        check(b"rtt" in error and b"ms" in error, f"no round-trip time on stderr: {error[-200:]!r}")
        check(b"messages_in=1" in error and b"messages_out=1" in error, f"no counters on stderr: {error[-200:]!r}")


def all_cases():
    return book.cases
