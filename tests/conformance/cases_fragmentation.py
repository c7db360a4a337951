# SPDX-License-Identifier: Apache-2.0
# RFC 6455 5.4 and 5.6: messages in fragments of every shape, with control frames inside, and everything out of order;
# the limits of a message's size and number of fragments at, below and above.
from conformance.exchange import Pause, cases, row
from conformance.frames import BINARY, CONT, TEXT, Frame, binary, close, cont, ping, pong, text

PROTOCOL_ERROR, POLICY, TOO_BIG = 1002, 1008, 1009
MEBIBYTE = 1024 * 1024
LIMIT = ("--max-message", str(MEBIBYTE))  # a client's own default is larger
FRAGMENTS = 1024  # Limits::fragments_per_message


def _fragments(opcode, parts):
    last = len(parts) - 1
    return [Frame(opcode if at == 0 else CONT, part, fin=at == last) for at, part in enumerate(parts)]


def _shapes():
    shapes = {
        "two": [b"ab", b"cd"], "three": [b"a", b"b", b"c"], "empty-first": [b"", b"abc"], "empty-middle": [b"a", b"", b"b"],
        "empty-last": [b"abc", b""], "all-empty": [b"", b"", b""], "two-empty": [b"", b""],
        "one-byte-each": [bytes([97 + n % 26]) for n in range(100)], "growing": [b"x" * n for n in range(1, 30)],
        "around-126": [b"a" * 125, b"b" * 126, b"c" * 127], "around-65536": [b"a" * 65535, b"b" * 65536, b"c"],
        "many-empty": [b"a"] + [b""] * 200 + [b"b"],
    }
    for name, parts in shapes.items():
        whole = b"".join(parts)
        yield row(f"5.4-fragments/text-{name}", "RFC 6455 5.4", f"text in fragments: {name}", *_fragments(TEXT, parts),
                  messages=[whole.decode()])
        yield row(f"5.4-fragments/binary-{name}", "RFC 6455 5.4", f"binary in fragments: {name}",
                  *_fragments(BINARY, parts), messages=[whole])
    yield row("5.4-fragments/paused", "RFC 6455 5.4", "fragments that arrive one after the other",
              text("a", fin=False), Pause, cont("b", fin=False), Pause, cont("c"), messages=["abc"], splits=("whole",))
    yield row("5.4-fragments/two-messages", "RFC 6455 5.4", "two fragmented messages in a row",
              *_fragments(TEXT, [b"a", b"b"]), *_fragments(BINARY, [b"c", b"d"]), messages=["ab", b"cd"])
    yield row("5.4-fragments/whole-after-fragmented", "RFC 6455 5.4", "a whole message right after a fragmented one",
              *_fragments(TEXT, [b"a", b"b"]), text("c"), messages=["ab", "c"])


def _control_inside():
    for count in (1, 5):
        parts = [b"%d " % n for n in range(count + 1)]
        steps, pongs = [], []
        for at, frame in enumerate(_fragments(TEXT, parts)):
            steps.append(frame)
            if at < count:
                steps.append(ping(b"p%d" % at))
                pongs.append(b"p%d" % at)
        yield row(f"5.4-control-inside/pings-{count}", "RFC 6455 5.4", f"{count} ping(s) between fragments", *steps,
                  messages=[b"".join(parts).decode()], pongs=pongs)
    yield row("5.4-control-inside/pong-and-ping", "RFC 6455 5.4", "pong and ping between empty fragments",
              binary(b"", fin=False), pong(b"x"), cont(b"", fin=False), ping(b"y"), cont(b"z"), messages=[b"z"],
              pongs=[b"y"])
    yield row("5.4-control-inside/close", "RFC 6455 5.4", "a close inside an unfinished message", text("a", fin=False),
              close(1001, b"going"), closes=(1001, b"going"), partial=b"a")


def _disorder():
    for fin in (True, False):
        name = "final" if fin else "open"
        yield row(f"5.4-order/orphan-{name}", "RFC 6455 5.4", f"a continuation without a start ({name})",
                  cont("orphan", fin=fin), fails=PROTOCOL_ERROR)
        yield row(f"5.4-order/orphan-empty-{name}", "RFC 6455 5.4", f"an empty continuation without a start ({name})",
                  cont("", fin=fin), fails=PROTOCOL_ERROR)
        yield row(f"5.4-order/orphan-after-message-{name}", "RFC 6455 5.4", f"a continuation after a message ({name})",
                  text("whole"), Pause, cont("orphan", fin=fin), messages=["whole"], fails=PROTOCOL_ERROR)
        yield row(f"5.4-order/orphan-after-fragments-{name}", "RFC 6455 5.4",
                  f"a continuation after the last fragment ({name})", text("a", fin=False), cont("b"),
                  Pause, cont("orphan", fin=fin), messages=["ab"], fails=PROTOCOL_ERROR)
        for opcode, kind in [(TEXT, "text"), (BINARY, "binary")]:
            yield row(f"5.4-order/interrupted-by-{kind}-{name}", "RFC 6455 5.4",
                      f"a new {kind} inside an unfinished message ({name})", text("a", fin=False),
                      Frame(opcode, b"b", fin=fin), fails=PROTOCOL_ERROR)
            yield row(f"5.4-order/interrupted-after-ping-by-{kind}-{name}", "RFC 6455 5.4",
                      f"a new {kind} after a ping inside an unfinished message ({name})", binary(b"a", fin=False),
                      ping(b"p"), Frame(opcode, b"", fin=fin), pongs=[b"p"], fails=PROTOCOL_ERROR)
    yield row("5.4-order/interrupted-head", "RFC 6455 5.4", "an interruption fails at its header", text("a", fin=False),
              Frame(TEXT, length=100), fails=PROTOCOL_ERROR)
    yield row("5.4-order/orphan-head", "RFC 6455 5.4", "an orphan fails at its header", Frame(CONT, length=100),
              fails=PROTOCOL_ERROR)


def _limits():
    exact, over = b"m" * MEBIBYTE, b"m" * (MEBIBYTE + 1)
    yield row("10.4-limits/message-at", "RFC 6455 10.4", "a message of exactly the limit (1 MiB)", text(exact),
              messages=[exact.decode()])
    yield row("10.4-limits/message-over", "RFC 6455 10.4", "a message of one byte more", text(over), fails=TOO_BIG, client_flags=LIMIT)
    yield row("10.4-limits/message-over-head", "RFC 6455 10.4", "a frame of one byte more is refused at its header",
              Frame(BINARY, length=MEBIBYTE + 1), fails=TOO_BIG, client_flags=LIMIT)
    half = b"h" * (MEBIBYTE // 2)
    yield row("10.4-limits/fragments-at", "RFC 6455 10.4", "fragments that sum up to exactly the limit",
              *_fragments(BINARY, [half, half]), messages=[half + half])
    yield row("10.4-limits/fragments-at-then-empty", "RFC 6455 10.4", "fragments up to the limit and an empty last one",
              *_fragments(BINARY, [half, half, b""]), messages=[half + half])
    yield row("10.4-limits/fragments-over", "RFC 6455 10.4", "fragments that sum up to one byte more",
              *_fragments(BINARY, [half, half, b"x"]), fails=TOO_BIG, client_flags=LIMIT)
    yield row("10.4-limits/fragments-over-head", "RFC 6455 10.4", "the fragment that would pass the limit, at its header",
              binary(half, fin=False), cont(half, fin=False), Frame(CONT, length=1, fin=False), fails=TOO_BIG, client_flags=LIMIT)
    for name, part in [("empty", b""), ("one-byte", b"f")]:
        yield row(f"10.4-limits/count-at-{name}", "RFC 6455 10.4", f"{FRAGMENTS} {name} fragments",
                  *_fragments(BINARY, [part] * FRAGMENTS), messages=[part * FRAGMENTS])
        yield row(f"10.4-limits/count-over-{name}", "RFC 6455 10.4", f"{FRAGMENTS + 1} {name} fragments",
                  *_fragments(BINARY, [part] * (FRAGMENTS + 1)), fails={POLICY, TOO_BIG})
    yield row("10.4-limits/count-per-message", "RFC 6455 10.4", "the count of fragments starts anew with each message",
              *_fragments(TEXT, [b"a"] * 800), *_fragments(TEXT, [b"b"] * 800), messages=["a" * 800, "b" * 800])


def all_cases():
    for table in (_shapes, _control_inside, _disorder, _limits):
        yield from cases(table())
