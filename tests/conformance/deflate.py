# SPDX-License-Identifier: Apache-2.0
# RFC 7692 for the raw peer: what was agreed on, a compressor that keeps to it, and messages that were compressed.
import dataclasses
import random
import zlib

from conformance.frames import BINARY, CONT, TEXT, Frame
from support.suite import check

NAME = "permessage-deflate"
OFFER = "permessage-deflate; client_max_window_bits"
ANSWER = "permessage-deflate; server_no_context_takeover"  # a client that offers this insists on it
TAIL = b"\0\0\xff\xff"
RSV1 = 4
NO_MATCHES = zlib.Z_HUFFMAN_ONLY


def field(value):
    return f"Sec-WebSocket-Extensions: {value}"


@dataclasses.dataclass
class Agreement:
    """The parameters of an answer: "client" and "server" say whose messages they bind."""
    server_takeover: bool = True
    client_takeover: bool = True
    server_bits: int = 15
    client_bits: int = 15
    parameters: dict = dataclasses.field(default_factory=dict)

    @classmethod
    def of(cls, head):
        """Reads the answer of a server, strictly (RFC 7692 7.1)."""
        values = head.all("sec-websocket-extensions")
        check(len(values) == 1, f"expected one accepted extension, got {values}")
        name, *rest = [part.strip() for part in values[0].split(";")]
        check(name == NAME, f"expected {NAME}, got {values[0]!r}")
        known = {}
        for part in rest:
            key, _, value = (piece.strip() for piece in part.partition("="))
            check(key not in known, f"the answer repeats {key}: {values[0]!r}")
            known[key] = value.strip('"') if "=" in part else None
        for key, value in known.items():
            if key in ("server_no_context_takeover", "client_no_context_takeover"):
                check(value is None, f"{key} has a value: {values[0]!r}")
            elif key in ("server_max_window_bits", "client_max_window_bits"):
                check(value in {str(bits) for bits in range(8, 16)}, f"{key} is not 8..15: {values[0]!r}")
            else:
                check(False, f"an unknown parameter in the answer: {values[0]!r}")
        return cls("server_no_context_takeover" not in known, "client_no_context_takeover" not in known,
                   int(known.get("server_max_window_bits", 15)), int(known.get("client_max_window_bits", 15)), known)

    def receive_with(self, peer):
        """Tells our end how strictly to read what comes."""
        if peer.masks:
            peer.use_deflate(self.server_bits, self.server_takeover)
        else:
            peer.use_deflate(self.client_bits, self.client_takeover)

    def compressor(self, for_client):
        return Compressor(self.client_bits if for_client else self.server_bits,
                          self.client_takeover if for_client else self.server_takeover)


class Compressor:
    """Raw DEFLATE within a window. zlib cannot compress within 8 bits; then nothing refers back at all."""

    def __init__(self, bits=15, takeover=True, level=6):
        self.bits, self.takeover, self.level = bits, takeover, level
        self._new()

    def _new(self):
        strategy = NO_MATCHES if self.bits == 8 else zlib.Z_DEFAULT_STRATEGY
        self._state = zlib.compressobj(self.level, zlib.DEFLATED, -max(self.bits, 9), 8, strategy)

    def __call__(self, data):
        if not self.takeover:
            self._new()
        packed = self._state.compress(data) + self._state.flush(zlib.Z_SYNC_FLUSH)
        return packed[:-4]


def packed(data, **options):
    return Compressor(takeover=False, **options)(data.encode() if isinstance(data, str) else data)


def frame(opcode, payload, **options):
    """The first (or only) frame of a compressed message; the payload is compressed already."""
    return Frame(opcode, payload, rsv=RSV1, **options)


def fragments(opcode, payload, cuts):
    """A compressed payload cut at these places."""
    edges = [0, *cuts, len(payload)]
    parts = [payload[a:b] for a, b in zip(edges, edges[1:])]
    return [Frame(opcode if at == 0 else CONT, part, rsv=RSV1 if at == 0 else 0, fin=at == len(parts) - 1)
            for at, part in enumerate(parts)]


def telling_data(length=30000, seed=7):
    """Text whose repetitions lie near and far, so that a wrong window or a lost context shows."""
    chance = random.Random(seed)
    words = ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=chance.randint(3, 12))) for _ in range(400)]
    near = " ".join(chance.choices(words, k=length // 8))
    return (near[:length // 2] + " 日本 " + near[:length // 3]).encode()


def bomb(plain_bytes, byte=b"\0"):
    """A compressed payload that inflates to this many bytes; a full flush makes each block the same bytes."""
    block = 1 << 20
    state = zlib.compressobj(9, zlib.DEFLATED, -15)
    one = state.compress(byte * block) + state.flush(zlib.Z_FULL_FLUSH)
    state = zlib.compressobj(9, zlib.DEFLATED, -15)
    rest = state.compress(byte * (plain_bytes % block)) + state.flush(zlib.Z_SYNC_FLUSH)
    return one * (plain_bytes // block) + rest[:-4]


__all__ = ["BINARY", "TEXT", "Agreement", "Compressor", "bomb", "field", "fragments", "frame", "packed", "telling_data"]
