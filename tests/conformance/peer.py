# SPDX-License-Identifier: Apache-2.0
# The raw peer: one WebSocket over our own TLS stream, in either role, that sends whatever a case asks for and reports
# exactly what the binary under test does, down to how TCP ended.
import asyncio
import base64
import contextlib
import hashlib
import os
import zlib

from conformance import frames
from support import processes, tlsstream
from support.suite import PATIENCE, Failure, check, expect

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
WAIT = 4.0 * PATIENCE  # seconds for one answer


def accept_for(key):
    return base64.b64encode(hashlib.sha1(key + GUID).digest())


class Head:
    """A request's or a response's head, as it came: `lines` keeps the order, `all(name)` every value."""

    def __init__(self, raw):
        self.raw = raw
        self.first, *rest = raw.decode("latin-1").split("\r\n")
        self.fields = [(name.lower(), value.strip(" \t"))
                       for name, _, value in (line.partition(":") for line in rest if line)]

    def all(self, name):
        return [value for field, value in self.fields if field == name.lower()]

    def one(self, name):
        values = self.all(name)
        return values[0] if len(values) == 1 else None

    @property
    def status(self):
        parts = self.first.split(" ")
        return int(parts[1]) if len(parts) > 1 and parts[1].isdigit() else 0

    def tokens(self, name):
        return [token.strip().lower() for value in self.all(name) for token in value.split(",") if token.strip()]


class Peer:
    """Our end of a WebSocket. `masks` is true when we are the client."""

    def __init__(self, stream, masks):
        self.stream, self.masks = stream, masks
        self.reader = frames.FrameReader(from_client=not masks)
        self.head = None  # the other side's head
        self.early = b""
        self._inflate = None

    # ── HTTP ─────────────────────────────────────────────────────────────────────────────────────────────────────────
    async def read_head(self, limit=65536):
        data = bytearray()
        while b"\r\n\r\n" not in data:
            piece = await asyncio.wait_for(self.stream.receive(), WAIT * 3)
            if not piece:
                raise Failure(f"the stream ended ({self.stream.ended}) inside the HTTP head after {bytes(data[:80])!r}")
            data += piece
            check(len(data) < limit, "an endless HTTP head")
        head, _, rest = bytes(data).partition(b"\r\n\r\n")
        self.head = Head(head)
        self.early = rest
        self.reader.feed(rest)
        return self.head

    # ── Frames ───────────────────────────────────────────────────────────────────────────────────────────────────────
    async def send(self, *items, pieces=None):
        """Frames (encoded for our role) and bytes (as they are), in one write or in `pieces`."""
        data = b"".join(item if isinstance(item, (bytes, bytearray)) else item.encode(self.masks) for item in items)
        await self.stream.send(data, pieces)

    async def next(self, timeout=WAIT):
        """The next frame, or None at the end of the stream (`stream.ended` says which end)."""
        # A time limit costs a task: for thousands of frames that are here already it would be most of the work.
        return self._received() or await asyncio.wait_for(self._next(), timeout)

    def _received(self):
        try:
            return self.reader.next()
        except frames.BadFrame as bad:
            raise Failure(str(bad)) from None

    async def _next(self):
        while True:
            data = await self.stream.receive()
            if not data:
                return None
            self.reader.feed(data)
            frame = self._received()
            if frame is not None:
                return frame

    async def expect_frame(self, opcode, payload=None, timeout=WAIT):
        frame = await self._some_frame(f"a {frames.NAMES[opcode]} frame", timeout)
        check(frame.opcode == opcode, f"expected a {frames.NAMES[opcode]} frame, got {frame}")
        if payload is not None:
            expect(f"payload of the {frames.NAMES[opcode]} frame", frame.payload, payload)
        return frame

    async def _some_frame(self, wanted, timeout):
        try:
            frame = await self.next(timeout)
        except asyncio.TimeoutError:
            raise Failure(f"expected {wanted}, got nothing for {timeout:g} s") from None
        if frame is None:
            raise Failure(f"expected {wanted}, got the end of the stream ({self.stream.ended})")
        return frame

    async def message(self, timeout=WAIT, pongs=None):
        """The next whole message as (opcode, payload, compressed); pongs on the way go into the list."""
        opcode, parts, compressed = None, [], False
        while True:
            frame = await self._some_frame("a message", timeout)
            if frame.opcode == frames.PONG and pongs is not None:
                pongs.append(frame.payload)
                continue
            if frame.opcode == frames.PING:
                await self.send(frames.pong(frame.payload))
                continue
            check(frame.opcode < frames.CLOSE, f"expected a message, got {frame}")
            if opcode is None:
                opcode, compressed = frame.opcode, bool(frame.rsv & 4)
            parts.append(frame.payload)
            if frame.fin:
                payload = b"".join(parts)
                return opcode, self._inflated(payload) if compressed else payload, compressed

    def use_deflate(self, window_bits, takeover):
        """From now on messages of the other side may be compressed with at most this window."""
        self.reader.allow_rsv1 = True
        self._inflate = lambda: zlib.decompressobj(-window_bits)
        self._takeover = takeover
        self._stream = self._inflate()

    def _inflated(self, payload):
        if not self._takeover:
            self._stream = self._inflate()
        try:
            plain = self._stream.decompress(payload + b"\0\0\xff\xff")
        except zlib.error as error:
            raise Failure(f"a compressed message does not inflate within the agreed window: {error}") from None
        if self._stream.eof:  # a final block ends the stream, the next message starts a fresh one
            self._stream = self._inflate()
        return plain

    # ── Ends ─────────────────────────────────────────────────────────────────────────────────────────────────────────
    async def expect_close(self, codes, timeout=WAIT, skip_data=False, goodbye=True):
        """A close frame with one of the codes, and nothing after it."""
        frame = await self._some_frame(f"a close frame with {codes}", timeout)
        while frame.opcode == frames.PING or (skip_data and frame.opcode != frames.CLOSE):
            frame = await self._some_frame(f"a close frame with {codes}", timeout)
        check(frame.opcode == frames.CLOSE, f"expected a close frame with {codes}, got {frame}")
        expect("close code", frame.code, codes)
        frame.reason.decode("utf-8")
        return frame

    async def expect_end(self, timeout=WAIT, ended=tlsstream.CLOSE_NOTIFY, fin=True):
        """The end of the stream: no more frames, TLS says goodbye, TCP ends."""
        try:
            frame = await self.next(timeout)
            if frame is not None:
                raise Failure(f"expected the end of the stream, got {frame}")
            if self.stream.ended == tlsstream.CLOSE_NOTIFY:
                await self.stream.close_notify()  # the answer that TLS 1.2 demands; TCP is still open from our side
            if fin:
                await asyncio.wait_for(self.stream.await_fin(), timeout)
        except asyncio.TimeoutError:
            raise Failure(f"the stream has not ended after {timeout:g} s (TLS: {self.stream.ended})") from None
        if ended is not None:
            expect("end of the stream", self.stream.ended, ended)

    async def close_cleanly(self, code=1000, timeout=WAIT, skip_data=False):
        """The closing handshake from our side; the server is the one who ends TCP (7.1.1)."""
        await self.send(frames.close(code))
        await self.expect_close({code}, timeout, skip_data)
        if not self.masks:
            await self.stream.close_notify()
            self.stream.end_tcp()
        await self.expect_end(timeout, fin=True)


# ── The binary as a server ───────────────────────────────────────────────────────────────────────────────────────────
def request(port, path="/", key=None, extra=(), **replaced):
    """An opening handshake; `replaced` overrides or (None) drops fields: host upgrade connection key version."""
    fields = {
        "host": ("Host", f"localhost:{port}"),
        "upgrade": ("Upgrade", "websocket"),
        "connection": ("Connection", "Upgrade"),
        "key": ("Sec-WebSocket-Key", key or base64.b64encode(os.urandom(16)).decode()),
        "version": ("Sec-WebSocket-Version", "13"),
    }
    lines = [f"GET {path} HTTP/1.1"]
    for name, (field, value) in fields.items():
        value = replaced.get(name, value)
        for one in value if isinstance(value, list) else [value]:
            if one is not None:
                lines.append(f"{field}: {one}")
    lines += list(extra)
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"


class Client:
    """A factory of raw clients for one server."""

    def __init__(self, port, certificates, host="127.0.0.1"):
        self.host, self.port = host, port
        self.context = tlsstream.client_context(certificates.ca, ["http/1.1"])

    @contextlib.asynccontextmanager
    async def raw(self, **options):
        stream = await tlsstream.connect(self.host, self.port, self.context, **options)
        try:
            yield Peer(stream, masks=True)
        finally:
            stream.abort()

    @contextlib.asynccontextmanager
    async def open(self, path="/", extra=(), receive_buffer=None, origin=None):
        async with self.raw(receive_buffer=receive_buffer) as peer:
            key = base64.b64encode(os.urandom(16))
            if origin is not None:
                extra = [*extra, f"Origin: {origin}"]
            await peer.send(request(self.port, path, key.decode(), extra))
            head = await peer.read_head()
            expect("status of the upgrade", head.status, 101)
            expect("Sec-WebSocket-Accept", head.one("sec-websocket-accept"), accept_for(key).decode())
            yield peer


# ── The binary as a client ───────────────────────────────────────────────────────────────────────────────────────────
class Connector:
    """One process of `fairlead connect` against a raw server of ours: `peer` is our end of the channel."""

    program = ()  # another one than the binary under test

    def __init__(self, certificates, *flags, host="localhost", path="/", cert="server", trust=True, client_ca=None,
                 scheme="wss", receive_buffer=None):
        self.context = tlsstream.server_context(certificates.cert(cert), certificates.key(cert), client_ca)
        self.flags = [*(["--ca", certificates.ca] if trust else []), *flags]
        self.host, self.path, self.scheme = host, path, scheme
        self.receive_buffer = receive_buffer
        self.process = self.peer = self.listener = self.port = None
        self.error = ""
        self._arrivals = asyncio.Queue()
        self._errors = None

    async def __aenter__(self):
        await self.listen()
        try:
            await self.launch()
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def listen(self):
        self.listener = await asyncio.start_server(self._arrived, "127.0.0.1", 0, limit=1024 * 1024)
        self.port = self.listener.sockets[0].getsockname()[1]

    async def launch(self):
        url = f"{self.scheme}://{self.host}:{self.port}{self.path}"
        self.process = await processes.spawn(*(self.program or [processes.binary()]), "connect", *self.flags, url)
        self._errors = asyncio.ensure_future(self._read_errors())

    async def _read_errors(self):
        self.error = (await self.process.stderr.read()).decode(errors="replace")

    def _arrived(self, reader, writer):
        self._arrivals.put_nowait((reader, writer))

    async def __aexit__(self, *_):
        if self.peer is not None:
            self.peer.stream.abort()
        self.listener.close()
        while not self._arrivals.empty():
            self._arrivals.get_nowait()[1].transport.abort()
        if self.process is not None:
            await processes.reap(self.process)
            self._errors.cancel()

    async def tcp(self, timeout=WAIT * 2):
        """The client's TCP connection, before TLS."""
        try:
            return await asyncio.wait_for(self._arrivals.get(), timeout)
        except asyncio.TimeoutError:
            raise Failure(f"the client did not connect within {timeout:g} s; it says {self.error[-300:]!r}") from None

    async def accept(self):
        """TLS and the client's request; the answer is up to the case."""
        reader, writer = await self.tcp()
        stream = tlsstream.TlsStream(reader, writer, self.context, server_side=True)
        self.peer = Peer(stream, masks=False)
        await asyncio.wait_for(stream.handshake(), WAIT)
        return await self.peer.read_head()

    def response(self, head, extra=(), status="HTTP/1.1 101 Switching Protocols", **replaced):
        key = (head.one("sec-websocket-key") or "").encode()
        fields = {"upgrade": ("Upgrade", "websocket"), "connection": ("Connection", "Upgrade"),
                  "accept": ("Sec-WebSocket-Accept", accept_for(key).decode())}
        lines = [status]
        for name, (field, value) in fields.items():
            value = replaced.get(name, value)
            for one in value if isinstance(value, list) else [value]:
                if one is not None:
                    lines.append(f"{field}: {one}")
        lines += list(extra)
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"

    async def open(self, extra=(), with_frames=b""):
        head = await self.accept()
        await self.peer.send(self.response(head, extra), with_frames)
        return head

    async def write(self, data):
        self.process.stdin.write(data)
        await self.process.stdin.drain()

    async def expect_output(self, wanted, timeout=WAIT):
        """Exactly these bytes on the client's standard output, in this order."""
        try:
            got = await asyncio.wait_for(self.process.stdout.readexactly(len(wanted)), timeout)
        except asyncio.IncompleteReadError as short:
            got = short.partial
        except asyncio.TimeoutError:
            raise Failure(f"output: expected {wanted[:80]!r}, got too little for {timeout:g} s") from None
        expect("output", got, wanted)

    async def exit_status(self, timeout=WAIT * 2):
        try:
            await asyncio.wait_for(self.process.wait(), timeout)
            await asyncio.wait_for(self._errors, 1)
        except asyncio.TimeoutError:
            raise Failure(f"the client has not exited after {timeout:g} s") from None
        return self.process.returncode

    async def rest_of_output(self):
        return await asyncio.wait_for(self.process.stdout.read(), WAIT)
