# SPDX-License-Identifier: Apache-2.0
# One table row = one exchange of frames after the opening handshake, the same for both roles of the binary: what the
# peer sends, which messages the application sees, which pongs come back, how the channel ends.
import asyncio
import dataclasses

from conformance import deflate, frames
from conformance.peer import WAIT
from support.suite import PATIENCE, Case, check, expect

SERVER, CLIENT = "server", "client"
BOTH = (SERVER, CLIENT)
NORMAL_ENDS = (1000, 1001, 1005)
HANDSHAKE, PROTOCOL, OVER_LIMIT = 11, 12, 16  # exit statuses of a client that fails the connection, docs/command-line.md
REFUSAL_TIME = 1.5 * PATIENCE  # seconds until a client has left after an answer that it must refuse
BYTEWISE_LIMIT = 400  # longer exchanges are not repeated byte by byte


class Pause:
    """A step that only waits, so that what came before has been read when the rest arrives."""
    seconds = 0.03


@dataclasses.dataclass(frozen=True)
class Exchange:
    """`send` holds frames, bytes and pauses. `messages`: the payloads (str = text) that are delivered, in order.
    `fails`: the close codes with which the binary must fail the connection; `closes`: the (code, reason) it must echo,
    when `send` ends with a close frame; neither: the case closes the channel itself and that must be clean.
    `then` is sent after the answer and must have no effect."""
    id: str
    section: str
    title: str
    send: tuple
    messages: tuple = ()
    pongs: tuple = ()
    fails: frozenset | None = None
    closes: tuple | None = None
    roles: tuple = BOTH
    splits: tuple = ("whole", "bytewise")
    server_flags: tuple = ()
    client_flags: tuple = ()
    timeout: float = 20.0
    deflate: bool = False  # permessage-deflate has been agreed on
    partial: bytes = b""  # what a client that streams may print of a message that is never finished


def row(id, section, title, *send, messages=(), pongs=(), fails=None, **options):
    """A table row; `fails` may be one code or several."""
    if fails is not None:
        fails = frozenset([fails] if isinstance(fails, int) else fails)
    return Exchange(id, section, title, send, tuple(messages), tuple(pongs), fails, **options)


def cases(table):
    """Every row in each of its roles, whole and byte by byte."""
    for exchange in table:
        for role in exchange.roles:
            for split in exchange.splits:
                if split == "bytewise" and _size(exchange) > BYTEWISE_LIMIT:
                    continue
                suffix = "" if split == "whole" else "/bytes"
                title = exchange.title if split == "whole" else f"{exchange.title}, byte by byte"
                run = _runner(exchange, role, 1 if split == "bytewise" else None)
                yield Case(f"{role}/{exchange.id}{suffix}", exchange.section, title, role, run, exchange.timeout)


def _size(exchange):
    return sum(len(step if isinstance(step, bytes) else step.encode(True))
               for step in exchange.send if step is not Pause)


def _runner(exchange, role, pieces):
    against = _against_server if role == SERVER else _against_client

    async def run(environment):
        await against(environment, exchange, pieces)
    return run


async def _send(peer, steps, pieces):
    together = []
    for step in steps:
        if step is Pause:
            await peer.send(*together, pieces=pieces)
            await asyncio.sleep(Pause.seconds)
            together = []
        else:
            together.append(step)
    if together:
        await peer.send(*together, pieces=pieces)


def _plain(message):
    return message.encode() if isinstance(message, str) else message


def _line(message):
    """What the client prints: text as it is, binary as hexadecimal digits."""
    return (message.encode() if isinstance(message, str) else message.hex().encode()) + b"\n"


# ── The binary is the server and echoes ──────────────────────────────────────────────────────────────────────────────
async def _against_server(environment, exchange, pieces):
    flags = ("--compress",) if exchange.deflate else ()
    client = await environment.client(*flags, *exchange.server_flags)
    async with client.open(extra=[deflate.field(deflate.OFFER)] if exchange.deflate else ()) as peer:
        if exchange.deflate:
            deflate.Agreement.of(peer.head).receive_with(peer)
        await _send(peer, exchange.send, pieces)
        await _expect_echoes(peer, exchange)
        await _expect_ending(peer, exchange)


async def _expect_echoes(peer, exchange):
    pongs = []
    for number, wanted in enumerate(exchange.messages):
        opcode, payload, _ = await peer.message(pongs=pongs)
        kind = frames.TEXT if isinstance(wanted, str) else frames.BINARY
        expect(f"kind of echo {number}", frames.NAMES[opcode], frames.NAMES[kind])
        expect(f"echo {number}", payload, _plain(wanted))
    while len(pongs) < len(exchange.pongs):
        pongs.append((await peer.expect_frame(frames.PONG)).payload)
    expect("pongs", tuple(pongs), tuple(exchange.pongs))


async def _expect_ending(peer, exchange):
    if exchange.fails is not None:
        await peer.expect_close(exchange.fails)
        if not peer.masks:  # a client may wait for us, the server, to end TCP
            await peer.stream.close_notify()
            peer.stream.end_tcp()
        await peer.expect_end(ended=None if not peer.masks else "close_notify")
    elif exchange.closes is not None:
        code, reason = exchange.closes
        frame = await peer.expect_close({code})
        if reason is not None:
            check(frame.reason in (reason, b""), f"close reason: expected {reason!r} or none, got {frame.reason!r}")
        if not peer.masks:
            await peer.stream.close_notify()
            peer.stream.end_tcp()
        await peer.expect_end()
    else:
        await peer.close_cleanly()


# ── The binary is the client and prints ──────────────────────────────────────────────────────────────────────────────
async def _against_client(environment, exchange, pieces):
    flags = ("--compress",) if exchange.deflate else ()
    async with environment.connector("--exit-on-close", *flags, *exchange.client_flags) as client:
        await client.open([deflate.field(deflate.ANSWER)] if exchange.deflate else ())
        await _send(client.peer, exchange.send, pieces)
        pongs = []
        if exchange.messages:
            await client.expect_output(b"".join(_line(one) for one in exchange.messages))
        while len(pongs) < len(exchange.pongs):
            pongs.append((await client.peer.expect_frame(frames.PONG)).payload)
        expect("pongs", tuple(pongs), tuple(exchange.pongs))
        await _expect_ending(client.peer, exchange)
        if exchange.closes is None or exchange.closes[0] in NORMAL_ENDS:
            await expect_exit(client, clean=exchange.fails is None, partial=exchange.partial)
        else:
            await client.exit_status()  # which status belongs to which code is the command line's own affair


async def expect_exit(client, clean, partial=b""):
    status = await client.exit_status()
    rest = await client.rest_of_output()
    if clean:
        check(rest in (b"", partial), f"expected nothing more on standard output, got {rest[:80]!r}")
        check(status == 0, f"exit status after a clean close: expected 0, got {status}; it says {client.error[-300:]!r}")
    else:
        expect(f"exit status of the client, which says {client.error[-300:]!r},", status, {PROTOCOL, OVER_LIMIT})


async def expect_refusal(client, status, error, within=REFUSAL_TIME):
    """The connection stays open on our side: only the client's own refusal can end it. It sends nothing of WebSocket, says
    which rule the answer breaks, and leaves with the status that belongs to it."""
    got = await client.exit_status(within)
    expect(f"exit status of the client, which says {client.error[-300:]!r},", got, status)
    check(f"cannot connect: {error}" in client.error, f"expected the error {error!r}, the client says {client.error[-300:]!r}")
    expect("output", await client.rest_of_output(), b"")
    expect("bytes after a bad answer", await asyncio.wait_for(client.peer.stream.receive(), WAIT), b"")
