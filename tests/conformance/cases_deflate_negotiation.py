# SPDX-License-Identifier: Apache-2.0
# RFC 7692 5 and 7.1: offers and answers, legal and illegal, in both roles; and that what was agreed on is kept.
import itertools

from conformance import deflate
from conformance.deflate import Agreement, frame, telling_data
from conformance.exchange import HANDSHAKE, expect_exit, expect_refusal
from conformance.frames import TEXT
from support.suite import Book, check, expect

book = Book()
BITS = range(8, 16)
PARAMETERS = ("server_no_context_takeover", "client_no_context_takeover")

BAD_PARAMETERS = {
    "unknown": "x-unknown", "unknown-value": "window=3", "server-takeover-value": "server_no_context_takeover=1",
    "client-takeover-value": "client_no_context_takeover=true", "server-bits-missing": "server_max_window_bits",
    "server-bits-7": "server_max_window_bits=7", "server-bits-16": "server_max_window_bits=16",
    "server-bits-0": "server_max_window_bits=0", "server-bits-08": "server_max_window_bits=08",
    "server-bits-010": "server_max_window_bits=010", "server-bits-word": "server_max_window_bits=ten",
    "server-bits-negative": "server_max_window_bits=-10", "server-bits-huge": "server_max_window_bits=4294967306",
    "server-bits-hex": "server_max_window_bits=0xa", "client-bits-7": "client_max_window_bits=7",
    "client-bits-16": "client_max_window_bits=16", "client-bits-0": "client_max_window_bits=0",
    "client-bits-09": "client_max_window_bits=09", "client-bits-word": "client_max_window_bits=x",
    "client-bits-99999": "client_max_window_bits=99999", "client-bits-1000": "client_max_window_bits=1000",
    "twice-server-takeover": "server_no_context_takeover; server_no_context_takeover",
    "twice-client-takeover": "client_no_context_takeover; client_no_context_takeover",
    "twice-server-bits": "server_max_window_bits=10; server_max_window_bits=10",
    "twice-client-bits": "client_max_window_bits=10; client_max_window_bits=11", "case": "Server_No_Context_Takeover",
}


def _join(*parameters):
    return "; ".join([deflate.NAME, *(one for one in parameters if one)])


# ── The binary as a server ───────────────────────────────────────────────────────────────────────────────────────────
async def _use(peer, agreement, rounds=3):
    """Messages both ways: each side must keep to the windows and contexts."""
    agreement.receive_with(peer)
    compress = agreement.compressor(for_client=True)
    for number in range(rounds):
        data = telling_data(30000 if number else 300, seed=7)
        await peer.send(frame(TEXT, compress(data)))
        opcode, payload, _ = await peer.message()
        expect("echo", (opcode, len(payload), payload == data), (TEXT, len(data), True))
    await peer.close_cleanly()


def _offer(name, *parameters, must=(), may_decline=False, header=None, use=True):
    """The same offer to a server that keeps contexts and to one that does not."""
    for suffix, flags in (("", ("--compress",)), ("/takeover", ("--compress", "--context-takeover"))):
        _offer_to(flags, name + suffix, parameters, must, may_decline, header, use)


def _offer_to(flags, name, parameters, must, may_decline, header, use):
    async def run(environment):
        client = await environment.client(*flags)
        async with client.open(extra=header or [deflate.field(_join(*parameters))]) as peer:
            if may_decline and not peer.head.all("sec-websocket-extensions"):
                return
            agreement = Agreement.of(peer.head)
            for key in must:
                check(key in agreement.parameters, f"the answer lacks {key}: {agreement.parameters}")
            _within(agreement, "; ".join(header or parameters))
            if use:
                await _use(peer, agreement)
    what = _join(*parameters) if not header else " / ".join(header)
    book.add(f"server/7.1-offer/{name}", "RFC 7692 7.1", f"offer: {what}", run, timeout=30)


def _within(agreement, offer):
    """RFC 7692 7.1.2: windows in the answer are no larger than offered, and the client's only if it may be set."""
    asked = {}
    for part in offer.replace(",", ";").split(";"):
        key, _, value = part.strip().partition("=")
        asked.setdefault(key, value.strip('"'))
    if "server_max_window_bits" in asked and not offer.count(deflate.NAME) > 1:
        check(agreement.server_bits <= int(asked["server_max_window_bits"]),
              f"server_max_window_bits {agreement.server_bits} where {asked['server_max_window_bits']} was asked for")
    if "client_max_window_bits" in agreement.parameters:
        check("client_max_window_bits" in asked, "client_max_window_bits in the answer although it was not offered")
        limit = asked["client_max_window_bits"] or "15"
        check(agreement.client_bits <= int(limit), f"client_max_window_bits above the offered {limit}")


def _bad_offer(name, parameters):
    async def run(environment):
        client = await environment.client("--compress")
        async with client.open(extra=[deflate.field(_join(parameters))]) as peer:
            expect("extensions", peer.head.all("sec-websocket-extensions"), [])
            await peer.close_cleanly()
    book.add(f"server/7.1-decline/{name}", "RFC 7692 7.1", f"an illegal offer is declined: {parameters}", run)


_offer("plain")
for _first, _second in itertools.product((None, PARAMETERS[0]), (None, PARAMETERS[1])):
    for _server, _client in itertools.product((None, "server_max_window_bits=10", "server_max_window_bits=15"),
                                              (None, "client_max_window_bits", "client_max_window_bits=9")):
        _chosen = [one for one in (_first, _second, _server, _client) if one]
        if _chosen:
            _must = [one.split("=")[0] for one in _chosen if one.startswith("server")]
            _offer("+".join(one.replace("_context_takeover", "").replace("_max_window_bits", "") for one in _chosen),
                   *_chosen, must=_must)
for _bits in BITS:
    _offer(f"server-bits-{_bits}", f"server_max_window_bits={_bits}", must=["server_max_window_bits"], may_decline=_bits == 8)
    _offer(f"client-bits-{_bits}", f"client_max_window_bits={_bits}", may_decline=_bits == 8)
    _offer(f"both-bits-{_bits}-no-takeover", f"server_max_window_bits={_bits}", f"client_max_window_bits={_bits}", *PARAMETERS,
           must=["server_max_window_bits", PARAMETERS[0]], may_decline=_bits == 8)
_offer("quoted", 'server_max_window_bits="12"', must=["server_max_window_bits"], may_decline=True)
_offer("spaces", header=["Sec-WebSocket-Extensions:  permessage-deflate ;\t server_no_context_takeover  ; client_max_window_bits "],
       must=[PARAMETERS[0]])
_offer("after-unknown", header=["Sec-WebSocket-Extensions: x-unknown; a=1, permessage-deflate"])
_offer("second-field", header=["Sec-WebSocket-Extensions: x-unknown", "Sec-WebSocket-Extensions: permessage-deflate"])
_offer("two-offers", header=["Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=9, permessage-deflate"])
_offer("fallback", header=["Sec-WebSocket-Extensions: permessage-deflate; x-unknown=1, permessage-deflate"])
_offer("fallback-bits", header=["Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=99, permessage-deflate"])
for _name, _parameters in BAD_PARAMETERS.items():
    _bad_offer(_name, _parameters)


@book.case("server/7.1-decline/sweep", "RFC 7692 7.1.2", "window bits from 0 to 300 and around powers of two", timeout=60)
async def sweep(environment):
    client = await environment.client("--compress")
    values = [*range(0, 301, 1), 65536 + 10, (1 << 32) + 10, (1 << 64) + 10, 99999]
    for start in range(0, len(values), 40):
        part = values[start:start + 40]
        for key in ("server_max_window_bits", "client_max_window_bits"):
            offers = ", ".join(f"{deflate.NAME}; {key}={value}" for value in part if value not in BITS)
            async with client.open(extra=[deflate.field(offers)]) as peer:
                expect("extensions", peer.head.all("sec-websocket-extensions"), [])


# ── The binary as a client ───────────────────────────────────────────────────────────────────────────────────────────
def _answer(name, *parameters):
    async def run(environment):
        async with environment.connector("--exit-on-close", "--compress", "--context-takeover") as client:
            head = await client.accept()
            offer = ", ".join(head.all("sec-websocket-extensions"))
            if any(one.startswith("client_max") for one in parameters):  # RFC 7692 7.1.2.2: only if the client offered it
                check("client_max_window_bits" in offer, f"the client does not offer client_max_window_bits: {offer}")
            await client.peer.send(client.response(head, [deflate.field(_join(*parameters))]))
            await _use_with_client(client, parameters)
    book.add(f"client/7.1-answer/{name}", "RFC 7692 7.1", f"answer: {_join(*parameters)}", run, timeout=30)


def _agreement(parameters):
    known = dict((one.split("=") + [None])[:2] for one in parameters)
    return Agreement(PARAMETERS[0] not in known, PARAMETERS[1] not in known,
                     int(known.get("server_max_window_bits") or 15), int(known.get("client_max_window_bits") or 15))


async def _use_with_client(client, parameters):
    agreement = _agreement(parameters)
    agreement.receive_with(client.peer)
    compress = agreement.compressor(for_client=False)
    for number in range(3):
        data = telling_data(30000 if number else 300, seed=7).replace(b"\n", b" ")
        await client.peer.send(frame(TEXT, compress(data)))
        await client.expect_output(data + b"\n")
        await client.write(data + b"\n")
        opcode, payload, _ = await client.peer.message()
        expect("line", (opcode, len(payload), payload == data), (TEXT, len(data), True))
    await client.peer.close_cleanly()
    await expect_exit(client, clean=True)


def _bad_answer(name, value):
    async def run(environment):
        async with environment.connector("--exit-on-close", "--compress") as client:
            head = await client.accept()
            await client.peer.send(client.response(head, value if isinstance(value, list) else [deflate.field(value)]))
            await expect_refusal(client, HANDSHAKE, "handshake_bad_extension")
    book.add(f"client/7.1-refuse/{name}", "RFC 7692 7.1", f"an illegal answer: {value}", run)


_answer("plain")
for _first, _second in [(PARAMETERS[0], None), (None, PARAMETERS[1]), PARAMETERS]:
    _answer("+".join(one.replace("_context_takeover", "") for one in (_first, _second) if one),
            *(one for one in (_first, _second) if one))
for _bits in BITS:
    _answer(f"server-bits-{_bits}", f"server_max_window_bits={_bits}")
    _answer(f"client-bits-{_bits}", f"client_max_window_bits={_bits}")
    _answer(f"both-bits-{_bits}-no-takeover", f"server_max_window_bits={_bits}", f"client_max_window_bits={_bits}", *PARAMETERS)
for _name, _parameters in BAD_PARAMETERS.items():
    _bad_answer(_name, _join(_parameters))
_bad_answer("client-bits-without-value", _join("client_max_window_bits"))
_bad_answer("twice", f"{deflate.NAME}, {deflate.NAME}")
_bad_answer("two-fields", [deflate.field(deflate.NAME), deflate.field(deflate.NAME)])
_bad_answer("and-unknown", f"{deflate.NAME}, x-unknown")


@book.case("client/7.1-answer/declined", "RFC 7692 5", "the server declines: RSV1 stays forbidden")
async def declined(environment):
    async with environment.connector("--exit-on-close", "--compress") as client:
        await client.open()
        await client.write(b"a" * 5000 + b"\n")
        received = await client.peer.expect_frame(TEXT, b"a" * 5000)
        expect("RSV bits", received.rsv, 0)
        await client.peer.send(frame(TEXT, deflate.packed("no")))
        await client.peer.expect_close({1002})


@book.case("server/7.1-offer/compresses", "RFC 7692 7.2.1", "a large message really is compressed")
async def really_compresses(environment):
    client = await environment.client("--compress")
    async with client.open(extra=[deflate.field(deflate.OFFER)]) as peer:
        Agreement.of(peer.head).receive_with(peer)
        data = b"compress me " * 3000
        await peer.send(frame(TEXT, deflate.packed(data)))
        opcode, payload, compressed = await peer.message()
        expect("echo", (payload == data, compressed), (True, True))
        await peer.close_cleanly()


def all_cases():
    return book.cases
