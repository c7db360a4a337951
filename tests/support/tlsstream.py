# SPDX-License-Identifier: Apache-2.0
# A TLS stream of our own over a TCP connection, through memory buffers: unlike a library's stream it tells a
# close_notify from a mere FIN and from a reset, and it can put each byte into a record or a segment of its own.
import asyncio
import socket
import ssl

READ_BYTES = 256 * 1024
CLOSE_NOTIFY, TRUNCATED, RESET = "close_notify", "end without close_notify", "reset"


def client_context(ca=None, alpn=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca is None:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    else:
        context.load_verify_locations(ca)
    if alpn:
        context.set_alpn_protocols(alpn)
    return context


def server_context(cert, key, client_ca=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    context.set_alpn_protocols(["http/1.1"])
    if client_ca:
        context.load_verify_locations(client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


async def connect(host, port, context, receive_buffer=None, **options):
    """A TCP connection with TLS on it. A small `receive_buffer` makes a slow reader of us."""
    end = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    end.setblocking(False)
    if receive_buffer:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    try:
        await asyncio.get_running_loop().sock_connect(end, (host, port))
        reader, writer = await asyncio.open_connection(sock=end, limit=receive_buffer or 1024 * 1024)
    except BaseException:
        end.close()
        raise
    stream = TlsStream(reader, writer, context, server_side=False, **options)
    try:
        await stream.handshake()
    except BaseException:
        stream.abort()
        raise
    return stream


class TlsStream:
    """`receive()` gives bytes until the stream ends; then `ended` says how. `fin` is true once TCP itself has ended."""

    def __init__(self, reader, writer, context, server_side, server_hostname="localhost", session=None):
        self.reader, self.writer = reader, writer
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_side=server_side,
                                    server_hostname=None if server_side else server_hostname, session=session)
        self.ended = None
        self.fin = False
        raw = writer.get_extra_info("socket")
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    async def handshake(self):
        while True:
            try:
                self.tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                await self.flush()
                if not await self._fill():
                    raise ConnectionError("the stream ended in the TLS handshake") from None
            except ssl.SSLError:
                await self.flush()  # the alert
                raise
        await self.flush()

    async def flush(self):
        data = self.outgoing.read()
        if data:
            self.writer.write(data)
            try:
                await self.writer.drain()
            except ConnectionError:
                pass  # what was received before still counts: reading tells how it ended

    async def _fill(self):
        try:
            data = await self.reader.read(READ_BYTES)
        except ConnectionError:
            self.fin, self.ended = True, self.ended or RESET
            return False
        if not data:
            self.fin = True
            self.incoming.write_eof()
            return False
        self.incoming.write(data)
        return True

    async def receive(self):
        """The next plaintext; empty at the end."""
        while self.ended is None:
            try:
                data = self.tls.read(READ_BYTES)
                if data:
                    return data
                self.ended = CLOSE_NOTIFY
            except ssl.SSLWantReadError:
                await self.flush()
                await self._fill()
            except ssl.SSLZeroReturnError:
                self.ended = CLOSE_NOTIFY
            except (ssl.SSLEOFError, ssl.SSLSyscallError):
                self.ended = TRUNCATED
            except ssl.SSLError as error:
                text = str(error)
                self.ended = TRUNCATED if "EOF" in text.upper() else f"TLS error: {text}"
        return b""

    async def await_fin(self):
        """After the plaintext has ended: waits for TCP to end too."""
        while not self.fin:
            await self._fill()

    async def send(self, data, pieces=None):
        """Sends `data`; `pieces` is the number of bytes for each TLS record and each write."""
        view = memoryview(data)
        step = pieces or 65536
        for start in range(0, len(view), step):
            self._seal(view[start:start + step])
            if self.writer.is_closing():
                return
            await self.flush()
            if pieces:
                await asyncio.sleep(0)

    async def send_segments(self, data, size=1):
        """One record, but its ciphertext in TCP segments of `size` bytes."""
        self._seal(data)
        cipher = self.outgoing.read()
        for start in range(0, len(cipher), size):
            self.writer.write(cipher[start:start + size])
            await asyncio.sleep(0)
        await self.writer.drain()

    def _seal(self, data):
        try:
            self.tls.write(data)
        except ssl.SSLError:
            pass  # the peer has gone: reading tells how

    async def close_notify(self):
        """Says goodbye in TLS without ending TCP."""
        try:
            self.tls.unwrap()
        except ssl.SSLError:
            pass
        await self.flush()

    def end_tcp(self):
        try:
            if self.writer.can_write_eof():
                self.writer.write_eof()
        except OSError:
            pass

    async def close(self):
        await self.close_notify()
        self.writer.close()

    def reset(self):
        """Ends the connection with a TCP reset."""
        raw = self.writer.get_extra_info("socket")
        if raw is not None and not self.writer.is_closing():
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        self.writer.transport.abort()

    def abort(self):
        self.writer.transport.abort()
