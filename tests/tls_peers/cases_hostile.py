# SPDX-License-Identifier: Apache-2.0
# Records that break RFC 8446, from a peer that has the keys: each must bring the alert that it names and the end of the
# connection, in both roles, and nothing of a bad record may come out.
import dataclasses
import struct

from conformance import frames
from support.suite import Book, expect
from tls_peers import records, stacks, talk
from tls_peers.by_hand import CANARY, OurClient, expect_alert, our_server
from tls_peers.records import ALERT, CHANGE_CIPHER_SPEC, DATA, HANDSHAKE, KEY_UPDATE, NEW_SESSION_TICKET, TAG_BYTES, extension, message

book = Book()
EARLY_DATA, KEY_SHARE = 42, 51
UNEXPECTED, BAD_MAC, OVERFLOW, ILLEGAL, DECODE = 10, 20, 22, 47, 50
FAILED_STATUSES = {9, 14}  # what cli/exit_status.h promises: TLS failed, or the connection broke
SUITES = (stacks.AES_128, stacks.CHACHA)


@dataclasses.dataclass(frozen=True)
class Attack:
    """`make(stream)` gives the bytes to send; any of `alerts` is right where the RFC leaves a choice."""

    name: str
    section: str
    title: str
    alerts: frozenset
    make: object
    roles: tuple = ("server", "client")  # of the binary
    openssl: bool = True  # false: OpenSSL's record layer is more generous than the RFC here


ATTACKS = []


def attack(name, section, title, *alerts, **options):
    def keep(function):
        ATTACKS.append(Attack(name, f"RFC 8446 {section}", title, frozenset(alerts), function, **options))
        return function
    return keep


def _canary(stream):
    return frames.text(CANARY).encode(stream.role == "client")


# ── The record itself ────────────────────────────────────────────────────────────────────────────────────────────────
def _flipped(at):
    def make(stream):
        record = bytearray(stream.record(DATA, _canary(stream)))
        record[at] ^= 1
        return bytes(record)
    return make


for _name, _at in (("tag-last", -1), ("tag-first", -TAG_BYTES), ("content-first", 5), ("content-type", -TAG_BYTES - 1)):
    attack(f"flipped-{_name}", "5.2", f"one bit of the record is wrong ({_name})", BAD_MAC)(_flipped(_at))


@attack("replayed", "5.3", "the same record twice", BAD_MAC)
def replayed(stream):
    record = stream.record(DATA, b"")
    return record + record


@attack("skipped", "5.3", "a record is left out", BAD_MAC)
def skipped(stream):
    stream.record(DATA, b"x")
    return stream.record(DATA, _canary(stream))


@attack("wrong-key", "5.2", "sealed with the key of the next generation", BAD_MAC)
def wrong_key(stream):
    stream.mine = stream.mine.following()
    return stream.record(DATA, _canary(stream))


@attack("old-key", "4.6.3", "sealed with the old key behind a KeyUpdate", BAD_MAC)
def old_key(stream):
    old = stream.mine
    update = stream.key_update()
    return update + old.seal(_canary(stream) + bytes([DATA]))


@attack("short", "5.2", "a record that is shorter than a tag", BAD_MAC, DECODE, UNEXPECTED)
def short(stream):
    return struct.pack("!BHH", DATA, 0x0303, TAG_BYTES - 1) + bytes(TAG_BYTES - 1)


@attack("only-tag", "5.2", "a record with a tag and nothing in it", BAD_MAC, DECODE, UNEXPECTED)
def only_tag(stream):
    return stream.mine.seal(b"")


@attack("length-zero", "5.2", "a record of length 0", BAD_MAC, DECODE, UNEXPECTED)
def length_zero(stream):
    return struct.pack("!BHH", DATA, 0x0303, 0)


@attack("head-too-long", "5.2", "a head that announces more than 2^14 + 256", OVERFLOW)
def head_too_long(stream):
    return struct.pack("!BHH", DATA, 0x0303, records.RECORD_BYTES + 257)


@attack("head-longest", "5.2", "a head that announces 65535", OVERFLOW)
def head_longest(stream):
    return struct.pack("!BHH", DATA, 0x0303, 65535)


@attack("inner-too-long", "5.4", "a plaintext of 2^14 + 1, well sealed", OVERFLOW)
def inner_too_long(stream):
    return stream.record(DATA, bytes(records.RECORD_BYTES + 1))


@attack("padding-too-long", "5.4", "content and padding above 2^14 together", OVERFLOW, openssl=False)
def padding_too_long(stream):
    return stream.record(DATA, b"x" * 100, padding=records.RECORD_BYTES)


@attack("all-zero", "5.4", "an inner plaintext of zeros alone", UNEXPECTED)
def all_zero(stream):
    return stream.mine.seal(bytes(100))


@attack("all-zero-longest", "5.4", "the longest inner plaintext of zeros alone", UNEXPECTED)
def all_zero_longest(stream):
    return stream.mine.seal(bytes(records.RECORD_BYTES + 1))


@attack("one-zero", "5.4", "an inner plaintext of one zero", UNEXPECTED)
def one_zero(stream):
    return stream.mine.seal(b"\0")


# Types of DTLS, of heartbeats, and what nobody knows.
for _type in (1, 19, 24, 25, 26, 255):
    def _unknown(stream, kind=_type):
        return stream.record(kind, b"\1\2\3")
    attack(f"inner-type-{_type}", "5", f"inner content type {_type}", UNEXPECTED)(_unknown)


# ── What is not protected ────────────────────────────────────────────────────────────────────────────────────────────
@attack("change-cipher-spec", "5", "change_cipher_spec behind the handshake", UNEXPECTED)
def change_cipher_spec(stream):
    return struct.pack("!BHH", CHANGE_CIPHER_SPEC, 0x0303, 1) + b"\1"


@attack("change-cipher-spec-sealed", "5", "change_cipher_spec in a protected record", UNEXPECTED)
def change_cipher_spec_sealed(stream):
    return stream.record(CHANGE_CIPHER_SPEC, b"\1")


for _outer, _title in ((ALERT, "alert"), (HANDSHAKE, "handshake"), (0, "type 0"), (24, "type 24"), (255, "type 255")):
    def _cleartext(stream, kind=_outer):
        return struct.pack("!BHH", kind, 0x0303, 2) + b"\1\0"
    attack(f"cleartext-{_outer}", "5.1", f"a record in cleartext: {_title}", UNEXPECTED, BAD_MAC, DECODE, ILLEGAL)(_cleartext)


@attack("cleartext-long-handshake", "5.1", "a handshake message in cleartext, as long as a sealed one", UNEXPECTED, BAD_MAC)
def cleartext_long_handshake(stream):
    return struct.pack("!BHH", HANDSHAKE, 0x0303, 64) + message(KEY_UPDATE, b"\0") + bytes(59)


# ── Alerts ───────────────────────────────────────────────────────────────────────────────────────────────────────────
for _length in (1, 3, 4):
    def _alert_of(stream, length=_length):
        return stream.record(ALERT, b"\1\0\1\0"[:length])
    attack(f"alert-{_length}", "6", f"an alert of {_length} bytes", DECODE, UNEXPECTED)(_alert_of)


@attack("alert-empty", "5.4", "an alert of no bytes", UNEXPECTED, DECODE)
def alert_empty(stream):
    return stream.record(ALERT, b"")


# ── Handshake messages ───────────────────────────────────────────────────────────────────────────────────────────────
@attack("handshake-empty", "5.4", "a handshake record of no bytes", UNEXPECTED, DECODE)
def handshake_empty(stream):
    return stream.record(HANDSHAKE, b"")


@attack("interleaved", "5.1", "data between the halves of a handshake message", UNEXPECTED)
def interleaved(stream):
    update = message(KEY_UPDATE, b"\0")
    return stream.record(HANDSHAKE, update[:3]) + stream.record(DATA, _canary(stream)) + stream.record(HANDSHAKE, update[3:])


@attack("interleaved-alert", "5.1", "an alert between the halves of a handshake message", UNEXPECTED)
def interleaved_alert(stream):
    update = message(KEY_UPDATE, b"\0")
    return stream.record(HANDSHAKE, update[:3]) + stream.record(ALERT, b"\1\x5a") + stream.record(HANDSHAKE, update[3:])


for _value in (2, 255):
    def _update(stream, value=_value):
        return stream.record(HANDSHAKE, message(KEY_UPDATE, bytes([value])))
    attack(f"key-update-{_value}", "4.6.3", f"KeyUpdate with the value {_value}", ILLEGAL)(_update)


@attack("key-update-empty", "4.6.3", "KeyUpdate without a value", DECODE)
def key_update_empty(stream):
    return stream.record(HANDSHAKE, message(KEY_UPDATE, b""))


@attack("key-update-long", "4.6.3", "KeyUpdate with two values", DECODE, ILLEGAL, UNEXPECTED)
def key_update_long(stream):
    return stream.record(HANDSHAKE, message(KEY_UPDATE, b"\0\0"))


@attack("key-update-not-last", "5.1", "a KeyUpdate with another message behind it in the record", UNEXPECTED)
def key_update_not_last(stream):
    update = message(KEY_UPDATE, b"\0")
    return stream.record(HANDSHAKE, update + update)


@attack("key-update-half-behind", "5.1", "a KeyUpdate with the first bytes of another behind it", UNEXPECTED)
def key_update_half_behind(stream):
    update = message(KEY_UPDATE, b"\1")
    return stream.record(HANDSHAKE, update + update[:2])


@attack("message-too-long", "4", "a handshake message that announces 2^24 - 1", UNEXPECTED, ILLEGAL, DECODE, OVERFLOW)
def message_too_long(stream):
    return stream.record(HANDSHAKE, bytes([KEY_UPDATE]) + b"\xff\xff\xff" + bytes(100))


TO_BOTH = {0: "hello_request", 2: "server_hello", 3: "type 3", 8: "encrypted_extensions", 11: "certificate",
           15: "certificate_verify", 20: "finished", 22: "certificate_status", 23: "type 23", 254: "message_hash", 255: "type 255"}
for _kind, _title in TO_BOTH.items():
    def _stray(stream, kind=_kind):
        return stream.record(HANDSHAKE, message(kind, bytes(32)))
    attack(f"message-{_kind}", "4", f"{_title} behind the handshake", UNEXPECTED)(_stray)

# TLS 1.3 has no renegotiation (4.1.2), and the client has sent no post_handshake_auth (4.6.2).
for _kind, _title, _section, _role in ((1, "client_hello", "4.1.2", "server"), (5, "end_of_early_data", "4.5", "server"),
                                       (4, "new_session_ticket from a client", "4.6.1", "server"),
                                       (13, "certificate_request from a client", "4.6.2", "server"),
                                       (13, "certificate_request without post_handshake_auth", "4.6.2", "client"),
                                       (1, "client_hello from a server", "4", "client"),
                                       (5, "end_of_early_data from a server", "4", "client")):
    def _one_way(stream, kind=_kind):
        bodies = {13: b"\0" + b"\0\x08" + b"\0\x0d\0\4\0\2\4\3"}
        return stream.record(HANDSHAKE, message(kind, bodies.get(kind, bytes(0 if kind == 5 else 64))))
    attack(f"message-{_kind}", _section, _title, UNEXPECTED, roles=(_role,))(_one_way)


@attack("ticket-cut", "4.6.1", "a ticket that ends within its fields", DECODE, roles=("client",))
def ticket_cut(stream):
    return stream.record(HANDSHAKE, message(NEW_SESSION_TICKET, bytes(9)))


@attack("ticket-lengths", "4.6.1", "a ticket whose lengths contradict each other", DECODE, roles=("client",))
def ticket_lengths(stream):
    body = struct.pack("!II", 7200, 1) + b"\x08" + bytes(8) + struct.pack("!H", 5000) + bytes(32) + struct.pack("!H", 0)
    return stream.record(HANDSHAKE, message(NEW_SESSION_TICKET, body))


# OpenSSL looks for a second one only among those that it knows.
for _name, _title, _alerts, _extensions, _said, _options in (
        ("longer", "the extensions of a ticket end behind it", (DECODE,), extension(0xaaaa, b"data"), 100, {}),
        ("shorter", "bytes behind the extensions of a ticket", (DECODE,), extension(0xaaaa, b"data"), 6, {}),
        ("cut", "an extension of a ticket that is longer than all of them", (DECODE,), struct.pack("!HH", 0xaaaa, 500), None, {}),
        ("half", "the extensions of a ticket end within a type", (DECODE,), extension(0xaaaa) + b"\0", None, {}),
        ("early-data-empty", "early_data without its size", (DECODE,), extension(EARLY_DATA), None, {}),
        ("early-data-short", "early_data of three bytes", (DECODE,), extension(EARLY_DATA, bytes(3)), None, {}),
        ("early-data-long", "early_data of eight bytes", (DECODE,), extension(EARLY_DATA, bytes(8)), None, {}),
        ("early-data-twice", "early_data twice", (ILLEGAL,), 2 * extension(EARLY_DATA, bytes(4)), None, {}),
        ("twice", "an unknown extension twice", (ILLEGAL,), 2 * extension(0xaaaa), None, {"openssl": False}),
        ("elsewhere", "an extension of another message (key_share)", (ILLEGAL,), extension(KEY_SHARE, bytes(2)), None, {})):
    def _ticket(stream, extensions=_extensions, said=_said):
        return stream.record(HANDSHAKE, records.ticket(1, extensions, said))
    attack(f"ticket-extensions-{_name}", "4.6.1" if "early" in _name else "4.2", _title, *_alerts, roles=("client",), **_options)(_ticket)


# ── Playing it ───────────────────────────────────────────────────────────────────────────────────────────────────────
def _against_server(one, suite, layer):
    async def run(environment):
        async with our_server(environment, layer, suite) as client:
            await talk.echo(client, b"before")
            await client.stream.write(one.make(client.stream))
            await expect_alert(client.stream, one.alerts)
        async with our_server(environment, layer, suite) as other:  # nobody else is hurt
            await talk.echo(other, b"after")
    book.add(f"server/hostile/{one.name}-{stacks.SHORT[suite]}{stacks.suffix(layer)}", one.section, one.title, run)


def _against_client(one, suite, layer):
    async def run(environment):
        async with OurClient(environment, layer, suite) as client:
            await client.open()
            await client.peer.send(frames.text(b"before"))
            await client.expect_output(b"before\n")
            await client.peer.stream.write(one.make(client.peer.stream))
            await expect_alert(client.peer.stream, one.alerts)
            expect("exit status", await client.exit_status(), FAILED_STATUSES)
            expect("the rest of the output", await client.rest_of_output(), b"")
    book.add(f"client/hostile/{one.name}-{stacks.SHORT[suite]}{stacks.suffix(layer)}", one.section, one.title, run)


for _layer in stacks.record_layers():
    for _suite in SUITES:
        for _attack in ATTACKS:
            if not _attack.openssl and _layer != "automatic":
                continue
            if "server" in _attack.roles:
                _against_server(_attack, _suite, _layer)
            if "client" in _attack.roles:
                _against_client(_attack, _suite, _layer)


def all_cases():
    return book.cases
