# SPDX-License-Identifier: Apache-2.0
# RFC 6455 4.1 with RFC 9112: the request that a client must send, and every answer that it must refuse.
import asyncio
import base64

from conformance.exchange import HANDSHAKE, REFUSAL_TIME, expect_exit, expect_refusal
from conformance.frames import text
from conformance.peer import WAIT
from support.suite import Book, Failure, check, expect

book = Book()
S = "RFC 6455 4.1"
HTTP_HEAD_TIME = 5.0  # Limits::http_head_time
USAGE, BAD_URL, TIMED_OUT, REFUSED, ABNORMAL = 2, 3, 6, 10, 14  # exit statuses, docs/command-line.md


# ── The request ──────────────────────────────────────────────────────────────────────────────────────────────────────
async def _request(environment, *flags, **options):
    async with environment.connector(*flags, **options) as client:
        head = await client.accept()
        return head, client.port


def _requests(name, title, then, *flags, **options):
    async def run(environment):
        head, port = await _request(environment, *flags, **options)
        then(head, port)
    book.add(f"client/4.1-request/{name}", S, title, run)


def _line(head, port):
    expect("request line", head.first, "GET /chat/room?a=b&c=%20d HTTP/1.1")


def _required(head, port):
    expect("Host", head.one("host"), f"localhost:{port}")
    expect("Upgrade", (head.one("upgrade") or "").lower(), "websocket")
    check("upgrade" in head.tokens("connection"), f"Connection: {head.all('connection')}")
    expect("Sec-WebSocket-Version", head.all("sec-websocket-version"), ["13"])
    key = head.one("sec-websocket-key") or ""
    expect("bytes of the key", len(base64.b64decode(key, validate=True)), 16)
    expect("body", (head.all("content-length"), head.all("transfer-encoding")), ([], []))


def _absent(*names):
    def then(head, port):
        for name in names:
            expect(name, head.all(name), [])
    return then


def _has(name, value):
    return lambda head, port: expect(name, head.all(name), [value])


_requests("line", "GET, path and query, HTTP/1.1", _line, path="/chat/room?a=b&c=%20d")
_requests("empty-path", "an empty path becomes /", lambda head, port: expect("line", head.first, "GET / HTTP/1.1"), path="")
_requests("query-only", "a query without a path", lambda head, port: expect("line", head.first, "GET /?q=1 HTTP/1.1"), path="?q=1")
_requests("required-fields", "Host, Upgrade, Connection, key and version", _required)
_requests("host-is-address", "Host and certificate of an IP address",
          lambda head, port: expect("Host", head.one("host"), f"127.0.0.1:{port}"), host="127.0.0.1")
_requests("nothing-unasked", "no extension, subprotocol or origin unasked",
          _absent("sec-websocket-extensions", "sec-websocket-protocol", "origin"))
_requests("origin", "an origin", _has("origin", "https://app.example"), "--origin", "https://app.example")
_requests("header", "a header of the user's", _has("authorization", "Bearer abc"), "--header", "Authorization: Bearer abc")
_requests("subprotocol", "a subprotocol", _has("sec-websocket-protocol", "chat.v1"), "--subprotocol", "chat.v1")
_requests("subprotocols", "several subprotocols in order",
          lambda head, port: expect("subprotocols", head.tokens("sec-websocket-protocol"), ["chat.v2", "chat.v1"]),
          "--subprotocol", "chat.v2", "--subprotocol", "chat.v1")
_requests("compress", "permessage-deflate is offered when asked for",
          lambda head, port: check(any(value.startswith("permessage-deflate") for value in head.all("sec-websocket-extensions")),
                                   f"extensions: {head.all('sec-websocket-extensions')}"), "--compress")


@book.case("client/4.1-request/fresh-keys", "RFC 6455 4.1", "each connection has a key of its own", timeout=30)
async def fresh_keys(environment):
    async def one():
        head, _ = await _request(environment)
        return head.one("sec-websocket-key")
    keys = [key for _ in range(4) for key in await asyncio.gather(*(one() for _ in range(5)))]
    expect("different keys of 20", len(set(keys)), 20)


async def _never_sent(environment, flags, path="/"):
    """The client refuses its own user's input: it exits with an error and sends no request that carries it."""
    async with environment.connector(*flags, path=path) as client:
        exiting, arriving = asyncio.ensure_future(client.process.wait()), asyncio.ensure_future(client.accept())
        await asyncio.wait([exiting, arriving], timeout=WAIT, return_when=asyncio.FIRST_COMPLETED)
        if arriving.done() and not arriving.exception():
            head = arriving.result()
            for field, _ in head.fields:
                check("evil" not in field.lower(), f"an injected field went out: {head.fields}")
            raise AssertionError("the request went out")
        arriving.cancel()
        status = await client.exit_status()
        expect(f"exit status of the client, which says {client.error[-200:]!r},", status, {USAGE, BAD_URL})


for _name, _flags, _path in [
        ("header-crlf", ("--header", "X: a\r\nEvil: 1"), "/"), ("header-lf", ("--header", "X: a\nEvil: 1"), "/"),
        ("header-name", ("--header", "X\r\nEvil: 1"), "/"), ("header-no-colon", ("--header", "nonsense"), "/"),
        ("origin-crlf", ("--origin", "https://a\r\nEvil: 1"), "/"), ("subprotocol-crlf", ("--subprotocol", "a\r\nEvil: 1"), "/"),
        ("subprotocol-space", ("--subprotocol", "a b"), "/"), ("path-crlf", (), "/a\r\nEvil: 1"), ("path-space", (), "/a b HTTP/1.1"),
        ("fragment", (), "/#fragment")]:
    book.add(f"client/4.1-inject/{_name}", "RFC 6455 3" if _name == "fragment" else S,
             f"the user's input cannot break out of its field: {_name}",
             lambda environment, flags=_flags, path=_path: _never_sent(environment, flags, path))


# ── The answer ───────────────────────────────────────────────────────────────────────────────────────────────────────
def _accepts(name, title, answer, flags=(), section=S):
    for suffix, pieces in (("", None), ("/bytes", 1)):
        async def run(environment, pieces=pieces):
            async with environment.connector("--exit-on-close", *flags) as client:
                head = await client.accept()
                await client.peer.send(answer(client, head), pieces=pieces)
                await client.peer.send(text("open"))
                await client.expect_output(b"open\n")
                await client.peer.close_cleanly()
                await expect_exit(client, clean=True)
        book.add(f"client/4.1-accept/{name}{suffix}", section, title + (", byte by byte" if pieces else ""), run)


# The stable name of the rule that an answer breaks, by the first words of the case's name.
BROKEN_RULES = {
    "accept": "handshake_bad_accept", "upgrade": "handshake_bad_upgrade", "connection": "handshake_bad_connection",
    "extension": "handshake_bad_extension", "subprotocol": "handshake_bad_subprotocol", "frames": "handshake_bad_accept",
    "http-2": "http_unsupported_version", "status-line": "http_malformed", "status": "handshake_refused",
    "garbage": "http_malformed", "space": "http_malformed", "nul": "http_malformed",
    "head-bytes": "http_head_too_large", "head-count": "http_too_many_headers", "cut": "unexpected_eof", "nothing": "unexpected_eof",
    "http-1": "http_unsupported_version", "length": "http_malformed", "coding": "http_malformed",
}


def _broken_rule(name):
    return next(rule for start, rule in BROKEN_RULES.items() if name.startswith(start))


def _refuses(name, title, answer, flags=(), section=S, status=HANDSHAKE, ends=False):
    """`ends`: the fault is that the stream ends here, so that we must end it."""
    for suffix, pieces in (("", None), ("/bytes", 1)):
        async def run(environment, pieces=pieces):
            async with environment.connector("--exit-on-close", *flags) as client:
                head = await client.accept()
                data = answer(client, head)
                await client.peer.send(data, pieces=pieces if len(data) < 1000 else None)
                if ends:
                    await client.peer.stream.close_notify()
                    client.peer.stream.end_tcp()
                await expect_refusal(client, status, _broken_rule(name))
        book.add(f"client/4.1-refuse/{name}{suffix}", section, title + (", byte by byte" if pieces else ""), run)


async def _judged(environment, then, within):
    """What the check of a refusal finds about a client that was given a good answer."""
    async with environment.connector("--exit-on-close") as client:
        await client.open()
        await then(client.peer)
        try:
            await expect_refusal(client, HANDSHAKE, "", within)
        except Failure as found:
            return str(found)
    raise Failure("the check of a refusal finds nothing wrong with a client that accepted")


@book.case("client/4.1-refuse/control/open", S, "control: the check finds a client that accepts and stays")
async def control_open(environment):
    async def nothing(peer):
        pass
    found = await _judged(environment, nothing, within=1.0)
    check("has not exited" in found, f"expected that the client stays, the check found: {found}")


@book.case("client/4.1-refuse/control/ended", S, "control: the check finds a client that accepts and loses the connection")
async def control_ended(environment):
    async def leave(peer):
        await peer.stream.close_notify()
        peer.stream.end_tcp()
    found = await _judged(environment, leave, within=REFUSAL_TIME)
    check("exit status" in found and "got 14" in found, f"expected a broken connection, the check found: {found}")


def answer(extra=(), **replaced):
    return lambda client, head: client.response(head, extra, **replaced)


def altered(old, new):
    return lambda client, head: client.response(head).replace(old, new)


def status(line, *fields, body=b""):
    head = "\r\n".join([f"HTTP/1.1 {line}", f"Content-Length: {len(body)}", *fields]).encode() + b"\r\n\r\n"
    return lambda client, request: head + body


def lower_names(client, head):
    lines = client.response(head).split(b"\r\n")
    return b"\r\n".join([lines[0]] + [b":".join([line.split(b":", 1)[0].lower(), line.split(b":", 1)[1]]) if line else line
                                      for line in lines[1:]])


_accepts("plain", "the plain answer", answer())
_accepts("case", "tokens in any case", answer(upgrade="WebSocket", connection="uPGRADE"))
_accepts("lower-case-names", "field names in lower case", lower_names)
_accepts("connection-list", "Connection: keep-alive, Upgrade", answer(connection="keep-alive, Upgrade"))
_accepts("more-fields", "fields that nobody knows", answer(["Server: x", "Set-Cookie: a=b", "Set-Cookie: c=d", "X-Empty:"]))
_accepts("reason", "any reason phrase", altered(b"Switching Protocols", b"Welcome aboard"))
_accepts("empty-reason", "an empty reason phrase", altered(b"Switching Protocols", b""), section="RFC 9112 4")
_accepts("white-space", "white space around the values", altered(b": ", b": \t"))
_accepts("subprotocol", "one of the subprotocols that were asked for", answer(["Sec-WebSocket-Protocol: b"]),
         ("--subprotocol", "a", "--subprotocol", "b"))
_accepts("no-subprotocol", "no subprotocol although some were asked for", answer(), ("--subprotocol", "a"))

_refuses("accept-missing", "no Sec-WebSocket-Accept", answer(accept=None))
_refuses("accept-empty", "an empty Sec-WebSocket-Accept", answer(accept=""))
_refuses("accept-wrong", "a wrong Sec-WebSocket-Accept", answer(accept="s3pPLMBiTxaQ9kYGzzhZRbK+xOo="))
_refuses("accept-is-key", "the key itself as the answer", lambda client, head: client.response(head, accept=head.one("sec-websocket-key")))
_refuses("accept-case", "the right answer in lower case", lambda client, head: client.response(head).replace(
    client.response(head).split(b"Accept: ")[1].split(b"\r\n")[0], client.response(head).split(b"Accept: ")[1].split(b"\r\n")[0].lower()))
_refuses("accept-cut", "the right answer without its last byte", altered(b"=\r\n\r\n", b"\r\n\r\n"))
_refuses("accept-longer", "the right answer and more", altered(b"=\r\n\r\n", b"==\r\n\r\n"))
_refuses("accept-twice", "two different answers", answer(["Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="]))
_refuses("upgrade-missing", "no Upgrade", answer(upgrade=None))
_refuses("upgrade-wrong", "Upgrade: h2c", answer(upgrade="h2c"))
_refuses("upgrade-prefix", "Upgrade: websocket2", answer(upgrade="websocket2"))
_refuses("connection-missing", "no Connection", answer(connection=None))
_refuses("connection-close", "Connection: close", answer(connection="close"))
_refuses("connection-prefix", "Connection: Upgrades", answer(connection="Upgrades"))
_refuses("extension-unasked", "an extension that was not asked for", answer(["Sec-WebSocket-Extensions: permessage-deflate"]))
_refuses("extension-unknown", "an unknown extension", answer(["Sec-WebSocket-Extensions: x-unknown"]), ("--compress",))
_refuses("extension-malformed", "an extension field that is not one", answer(["Sec-WebSocket-Extensions: permessage-deflate; ="]),
         ("--compress",), "RFC 6455 9.1")
_refuses("subprotocol-unasked", "a subprotocol that was not asked for", answer(["Sec-WebSocket-Protocol: chat"]))
_refuses("subprotocol-other", "another subprotocol than those asked for", answer(["Sec-WebSocket-Protocol: c"]), ("--subprotocol", "a"))
_refuses("subprotocol-case", "subprotocols are case-sensitive", answer(["Sec-WebSocket-Protocol: A"]), ("--subprotocol", "a"))
_refuses("subprotocol-two", "two subprotocols", answer(["Sec-WebSocket-Protocol: a, b"]), ("--subprotocol", "a", "--subprotocol", "b"))
_refuses("subprotocol-two-fields", "two subprotocol fields", answer(["Sec-WebSocket-Protocol: a", "Sec-WebSocket-Protocol: b"]),
         ("--subprotocol", "a", "--subprotocol", "b"))
_refuses("http-1.0", "HTTP/1.0 101", answer(status="HTTP/1.0 101 Switching Protocols"))
_refuses("length", "101 with Content-Length", answer(["Content-Length: 4"]), section="RFC 9110 8.6")
_refuses("coding", "101 with Transfer-Encoding: chunked", answer(["Transfer-Encoding: chunked"]), section="RFC 9112 6.1")
_refuses("http-2.0", "HTTP/2.0 101", answer(status="HTTP/2.0 101 Switching Protocols"))
for _line_ in ("200 OK", "201 Created", "400 Bad Request", "401 Unauthorized", "403 Forbidden", "404 Not Found", "426 Upgrade Required",
               "429 Too Many Requests", "500 Internal Server Error", "503 Service Unavailable", "999 Odd"):
    _refuses(f"status-{_line_[:3]}", f"status {_line_} instead of 101", status(_line_, body=b"no"), status=REFUSED)
for _line_ in ("301 Moved Permanently", "302 Found", "307 Temporary Redirect"):
    _refuses(f"status-{_line_[:3]}", f"a redirect is not an upgrade: {_line_}", status(_line_, "Location: wss://localhost:1/"), status=REFUSED)
_refuses("status-204", "204 with the fields of a 101", answer(status="HTTP/1.1 204 No Content"), status=REFUSED)
_refuses("status-200-fields", "200 with the fields of a 101", answer(status="HTTP/1.1 200 OK"), status=REFUSED)
_refuses("garbage", "bytes that are no HTTP", lambda client, head: b"\x82\x05hello\r\n\r\n" + b"\0\xff" * 50, section="RFC 9112 4")
_refuses("status-line", "a status that is no number", altered(b" 101 ", b" 1x1 "), section="RFC 9112 4")
_refuses("status-line-long", "a status of four digits", altered(b" 101 ", b" 1010 "), section="RFC 9112 4")
_refuses("space-before-colon", "white space before a colon", altered(b"Upgrade: ", b"Upgrade : "), section="RFC 9112 5.1")
_refuses("nul", "NUL in a field", answer(["X: a\0b"]), section="RFC 9110 5.5")
_refuses("cut-head", "the stream ends inside the head", lambda client, head: client.response(head)[:-2], section="RFC 9112 8",
         status=ABNORMAL, ends=True)
_refuses("nothing", "the stream ends without an answer", lambda client, head: b"", section="RFC 9112 8", status=ABNORMAL, ends=True)
_refuses("head-bytes", "a head of more than 16 KiB", answer(["X: " + "l" * 40000]), section="RFC 6585 5")
_refuses("head-count", "300 fields", answer([f"X-{n}: 1" for n in range(300)]), section="RFC 6585 5")
_refuses("frames-with-bad-answer", "frames after a refusal are not read",
         lambda client, head: client.response(head, accept="AAAAAAAAAAAAAAAAAAAAAAAAAAA=") + text("x").encode(False))


@book.case("client/4.1-accept/frames-with-answer", S, "frames in the same record as the answer")
async def frames_with_answer(environment):
    async with environment.connector("--exit-on-close") as client:
        await client.open(with_frames=text("first").encode(False) + text("second").encode(False))
        await client.expect_output(b"first\nsecond\n")
        await client.peer.close_cleanly()
        await expect_exit(client, clean=True)


@book.case("client/4.1-refuse/silence", S, "a server that never answers: a time-out", timeout=30)
async def silence(environment):
    async with environment.connector() as client:
        await client.accept()
        expect("exit status", await client.exit_status(HTTP_HEAD_TIME + 15), TIMED_OUT)


@book.case("client/4.1-refuse/drip", S, "an answer that drips is bounded as a whole, not per byte", timeout=40)
async def drip(environment):
    async with environment.connector() as client:
        head = await client.accept()

        async def feed():
            for byte in client.response(head, ["X: " + "d" * 4000]):
                await client.peer.send(bytes([byte]))
                await asyncio.sleep(0.2)
        feeding = asyncio.ensure_future(feed())
        try:
            status = await client.exit_status(HTTP_HEAD_TIME + 15)
        finally:
            feeding.cancel()
        expect("exit status", status, TIMED_OUT)


def all_cases():
    return book.cases
