# SPDX-License-Identifier: Apache-2.0
# RFC 6455 5 by hand: frames as bytes, legal ones and every kind of illegal one, and a strict reader for what comes back.
import dataclasses
import os
import struct

CONT, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
NAMES = {CONT: "continuation", TEXT: "text", BINARY: "binary", CLOSE: "close", PING: "ping", PONG: "pong"}
AUTO = "auto"


def mask_bytes(payload, key):
    """XOR with the key (5.3), as one big integer: fast enough for 64 MiB."""
    if not payload:
        return b""
    repeated = (key * (len(payload) // 4 + 1))[:len(payload)]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(repeated, "big")).to_bytes(len(payload), "big")


def masked(payload, key, block=1024 * 1024):
    if len(payload) <= block:
        return mask_bytes(payload, key)
    return b"".join(mask_bytes(payload[at:at + block], key) for at in range(0, len(payload), block))


@dataclasses.dataclass(frozen=True)
class Frame:
    """A frame to send, illegal in any way one likes.

    `mask`: AUTO = as the sender's role demands, None = unmasked, 4 bytes = that key.
    `length`: what the header declares instead of the payload's length; `width`: 7, 16 or 64 bits for the length.
    """
    opcode: int
    payload: bytes = b""
    fin: bool = True
    rsv: int = 0
    mask: object = AUTO
    length: int | None = None
    width: int | None = None

    def encode(self, masks):
        key = self.mask
        if key is AUTO:
            key = os.urandom(4) if masks else None
        elif key == "wrong":
            key = None if masks else os.urandom(4)
        first = (0x80 if self.fin else 0) | self.rsv << 4 | self.opcode
        head = bytes([first]) + self._length(0x80 if key is not None else 0)
        if key is None:
            return head + self.payload
        return head + key + masked(self.payload, key)

    def _length(self, mask_bit):
        length = len(self.payload) if self.length is None else self.length
        width = self.width or (7 if length <= 125 else 16 if length <= 65535 else 64)
        if width == 7:
            return bytes([mask_bit | length])
        if width == 16:
            return struct.pack("!BH", mask_bit | 126, length)
        return struct.pack("!BQ", mask_bit | 127, length)


def text(payload, **options):
    return Frame(TEXT, payload.encode() if isinstance(payload, str) else payload, **options)


def binary(payload, **options):
    return Frame(BINARY, payload, **options)


def cont(payload=b"", **options):
    return Frame(CONT, payload.encode() if isinstance(payload, str) else payload, **options)


def ping(payload=b"", **options):
    return Frame(PING, payload, **options)


def pong(payload=b"", **options):
    return Frame(PONG, payload, **options)


def close(code=None, reason=b"", **options):
    body = b"" if code is None else struct.pack("!H", code) + reason
    return Frame(CLOSE, body, **options)


@dataclasses.dataclass
class Received:
    opcode: int
    payload: bytes
    fin: bool
    rsv: int
    key: bytes | None  # None: it was not masked

    @property
    def code(self):
        """The close code of a close frame; 1005 when its body is empty."""
        return struct.unpack("!H", self.payload[:2])[0] if len(self.payload) >= 2 else 1005

    @property
    def reason(self):
        return self.payload[2:]

    def __str__(self):
        name = NAMES.get(self.opcode, f"opcode {self.opcode}")
        if self.opcode == CLOSE:
            return f"close {self.code} {self.reason!r}"
        return f"{name}{'' if self.fin else ' (not final)'} of {len(self.payload)} bytes {self.payload[:40]!r}"


class BadFrame(Exception):
    """The binary under test sent what RFC 6455 forbids."""


class FrameReader:
    """Bytes in, frames out; refuses each violation of section 5 by the sender. `from_client`: whether masks are due."""

    def __init__(self, from_client, allow_rsv1=False):
        self.from_client, self.allow_rsv1 = from_client, allow_rsv1
        self.buffer = bytearray()
        self.open_message = False

    def feed(self, data):
        self.buffer += data

    def next(self):
        """One frame, or None while it is not complete."""
        buffer = self.buffer
        if len(buffer) < 2:
            return None
        length, at = buffer[1] & 0x7F, 2
        if length == 126:
            if len(buffer) < 4:
                return None
            length, at = struct.unpack_from("!H", buffer, 2)[0], 4
            self._require(length > 125, "a length that is not minimal")
        elif length == 127:
            if len(buffer) < 10:
                return None
            length, at = struct.unpack_from("!Q", buffer, 2)[0], 10
            self._require(65535 < length < 1 << 63, "a 64-bit length that is not minimal or has its top bit set")
        masked_frame = bool(buffer[1] & 0x80)
        end = at + (4 if masked_frame else 0) + length
        if len(buffer) < end:
            return None
        key = bytes(buffer[at:at + 4]) if masked_frame else None
        payload = bytes(buffer[end - length:end])
        frame = Received(buffer[0] & 0xF, masked(payload, key) if key else payload, bool(buffer[0] & 0x80),
                         buffer[0] >> 4 & 7, key)
        del buffer[:end]
        self._judge(frame)
        return frame

    def _judge(self, frame):
        self._require((frame.key is not None) == self.from_client,
                      "an unmasked frame from a client" if self.from_client else "a masked frame from a server")
        self._require(frame.opcode in NAMES, f"reserved opcode {frame.opcode}")
        first_data = frame.opcode in (TEXT, BINARY)
        self._require(frame.rsv == 0 or (frame.rsv == 4 and self.allow_rsv1 and first_data),
                      f"reserved bits {frame.rsv} on {frame}")
        if frame.opcode >= CLOSE:
            self._require(frame.fin, f"a fragmented control frame: {frame}")
            self._require(len(frame.payload) <= 125, f"a control frame of {len(frame.payload)} bytes")
            self._require(frame.opcode != CLOSE or len(frame.payload) != 1, "a close frame with a body of one byte")
            return
        self._require(first_data != self.open_message, f"a {frame} out of order")
        self.open_message = not frame.fin

    @staticmethod
    def _require(condition, complaint):
        if not condition:
            raise BadFrame(f"the binary sent {complaint}")
