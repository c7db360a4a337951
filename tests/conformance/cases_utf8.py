# SPDX-License-Identifier: Apache-2.0
# RFC 6455 5.6 and 8.1: text is UTF-8 as a whole message, and an impossible byte fails the connection at once.
from conformance.exchange import Pause, cases, row
from conformance.frames import BINARY, CONT, TEXT, Frame, binary, cont, ping, text

NOT_UTF8 = 1007

VALID = {
    "ascii": b"Hello", "nul": b"a\x00b", "two-bytes": "κόσμε".encode(), "three-bytes": "日本語€".encode(),
    "four-bytes": "😀𝄞𐍈".encode(), "u+0080": b"\xc2\x80", "u+07ff": b"\xdf\xbf", "u+0800": b"\xe0\xa0\x80",
    "u+cfff": b"\xec\xbf\xbf", "u+d7ff": b"\xed\x9f\xbf", "u+e000": b"\xee\x80\x80", "u+fffd": b"\xef\xbf\xbd",
    "u+fffe": b"\xef\xbf\xbe", "u+ffff": b"\xef\xbf\xbf", "u+10000": b"\xf0\x90\x80\x80", "u+3ffff": b"\xf0\xbf\xbf\xbf",
    "u+40000": b"\xf1\x80\x80\x80", "u+fffff": b"\xf3\xbf\xbf\xbf", "u+100000": b"\xf4\x80\x80\x80",
    "u+10ffff": b"\xf4\x8f\xbf\xbf", "bom": b"\xef\xbb\xbfbom", "u+fdd0": b"\xef\xb7\x90", "combining": "é̶".encode(),
}

# What stands before the end can still become a character: wrong only when the message ends.
INCOMPLETE = {
    "two-of-1": b"\xc3", "three-of-1": b"\xe2", "three-of-2": b"\xe2\x82", "four-of-1": b"\xf0", "four-of-2": b"\xf0\x9f",
    "four-of-3": b"\xf0\x9f\x98", "e0-a0": b"\xe0\xa0", "ed-9f": b"\xed\x9f", "f4-8f": b"\xf4\x8f", "after-text": b"caf\xc3",
}

# The last byte makes it impossible, whatever follows.
IMPOSSIBLE = {
    "continuation-80": b"\x80", "continuation-bf": b"\xbf", "continuation-after-ascii": b"a\x80",
    "continuation-extra": b"\xc3\xa9\xa9", "c0": b"\xc0", "c1": b"\xc1", "f5": b"\xf5", "f6": b"\xf6", "f8": b"\xf8",
    "fb": b"\xfb", "fc": b"\xfc", "fd": b"\xfd", "fe": b"\xfe", "ff": b"\xff", "overlong-slash-3": b"\xe0\x80",
    "overlong-e0-9f": b"\xe0\x9f", "overlong-slash-4": b"\xf0\x80", "overlong-f0-8f": b"\xf0\x8f",
    "surrogate-d800": b"\xed\xa0", "surrogate-dfff": b"\xed\xbf", "above-10ffff": b"\xf4\x90", "above-f4-bf": b"\xf4\xbf",
    "two-then-ascii": b"\xc3(", "two-then-lead": b"\xc3\xc3", "three-then-ascii": b"\xe2(", "three-then-ascii-late": b"\xe2\x82(",
    "three-then-lead": b"\xe2\x82\xe2", "four-then-ascii": b"\xf0(", "four-then-ascii-2": b"\xf0\x9f(",
    "four-then-ascii-3": b"\xf0\x9f\x98(", "late-in-long-text": b"x" * 130 + b"\xff", "cesu-8": b"\xed\xa0\xbd\xed\xb8\x80"[:2],
    "after-euro": "€".encode() + b"\xed\xa0", "latin-1": b"caf\xe9 ", "utf-16": b"\xff\xfe",
}


def _valid():
    for name, data in VALID.items():
        whole = data.decode()
        yield row(f"5.6-utf8/valid-{name}", "RFC 6455 5.6", f"valid text: {name}", text(data), messages=[whole])
        for cut in range(1, len(data)):
            yield row(f"5.6-utf8/valid-{name}-cut-{cut}", "RFC 6455 5.6",
                      f"valid text: {name}, in two fragments, cut after byte {cut}", text(data[:cut], fin=False),
                      cont(data[cut:]), messages=[whole], splits=("whole",),
                      roles=("server", "client") if name in ("four-bytes", "u+10ffff") else ("server",))
    mixed = "aκ日😀".encode()
    yield row("5.6-utf8/valid-one-byte-fragments", "RFC 6455 5.6", "valid text in fragments of one byte with pings inside",
              *(part for at in range(len(mixed))
                for part in (Frame(TEXT if at == 0 else CONT, mixed[at:at + 1], fin=False), ping(b"%d" % at))),
              cont(), messages=[mixed.decode()], pongs=[b"%d" % at for at in range(len(mixed))])
    long = ("日本語😀κόσμε" * 3000).encode()
    yield row("5.6-utf8/valid-long", "RFC 6455 5.6", "100 KB of characters of all sizes", text(long),
              messages=[long.decode()])
    yield row("5.6-utf8/valid-long-odd-fragments", "RFC 6455 5.6", "100 KB of characters in fragments of 997 bytes",
              *(Frame(TEXT if at == 0 else CONT, long[at:at + 997], fin=at + 997 >= len(long))
                for at in range(0, len(long), 997)), messages=[long.decode()])


def _incomplete():
    for name, data in INCOMPLETE.items():
        yield row(f"8.1-utf8/incomplete-{name}", "RFC 6455 8.1", f"text that ends inside a character: {name}", text(data),
                  fails=NOT_UTF8)
        yield row(f"8.1-utf8/incomplete-fragment-{name}", "RFC 6455 8.1",
                  f"a last fragment that ends inside a character: {name}", text("ok", fin=False), cont(data),
                  fails=NOT_UTF8, splits=("whole",))
        yield row(f"8.1-utf8/incomplete-empty-last-{name}", "RFC 6455 8.1",
                  f"an empty last fragment leaves a character open: {name}", text(data, fin=False), cont(),
                  fails=NOT_UTF8, splits=("whole",))
    yield row("8.1-utf8/incomplete-not-carried-over", "RFC 6455 8.1", "the next message cannot finish a character",
              text(b"\xe2\x82"), text(b"\xac"), fails=NOT_UTF8)


def _impossible():
    for name, data in IMPOSSIBLE.items():
        yield row(f"8.1-utf8/impossible-{name}", "RFC 6455 8.1", f"impossible text: {name}", text(data), fails=NOT_UTF8)
        yield row(f"8.1-utf8/fail-fast-fragment-{name}", "RFC 6455 8.1",
                  f"impossible text fails before the message ends: {name}", text(data, fin=False), fails=NOT_UTF8,
                  splits=("whole",))
        yield row(f"8.1-utf8/fail-fast-frame-{name}", "RFC 6455 8.1",
                  f"impossible text fails before its frame ends: {name}", Frame(TEXT, data, length=len(data) + 100),
                  fails=NOT_UTF8, splits=("whole",))
        if len(data) > 1:
            yield row(f"8.1-utf8/impossible-across-{name}", "RFC 6455 8.1",
                      f"impossible text across two fragments: {name}", text(data[:-1], fin=False),
                      cont(data[-1:], fin=False), fails=NOT_UTF8, splits=("whole",))
    yield row("8.1-utf8/good-message-first", "RFC 6455 8.1", "a good message before a bad one is delivered", text("good"),
              Pause, text(b"\xff"), messages=["good"], fails=NOT_UTF8)


def _binary():
    for name, data in {**IMPOSSIBLE, **INCOMPLETE}.items():
        yield row(f"5.6-binary/{name}", "RFC 6455 5.6", f"a binary message is not checked: {name}", binary(data),
                  messages=[data], splits=("whole",), roles=("server",))
    data = bytes(range(256)) * 4
    yield row("5.6-binary/all-bytes", "RFC 6455 5.6", "all byte values", Frame(BINARY, data), messages=[data])


def all_cases():
    for table in (_valid, _incomplete, _impossible, _binary):
        yield from cases(table())
