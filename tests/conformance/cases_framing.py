# SPDX-License-Identifier: Apache-2.0
# RFC 6455 5.1–5.3 and 5.5: lengths, masks, reserved bits, opcodes and control frames, legal and illegal, in both roles.
from conformance.exchange import CLIENT, SERVER, Pause, cases, row
from conformance.frames import (BINARY, CLOSE, CONT, NAMES, PING, PONG, TEXT, Frame, binary, close, cont, ping,
                                pong, text)

PROTOCOL_ERROR, TOO_BIG = 1002, 1009


def _pattern(length):
    return bytes(97 + at % 26 for at in range(length))


def _lengths():
    for length in (0, 1, 2, 124, 125, 126, 127, 128, 255, 256, 1000, 4096, 16383, 16384, 16385, 65534, 65535, 65536,
                   65537, 131072, 1048575, 1048576):
        payload = _pattern(length)
        yield row(f"5.2-length/text-{length}", "RFC 6455 5.2", f"text of {length} bytes", text(payload),
                  messages=[payload.decode()])
        yield row(f"5.2-length/binary-{length}", "RFC 6455 5.2", f"binary of {length} bytes", binary(payload),
                  messages=[payload])
    for width, declared in [(16, 0), (16, 1), (16, 125), (64, 0), (64, 125), (64, 126), (64, 65535)]:
        for opcode in (TEXT, BINARY):
            yield row(f"5.2-length/not-minimal-{NAMES[opcode]}-{width}-{declared}", "RFC 6455 5.2",
                      f"{declared} as a {width}-bit length is not minimal",
                      Frame(opcode, _pattern(declared), width=width), fails=PROTOCOL_ERROR)
        yield row(f"5.2-length/not-minimal-head-{width}-{declared}", "RFC 6455 5.2",
                  f"{declared} as a {width}-bit length fails at the header", Frame(BINARY, length=declared, width=width),
                  fails=PROTOCOL_ERROR)
    for name, length in [("2^63", 1 << 63), ("2^64-1", (1 << 64) - 1), ("2^63+5", (1 << 63) + 5),
                         ("2^63+2^31", (1 << 63) + (1 << 31))]:
        yield row(f"5.2-length/msb-{name}", "RFC 6455 5.2", f"length {name} has its top bit set",
                  Frame(BINARY, length=length), fails={PROTOCOL_ERROR, TOO_BIG})
    for name, length in [("2^31-1", (1 << 31) - 1), ("2^31", 1 << 31), ("2^32-1", (1 << 32) - 1), ("2^32", 1 << 32),
                         ("2^32+5", (1 << 32) + 5), ("2^40", 1 << 40), ("2^53", 1 << 53), ("2^62", 1 << 62),
                         ("2^63-1", (1 << 63) - 1)]:
        yield row(f"5.2-length/huge-{name}", "RFC 6455 5.2", f"a declared length of {name} is refused at the header",
                  Frame(BINARY, length=length), fails=TOO_BIG)
        yield row(f"5.2-length/huge-continuation-{name}", "RFC 6455 5.2",
                  f"a continuation of declared length {name} is refused at the header",
                  text("a", fin=False), Frame(CONT, length=length), fails=TOO_BIG)


def _masks():
    for opcode in NAMES:
        payload = b"\x03\xe8" if opcode == CLOSE else b"mask"
        before = (text("a", fin=False),) if opcode == CONT else ()
        frame = Frame(opcode, payload, mask="wrong")
        yield row(f"5.1-mask/unmasked-{NAMES[opcode]}", "RFC 6455 5.1", f"an unmasked {NAMES[opcode]} to a server",
                  *before, frame, fails=PROTOCOL_ERROR, roles=(SERVER,))
        yield row(f"5.1-mask/masked-{NAMES[opcode]}", "RFC 6455 5.1", f"a masked {NAMES[opcode]} to a client",
                  *before, frame, fails=PROTOCOL_ERROR, roles=(CLIENT,))
        yield row(f"5.1-mask/empty-wrong-{NAMES[opcode]}", "RFC 6455 5.1",
                  f"an empty {NAMES[opcode]} with the mask bit of the other role", *before,
                  Frame(opcode, mask="wrong"), fails=PROTOCOL_ERROR)
    for key in (b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x01\x02\x03\x04", b"\0\0\0\x01", b"\x80\0\0\0"):
        yield row(f"5.3-mask/key-{key.hex()}", "RFC 6455 5.3", f"any key unmasks: {key.hex()}",
                  text("masked by a given key", mask=key),
                  binary(_pattern(1031), mask=key), messages=["masked by a given key", _pattern(1031)], roles=(SERVER,))
    for length in range(1, 40):
        yield row(f"5.3-mask/tail-{length}", "RFC 6455 5.3", f"unmasking of {length} bytes, first in its record",
                  text(_pattern(length)), text("after"), messages=[_pattern(length).decode(), "after"],
                  roles=(SERVER,), splits=("whole",))
    yield row("5.3-mask/new-key-each-fragment", "RFC 6455 5.3", "each fragment has a key of its own",
              text("ab", fin=False, mask=b"1234"), cont("cd", fin=False, mask=b"\0\0\0\0"),
              cont("ef", mask=b"\xff\0\xff\0"), messages=["abcdef"], roles=(SERVER,))


def _reserved_bits():
    for opcode in NAMES:
        before = (text("a", fin=False),) if opcode == CONT else ()
        payload = b"\x03\xe8" if opcode == CLOSE else b"rsv"
        for rsv in range(1, 8):
            yield row(f"5.2-rsv/{rsv}-{NAMES[opcode]}", "RFC 6455 5.2",
                      f"reserved bits {rsv:03b} on a {NAMES[opcode]} without an extension", *before,
                      Frame(opcode, payload, rsv=rsv), fails=PROTOCOL_ERROR,
                      splits=("whole", "bytewise") if rsv == 4 else ("whole",))
    yield row("5.2-rsv/after-message", "RFC 6455 5.2", "a good message, then reserved bits, then a ping that is not read",
              text("good"), Pause, text("bad", rsv=2), ping(b"late"), messages=["good"], fails=PROTOCOL_ERROR)


def _opcodes():
    for opcode in (3, 4, 5, 6, 7, 0xB, 0xC, 0xD, 0xE, 0xF):
        for name, frame in [("empty", Frame(opcode)), ("payload", Frame(opcode, b"reserved")),
                            ("not-final", Frame(opcode, b"r", fin=False)), ("head", Frame(opcode, length=100))]:
            yield row(f"5.2-opcode/{opcode:x}-{name}", "RFC 6455 5.2", f"reserved opcode {opcode:#x}, {name}", frame,
                      fails=PROTOCOL_ERROR, splits=("whole", "bytewise") if name == "payload" else ("whole",))
        yield row(f"5.2-opcode/{opcode:x}-inside-message", "RFC 6455 5.4",
                  f"reserved opcode {opcode:#x} inside a fragmented message", text("a", fin=False), Frame(opcode),
                  fails=PROTOCOL_ERROR, splits=("whole",))


def _control_frames():
    for opcode in (CLOSE, PING, PONG):
        name = NAMES[opcode]
        yield row(f"5.5-control/{name}-126", "RFC 6455 5.5", f"a {name} of 126 bytes",
                  Frame(opcode, b"\x03\xe8" + b"x" * 124), fails=PROTOCOL_ERROR)
        yield row(f"5.5-control/{name}-65536", "RFC 6455 5.5", f"a {name} of 65,536 bytes fails at the header",
                  Frame(opcode, length=65536), fails=PROTOCOL_ERROR)
        for width, length in [(16, 126), (64, 65536), (16, 5), (64, 5)]:
            yield row(f"5.5-control/{name}-width-{width}-{length}", "RFC 6455 5.5",
                      f"a {name} with a {width}-bit length of {length}", Frame(opcode, width=width, length=length),
                      fails=PROTOCOL_ERROR)
        yield row(f"5.5-control/{name}-fragmented", "RFC 6455 5.5", f"a fragmented {name}",
                  Frame(opcode, b"\x03\xe8", fin=False), fails=PROTOCOL_ERROR)
        yield row(f"5.5-control/{name}-fragmented-empty", "RFC 6455 5.5", f"an empty {name} without FIN",
                  Frame(opcode, fin=False), cont(), fails=PROTOCOL_ERROR)
        yield row(f"5.5-control/{name}-fragmented-inside", "RFC 6455 5.5", f"a fragmented {name} inside a message",
                  text("a", fin=False), Frame(opcode, b"", fin=False), fails=PROTOCOL_ERROR)


def _pings():
    for length in (0, 1, 4, 124, 125):
        payload = _pattern(length)
        yield row(f"5.5.2-ping/{length}", "RFC 6455 5.5.2", f"a ping of {length} bytes is echoed", ping(payload),
                  pongs=[payload])
    yield row("5.5.2-ping/not-utf8", "RFC 6455 5.5.2", "a ping's payload is bytes, not text", ping(b"\xfe\xff\x00\xc0"),
              pongs=[b"\xfe\xff\x00\xc0"])
    yield row("5.5.2-ping/ten", "RFC 6455 5.5.2", "ten pings at once, ten pongs in order",
              *(ping(b"%d" % n) for n in range(10)), pongs=[b"%d" % n for n in range(10)])
    yield row("5.5.2-ping/between-messages", "RFC 6455 5.5.2", "pings between messages", text("one"), ping(b"1"),
              text("two"), ping(b"2"), messages=["one", "two"], pongs=[b"1", b"2"])
    yield row("5.5.2-ping/inside-message", "RFC 6455 5.4", "a ping inside a fragmented message",
              text("frag", fin=False), ping(b"in"), cont("ment"), messages=["fragment"], pongs=[b"in"])
    yield row("5.5.2-ping/answered-inside-message", "RFC 6455 5.4", "a ping inside a message that stays open",
              text("frag", fin=False), ping(b"now"), pongs=[b"now"], partial=b"frag")
    yield row("5.5.2-ping/before-close", "RFC 6455 5.5.2", "a ping right before the close frame", ping(b"last"),
              close(1000), pongs=[b"last"], closes=(1000, b""))
    yield row("5.5.3-pong/unsolicited", "RFC 6455 5.5.3", "unsolicited pongs have no answer", pong(), pong(b"hello"),
              pong(b"\xff" * 125), text("still here"), messages=["still here"])
    yield row("5.5.3-pong/inside-message", "RFC 6455 5.5.3", "a pong inside a fragmented message",
              binary(b"a", fin=False), pong(b"x"), cont(b"b"), messages=[b"ab"])
    yield row("5.5.3-pong/then-ping", "RFC 6455 5.5.3", "an unsolicited pong, then a ping", pong(b"same"), ping(b"same"),
              pongs=[b"same"])


def all_cases():
    for table in (_lengths, _masks, _reserved_bits, _opcodes, _control_frames, _pings):
        yield from cases(table())
