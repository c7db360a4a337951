# SPDX-License-Identifier: Apache-2.0
# Another TLS stack as a stream of plaintext that the raw WebSocket peer can be put on (conformance/peer.py).
#
# A relay (relays/) is a program over one stack. It reads commands and writes reports, both as frames of one letter, a
# length in four bytes and a payload:
#   commands  D data   P two bytes (padding of each record), data   k, K KeyUpdate (K asks for one back)
#             C close_notify   X ends TCP without it   N (server) the next connection
#   reports   L port   O "VERSION SUITE full|resumed"   D plaintext   E how the other side ended, or what went wrong
# `openssl`, `gnutls-cli` and `tstclnt` are streams by themselves, see tools.py.
import asyncio
import contextlib
import struct

from support import processes
from support.suite import PATIENCE, Failure, check
from support.tlsstream import CLOSE_NOTIFY, TRUNCATED

ENDS = {"close_notify": CLOSE_NOTIFY, "truncated": TRUNCATED}
WAIT = 20.0 * PATIENCE  # seconds; some stacks take a second of CPU time to start


class Relay:
    """One process of a relay; as a server it takes connections one after the other."""

    def __init__(self, command, **options):
        chosen = [f"{name}={value}" for name, value in options.items() if value is not None]
        self.command = [*command, *chosen]
        self.process = self.port = self.opened = self.ended = None
        self.fin = False
        self.error = b""
        self._data = bytearray()
        self._reports = asyncio.Queue()

    async def __aenter__(self):
        self.process = await processes.spawn(*self.command)
        self._tasks = [asyncio.ensure_future(self._read()), asyncio.ensure_future(self._complain())]
        return self

    async def __aexit__(self, *_):
        if self.process.returncode is None:
            self.process.stdin.close()
            try:
                await asyncio.wait_for(self.process.wait(), 1)
            except asyncio.TimeoutError:
                pass
        await processes.reap(self.process, grace=1)
        for task in self._tasks:
            task.cancel()
        with contextlib.suppress(OSError):
            await self.process.stdin.wait_closed()

    async def _read(self):
        try:
            while True:
                head = await self.process.stdout.readexactly(5)
                payload = await self.process.stdout.readexactly(struct.unpack("!I", head[1:])[0])
                self._reports.put_nowait((chr(head[0]), payload))
        except asyncio.IncompleteReadError:
            self._reports.put_nowait(("E", b"the relay has ended"))

    async def _complain(self):
        self.error = await self.process.stderr.read()

    async def _report(self):
        return await asyncio.wait_for(self._reports.get(), WAIT)

    async def listen(self):
        kind, payload = await self._report()
        check(kind == "L", f"the relay did not get ready: {payload!r} {self.error[-500:]!r}")
        self.port = int(payload)
        return self

    async def open(self):
        """Waits for the handshake; then `opened` is (version, suite, full|resumed)."""
        kind, payload = await self._report()
        if kind != "O":
            await asyncio.sleep(0.1)
            raise Failure(f"the TLS handshake failed: {payload.decode(errors='replace')} {self.error[-500:]!r}")
        self.opened = tuple(payload.decode().split(" "))
        return self

    async def command_(self, kind, payload=b""):
        try:
            self.process.stdin.write(kind.encode() + struct.pack("!I", len(payload)) + payload)
            await self.process.stdin.drain()
        except ConnectionError:
            pass  # reading tells why it has gone

    # ── As conformance/peer.py wants a stream to be ──────────────────────────────────────────────────────────────────
    async def receive(self):
        while self.ended is None:
            kind, payload = await self._reports.get()
            if kind == "D":
                return payload
            if kind == "E":
                text = payload.decode(errors="replace")
                self.ended = ENDS.get(text, text)
        return b""

    async def send(self, data, pieces=None):
        step = pieces or 65536
        for start in range(0, len(data), step):
            await self.command_("D", bytes(data[start:start + step]))

    async def send_padded(self, data, padding):
        await self.command_("P", struct.pack("!H", padding) + data)

    async def update(self, ask):
        await self.command_("K" if ask else "k")

    async def close_notify(self):
        await self.command_("C")

    async def cut(self):
        await self.command_("X")

    async def next(self):
        """As a server: the next connection."""
        self.ended = self.opened = None
        await self.command_("N")

    async def await_fin(self):
        """What ends TCP is the relay's affair."""

    def end_tcp(self):
        pass

    def abort(self):
        pass
