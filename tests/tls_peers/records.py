# SPDX-License-Identifier: Apache-2.0
# TLS 1.3 records by hand (RFC 8446 5): Python's ssl makes the handshake and logs the secrets, then this takes the stream
# over, in either role, and seals whatever a case asks for. Everything is computed here, nothing by the code under test.
import asyncio
import ctypes
import hashlib
import hmac
import ssl
import struct

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305

from support import tlsstream
from support.suite import Failure, check

CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, DATA = 20, 21, 22, 23
CLOSE_NOTIFY, USER_CANCELED = 0, 90
NEW_SESSION_TICKET, KEY_UPDATE = 4, 24
ALERTS = {0: "close_notify", 10: "unexpected_message", 20: "bad_record_mac", 22: "record_overflow", 40: "handshake_failure",
          47: "illegal_parameter", 50: "decode_error", 51: "decrypt_error", 80: "internal_error", 90: "user_canceled"}
SUITES = {"TLS_AES_128_GCM_SHA256": (AESGCM, "sha256", 16), "TLS_AES_256_GCM_SHA384": (AESGCM, "sha384", 32),
          "TLS_CHACHA20_POLY1305_SHA256": (ChaCha20Poly1305, "sha256", 32)}
RECORD_BYTES = 1 << 14
TAG_BYTES = 16


def expand_label(hash_name, secret, label, length):
    """HKDF-Expand-Label without a context (RFC 8446 7.1); one block is enough for all that records need."""
    name = b"tls13 " + label
    info = struct.pack("!HB", length, len(name)) + name + b"\0"
    return hmac.new(secret, info + b"\1", hash_name).digest()[:length]


class Keys:
    """One direction: its secret, key, nonce and sequence number."""

    def __init__(self, suite, secret):
        self.suite, self.secret = suite, secret
        self.cipher, self.hash, size = SUITES[suite]
        self.aead = self.cipher(expand_label(self.hash, secret, b"key", size))
        self.iv = int.from_bytes(expand_label(self.hash, secret, b"iv", 12), "big")
        self.sequence = 0

    def following(self):
        """RFC 8446 7.2."""
        size = hashlib.new(self.hash).digest_size
        return Keys(self.suite, expand_label(self.hash, self.secret, b"traffic upd", size))

    def _nonce(self):
        nonce = (self.iv ^ self.sequence).to_bytes(12, "big")
        self.sequence += 1
        return nonce

    def seal(self, inner, outer=DATA, version=0x0303):
        head = struct.pack("!BHH", outer, version, len(inner) + TAG_BYTES)
        return head + self.aead.encrypt(self._nonce(), inner, head)

    def open(self, head, body):
        try:
            inner = self.aead.decrypt(self._nonce(), body, head)
        except InvalidTag:
            raise Failure("a record of the binary does not open with the keys of this generation") from None
        content = inner.rstrip(b"\0")
        check(content, "the binary sent a record without a content type")
        return content[-1], content[:-1]


def message(kind, body):
    """A handshake message."""
    return bytes([kind]) + len(body).to_bytes(3, "big") + body


def extension(kind, data=b""):
    return struct.pack("!HH", kind, len(data)) + data


def ticket(number, extensions=b"", said=None):
    """A NewSessionTicket that is good for nothing, and well-formed unless the extensions are not (RFC 8446 4.6.1). `said`: how
    long they claim to be."""
    times = struct.pack("!II", 7200, number)
    length = struct.pack("!H", len(extensions) if said is None else said)
    return message(NEW_SESSION_TICKET, times + bytes([1, number]) + struct.pack("!H", 64) + bytes(64) + length + extensions)


def choose_suite(context, suite):
    """Python's ssl has no words for the suites of TLS 1.3, so its SSL_CTX is asked."""
    library = ctypes.CDLL("libssl.so.3")
    own = ctypes.c_void_p.from_address(id(context) + 16)  # PySSLContext.ctx, behind the object's head
    check(library.SSL_CTX_set_ciphersuites(own, suite.encode()) == 1, f"OpenSSL does not know {suite}")


def prepare(context, suite, log_file):
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.keylog_filename = str(log_file)
    choose_suite(context, suite)
    return context


def secrets(log_file):
    """The traffic secrets in a key log: the client's, which OpenSSL as a server logs at the very end, and the server's."""
    found = {}
    for line in log_file.read_text().splitlines():
        if line and not line.startswith("#"):
            label, _, secret = line.split(" ")
            found[label] = bytes.fromhex(secret)
    return found.get("CLIENT_TRAFFIC_SECRET_0"), found["SERVER_TRAFFIC_SECRET_0"]


class Records:
    """A stream whose records are ours; what conformance/peer.py wants of a stream."""

    def __init__(self, stream, suite, log_file, server_side):
        client, server = secrets(log_file)
        self.reader, self.writer = stream.reader, stream.writer
        self.mine = Keys(suite, server if server_side else client)
        self.theirs = Keys(suite, theirs) if (theirs := client if server_side else server) else None
        self._unread = stream.incoming.read() if stream.tls.version() else b""  # what came behind the handshake
        self.ended = self.alert = None
        self.fin = False
        self.updates_seen = self.tickets_seen = 0
        self.lengths = []  # of the records that came
        self.generations = []  # how many records each key that is over has opened

    # ── Out ──────────────────────────────────────────────────────────────────────────────────────────────────────────
    def record(self, kind, content, padding=0):
        return self.mine.seal(content + bytes([kind]) + bytes(padding))

    async def write(self, *records):
        self.writer.write(b"".join(records))
        try:
            await self.writer.drain()
        except ConnectionError:
            pass  # reading tells how it ended

    async def write_pieces(self, data, size):
        """In segments of `size` bytes, as far as TCP lets us say so."""
        for at in range(0, len(data), size):
            await self.write(data[at:at + size])
            await asyncio.sleep(0)

    async def send(self, data, pieces=None):
        step = pieces or RECORD_BYTES
        await self.write(*(self.record(DATA, data[at:at + step]) for at in range(0, len(data), step)))

    def key_update(self, ask=False):
        """The record that says so; what is sealed behind it has the next keys."""
        record = self.record(HANDSHAKE, message(KEY_UPDATE, bytes([ask])))
        self.mine = self.mine.following()
        return record

    async def close_notify(self):
        await self.write(self.record(ALERT, bytes([1, CLOSE_NOTIFY])))

    def end_tcp(self):
        try:
            if self.writer.can_write_eof():
                self.writer.write_eof()
        except OSError:
            pass

    def abort(self):
        self.writer.transport.abort()

    # ── In ───────────────────────────────────────────────────────────────────────────────────────────────────────────
    async def _exactly(self, count):
        while len(self._unread) < count:
            try:
                data = await self.reader.read(65536)
            except ConnectionError:
                self.fin, self.ended = True, self.ended or tlsstream.RESET
                return None
            if not data:
                self.fin, self.ended = True, self.ended or tlsstream.TRUNCATED
                return None
            self._unread += data
        taken, self._unread = self._unread[:count], self._unread[count:]
        return taken

    async def _record(self):
        """The next record as (content type, content); None at the end."""
        head = await self._exactly(5)
        if head is None:
            return None
        outer, version, length = struct.unpack("!BHH", head)
        check((outer, version) == (DATA, 0x0303), f"a record head of {head.hex()}")
        check(length <= RECORD_BYTES + 256, f"a record of {length} bytes")
        body = await self._exactly(length)
        if body is None:
            return None
        self.lengths.append(length)
        return self.theirs.open(head, body)

    async def receive(self):
        while self.ended is None:
            record = await self._record()
            if record is None:
                break
            kind, content = record
            if kind == DATA and content:
                return content
            if kind == HANDSHAKE:
                await self._post_handshake(content)
            elif kind == ALERT:
                check(len(content) == 2, f"an alert of {len(content)} bytes")
                self.alert = content[1]
                self.ended = tlsstream.CLOSE_NOTIFY if self.alert == CLOSE_NOTIFY else f"alert {ALERTS.get(self.alert, self.alert)}"
                check(self.alert in (CLOSE_NOTIFY, USER_CANCELED) or content[0] == 2, f"an alert of level {content[0]}")
        return b""

    async def _post_handshake(self, content):
        if content[0] == NEW_SESSION_TICKET:
            self.tickets_seen += 1
            return
        check(content[0] == KEY_UPDATE and len(content) == 5 and content[4] <= 1, f"a handshake message {content.hex()}")
        self.updates_seen += 1
        self.generations.append(self.theirs.sequence)
        self.theirs = self.theirs.following()

    async def await_fin(self):
        while not self.fin:
            if await self._exactly(len(self._unread) + 1) is not None:
                raise Failure("bytes behind the end")


# ── Taking over ──────────────────────────────────────────────────────────────────────────────────────────────────────
async def connect(port, suite, log_file, together=None):
    """As a client. `together(records, finished)` sends our Finished itself, with whatever it likes around it."""
    context = prepare(tlsstream.client_context(), suite, log_file)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    stream = tlsstream.TlsStream(reader, writer, context, server_side=False)
    held = bytearray()
    if together:
        _second_flight(stream, held)
    try:
        await asyncio.wait_for(stream.handshake(), 20)
    except BaseException:
        stream.abort()
        raise
    records = Records(stream, suite, log_file, server_side=False)
    if together:
        await together(records, bytes(held))
    return records


def _second_flight(stream, held):
    """Holds back what the client sends behind its ClientHello: change_cipher_spec and Finished."""
    flush, sent = stream.flush, []

    async def holding():
        if sent:
            held.extend(stream.outgoing.read())
        else:
            sent.append(True)
            await flush()
    stream.flush = holding


async def accept(reader, writer, certificates, suite, log_file, behind=None):
    """As a server, which sends no tickets of its own. `behind(records)` makes records that follow our Finished in the same
    segment, before the client's has come."""
    context = prepare(tlsstream.server_context(certificates.cert("server"), certificates.key("server")), suite, log_file)
    context.num_tickets = 0
    stream = tlsstream.TlsStream(reader, writer, context, server_side=True)
    early = []
    if behind:
        _first_flight(stream, lambda: early.append(Records(stream, suite, log_file, True)) or behind(early[0]))
    await asyncio.wait_for(stream.handshake(), 20)
    records = Records(stream, suite, log_file, server_side=True)
    if early:
        records.mine = early[0].mine
    return records


def _first_flight(stream, make):
    sent = []

    async def adding():
        data = stream.outgoing.read()
        if data and not sent:
            sent.append(True)
            data += make()
        stream.writer.write(data)
        await stream.writer.drain()
    stream.flush = adding
