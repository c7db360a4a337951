# SPDX-License-Identifier: Apache-2.0
# RFC 6455 4.2 with RFC 9112: the opening handshake as a server must judge it, from a table of requests.
import asyncio
import base64
import os

from conformance import peer as raw
from conformance.frames import CLOSE, close, text
from conformance.peer import Head, accept_for, request
from support import tlsstream
from support.suite import Book, check, expect

book = Book()
KEY = "dGhlIHNhbXBsZSBub25jZQ=="
REFUSED = frozenset({400, 403, 404, 405, 408, 411, 413, 414, 417, 426, 431, 501, 505})
BAD_REQUEST = frozenset({400})
NOT_101 = REFUSED | {200, 204, 301, 308}


async def _answer(environment, build, pieces=None, flags=()):
    """Sends a request, returns (peer, head); the head is None when the server only hung up."""
    client = await environment.client(*flags)
    stream = await tlsstream.connect("127.0.0.1", client.port, client.context)
    peer = raw.Peer(stream, masks=True)
    try:
        data = build(client.port)
        await peer.send(data, pieces=pieces)
        head = await peer.read_head()
        return peer, head
    except BaseException:
        stream.abort()
        raise


def _accepts(name, section, title, build, then=None, flags=()):
    for suffix, pieces in (("", None), ("/bytes", 1)):
        async def run(environment, pieces=pieces):
            peer, head = await _answer(environment, build, pieces, flags)
            try:
                expect("status", head.status, 101)
                check(head.first.startswith("HTTP/1.1 101"), f"status line {head.first!r}")
                expect("Upgrade", (head.one("upgrade") or "").lower(), "websocket")
                check("upgrade" in head.tokens("connection"), f"Connection: {head.all('connection')}")
                expect("Sec-WebSocket-Accept", head.one("sec-websocket-accept"), accept_for(KEY.encode()).decode())
                for field in ("content-length", "transfer-encoding"):
                    expect(f"{field} in a 101", head.all(field), [])
                if then:
                    then(head)
                await peer.send(text("open"))
                expect("echo", (await peer.message())[1], b"open")
                await peer.close_cleanly()
            finally:
                peer.stream.abort()
        book.add(f"server/{name}{suffix}", section, title + (", byte by byte" if pieces else ""), run)


def _refuses(name, section, title, build, statuses, then=None, flags=()):
    for suffix, pieces in (("", None), ("/bytes", 1)):
        if pieces and len(build(1)) > 1000:
            continue

        async def run(environment, pieces=pieces):
            peer, head = await _answer(environment, build, pieces, flags)
            try:
                expect("status", head.status, statuses)
                check(not head.all("sec-websocket-accept"), "a refusal with Sec-WebSocket-Accept")
                if then:
                    then(head)
            finally:
                peer.stream.abort()
        book.add(f"server/{name}{suffix}", section, title + (", byte by byte" if pieces else ""), run)


def ask(extra=(), path="/", **replaced):
    return lambda port: request(port, path, KEY, extra, **replaced)


def altered(old, new, **options):
    """The usual request with some bytes replaced."""
    return lambda port: ask(**options)(port).replace(old, new)


def no_extension(head):
    expect("Sec-WebSocket-Extensions", head.all("sec-websocket-extensions"), [])


def no_subprotocol(head):
    expect("Sec-WebSocket-Protocol", head.all("sec-websocket-protocol"), [])


def says_version_13(head):
    check("13" in head.tokens("sec-websocket-version"), f"Sec-WebSocket-Version: {head.all('sec-websocket-version')}")


S = "RFC 6455 4.2.1"
_accepts("4.2-accept/sample", "RFC 6455 4.2.2", "the RFC's sample key has the RFC's sample answer", ask())
_accepts("4.2-accept/upgrade-case", S, "Upgrade: WebSocket in any case", ask(upgrade="WEBsocKET"))
_accepts("4.2-accept/connection-case", S, "Connection: uPGRADE in any case", ask(connection="uPGRADE"))
_accepts("4.2-accept/connection-list", S, "Connection: keep-alive, Upgrade", ask(connection="keep-alive, Upgrade"))
_accepts("4.2-accept/connection-list-spaces", S, "Connection with odd white space and empty elements",
         ask(connection=" \t, keep-alive ,,\t Upgrade ,"))
_accepts("4.2-accept/connection-two-fields", S, "two Connection fields", ask(connection=["keep-alive", "Upgrade"]))
_accepts("4.2-accept/lower-case-names", "RFC 9112 5", "field names in lower case",
         lambda port: b"\r\n".join(line if at == 0 else line.partition(b":")[0].lower() + b":" + line.partition(b":")[2]
                                   if line else line for at, line in enumerate(ask()(port).split(b"\r\n"))))
_accepts("4.2-accept/upper-case-names", "RFC 9112 5", "field names in upper case",
         lambda port: b"\r\n".join(line if at == 0 else line.partition(b":")[0].upper() + b":" + line.partition(b":")[2]
                                   if line else line for at, line in enumerate(ask()(port).split(b"\r\n"))))
_accepts("4.2-accept/no-space-after-colon", "RFC 9112 5", "no white space after the colons",
         lambda port: ask()(port).replace(b": ", b":"))
_accepts("4.2-accept/much-space", "RFC 9112 5", "white space around the values",
         lambda port: ask()(port).replace(b": ", b": \t ").replace(b"\r\nUpgrade: \t websocket", b"\r\nUpgrade:websocket \t "))
_accepts("4.2-accept/query", "RFC 6455 3", "a query in the request target", ask(path="/?a=b&c=%20d"))
_accepts("4.2-accept/absolute-form", "RFC 9112 3.2.2", "the request target in absolute form",
         lambda port: ask()(port).replace(b"GET / ", b"GET https://localhost:%d/ " % port))
_accepts("4.2-accept/unknown-fields", S, "fields that nobody knows", ask(extra=["X-Unknown: 1", "Cookie: a=b; c=d", "X-Empty:"]))
_accepts("4.2-accept/many-fields", S, "80 more fields", ask(extra=[f"X-{n}: {n}" for n in range(80)]))
_accepts("4.2-accept/long-field", S, "a field of 4,000 bytes", ask(extra=["X-Long: " + "l" * 4000]))
_accepts("9.1-accept/unknown-extension", "RFC 6455 9.1", "an unknown extension is declined",
         ask(extra=["Sec-WebSocket-Extensions: x-unknown; a=1; b=\"quoted\", x-other"]), no_extension)
_accepts("9.1-accept/deflate-declined", "RFC 7692 5", "permessage-deflate is declined when it is off",
         ask(extra=["Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"]), no_extension)
_accepts("4.2-accept/unknown-subprotocol", "RFC 6455 4.2.2", "an unknown subprotocol is not confirmed",
         ask(extra=["Sec-WebSocket-Protocol: nobody-knows, this-one"]), no_subprotocol)
_accepts("4.2-accept/no-extension-unasked", "RFC 6455 4.2.2", "no extension in the answer that was not asked for", ask(),
         no_extension, flags=("--compress",))
_accepts("4.2-accept/body-length-0", "RFC 9112 6", "Content-Length: 0", ask(extra=["Content-Length: 0"]))

_refuses("4.2-refuse/post", S, "POST", altered(b"GET", b"POST"), REFUSED)
_refuses("4.2-refuse/head", S, "HEAD", altered(b"GET", b"HEAD"), REFUSED | {200})
_refuses("4.2-refuse/method-case", S, "the method is case-sensitive", altered(b"GET", b"get"), REFUSED)
_refuses("4.2-refuse/http-1.0", S, "HTTP/1.0", altered(b"HTTP/1.1", b"HTTP/1.0"), NOT_101)
_refuses("4.2-refuse/http-2.0", "RFC 9112 2.3", "HTTP/2.0 in an HTTP/1 request line", altered(b"HTTP/1.1", b"HTTP/2.0"),
         {400, 505})
_refuses("4.2-refuse/no-host", "RFC 9112 3.2", "no Host", ask(host=None), BAD_REQUEST)
_refuses("4.2-refuse/two-hosts", "RFC 9112 3.2", "two Host fields", ask(host=["localhost", "localhost"]), BAD_REQUEST)
_refuses("4.2-refuse/bad-host", "RFC 9112 3.2", "an impossible Host", ask(host="local host/<>"), BAD_REQUEST)
_refuses("4.2-refuse/bad-host-port", "RFC 9112 3.2", "a Host with an impossible port", ask(host="localhost:99999999"),
         BAD_REQUEST)
_refuses("4.2-refuse/no-upgrade", S, "no Upgrade", ask(upgrade=None), NOT_101)
_refuses("4.2-refuse/upgrade-h2c", S, "Upgrade: h2c", ask(upgrade="h2c"), NOT_101)
_refuses("4.2-refuse/upgrade-prefix", S, "Upgrade: websockets", ask(upgrade="websockets"), NOT_101)
_refuses("4.2-refuse/upgrade-empty", S, "an empty Upgrade", ask(upgrade=""), NOT_101)
_refuses("4.2-refuse/no-connection", S, "no Connection", ask(connection=None), NOT_101)
_refuses("4.2-refuse/connection-close", S, "Connection: close", ask(connection="close"), NOT_101)
_refuses("4.2-refuse/connection-prefix", S, "Connection: Upgraded", ask(connection="Upgraded"), NOT_101)
_refuses("4.2-refuse/no-key", S, "no key", altered(f"Sec-WebSocket-Key: {KEY}\r\n".encode(), b""),
         BAD_REQUEST)
_refuses("4.2-refuse/two-keys", "RFC 6455 11.3.1", "two keys", ask(extra=[f"Sec-WebSocket-Key: {KEY}"]), BAD_REQUEST)
for _name, _key in {
        "empty": "", "15-bytes": base64.b64encode(b"k" * 15).decode(), "17-bytes": base64.b64encode(b"k" * 17).decode(),
        "1-byte": "YQ==", "no-padding": KEY.rstrip("="), "one-pad": KEY[:-1], "not-base64": "!!!!!!!!!!!!!!!!!!!!!!==",
        "url-alphabet": "-_" + KEY[2:], "inner-space": KEY[:8] + " " + KEY[9:], "inner-pad": KEY[:8] + "=" + KEY[9:],
        "long": KEY * 20, "trailing-bits": KEY[:21] + "R==", "comma": KEY + "," + KEY}.items():
    _refuses(f"4.2-refuse/key-{_name}", S, f"a key that is not 16 bytes of base64: {_name}",
             altered(KEY.encode(), _key.encode()), BAD_REQUEST)
for _version in ("0", "7", "8", "12", "14", "256", "-13", "013", "1 3", "abc", "", "13, 8", "13.0", "4294967309"):
    _refuses(f"4.4-version/{_version.replace(' ', '_') or 'empty'}", "RFC 6455 4.4", f"version {_version!r} is refused and 13 offered",
             ask(version=_version), {400, 426}, says_version_13 if _version in ("8", "12", "14", "0", "7") else None)
_refuses("4.4-version/missing", S, "no version", ask(version=None), {400, 426})
_refuses("4.4-version/two", "RFC 6455 11.3.5", "two version fields in a request", ask(version=["13", "13"]), {400, 426})

H = "RFC 9112 5"
_refuses("9112-refuse/space-before-colon", H, "white space before a colon", altered(b"Upgrade:", b"Upgrade :"), BAD_REQUEST)
_refuses("9112-refuse/obs-fold", "RFC 9112 5.2", "a folded field", altered(b"Upgrade: websocket", b"Upgrade:\r\n websocket"),
         BAD_REQUEST)
_refuses("9112-refuse/no-colon", H, "a field without a colon", ask(extra=["NoColonHere"]), BAD_REQUEST)
_refuses("9112-refuse/empty-name", H, "a field without a name", ask(extra=[": value"]), BAD_REQUEST)
_refuses("9112-refuse/bad-name", H, "a field name with a forbidden character", ask(extra=["X(y): 1"]), BAD_REQUEST)
_refuses("9112-refuse/nul", H, "NUL in a value", ask(extra=["X: a\0b"]), BAD_REQUEST)
_refuses("9112-refuse/bare-cr", "RFC 9112 2.2", "a bare CR in a value", ask(extra=["X: a\rY: b"]), BAD_REQUEST)
_refuses("9112-refuse/control", H, "a control character in a value", ask(extra=["X: a\x01b"]), BAD_REQUEST)
_refuses("9112-refuse/request-line", "RFC 9112 3", "a request line without a version", altered(b" HTTP/1.1", b""), {400, 505})
_refuses("9112-refuse/request-line-spaces", "RFC 9112 3", "a space in the target", altered(b"GET /", b"GET /a b"), BAD_REQUEST)
_refuses("9112-refuse/target-control", "RFC 9112 3.2", "a control character in the target", altered(b"GET /", b"GET /\x01"),
         BAD_REQUEST)
_refuses("9112-refuse/target-relative", "RFC 9112 3.2", "a target that is no path", altered(b"GET / ", b"GET echo "),
         BAD_REQUEST | {404})
_refuses("9112-refuse/version-shape", "RFC 9112 2.3", "HTTP/1.1x", altered(b"HTTP/1.1", b"HTTP/1.1x"), {400, 505})
_refuses("9112-refuse/two-lengths", "RFC 9112 6.3", "two lengths that differ",
         ask(extra=["Content-Length: 3", "Content-Length: 4"]), BAD_REQUEST)
_refuses("9112-refuse/bad-length", "RFC 9112 6.3", "a negative length", ask(extra=["Content-Length: -1"]), BAD_REQUEST)
_refuses("9112-refuse/length-and-chunked", "RFC 9112 6.1", "a length and chunks (request smuggling)",
         ask(extra=["Content-Length: 5", "Transfer-Encoding: chunked"]), REFUSED)
_refuses("9112-refuse/bad-coding", "RFC 9112 6.1", "an unknown transfer coding", ask(extra=["Transfer-Encoding: xchunked"]),
         {400, 501})
_refuses("9112-limits/head-bytes", "RFC 6585 5", "a head of more than 16 KiB", ask(extra=["X: " + "l" * 20000]), {431, 400})
_refuses("9112-limits/head-count", "RFC 6585 5", "120 fields", ask(extra=[f"X-{n}: 1" for n in range(120)]), {431, 400})
_refuses("9112-limits/long-target", "RFC 9112 3", "a target of 20,000 bytes", ask(path="/" + "p" * 20000), {414, 431, 400})
_refuses("9.1-refuse/malformed-extension", "RFC 6455 9.1", "an extension field that is not one",
         ask(extra=["Sec-WebSocket-Extensions: permessage-deflate; =1"]), BAD_REQUEST)
_refuses("9.1-refuse/malformed-extension-2", "RFC 6455 9.1", "an extension that is not a token",
         ask(extra=["Sec-WebSocket-Extensions: a b"]), BAD_REQUEST)
_refuses("9.1-refuse/extension-bad-quote", "RFC 6455 9.1", "a quoted parameter that is never closed",
         ask(extra=['Sec-WebSocket-Extensions: a; b="c']), BAD_REQUEST)


def chosen_subprotocol(wanted):
    return lambda head: expect("Sec-WebSocket-Protocol", head.all("sec-websocket-protocol"), wanted)


for _name, _asked, _wanted in [("first", ["v1"], ["v1"]), ("best", ["v1, v2"], ["v2"]), ("two-fields", ["v1", "v2"], ["v2"]),
                               ("one-known", ["x, y, v1"], ["v1"]), ("none-known", ["x, y"], []), ("case", ["V1"], []),
                               ("prefix", ["v"], [])]:
    _accepts(f"4.2-subprotocol/{_name}", "RFC 6455 4.2.2", f"subprotocols {_asked} where the server speaks v2 and v1",
             ask(extra=[f"Sec-WebSocket-Protocol: {one}" for one in _asked]), chosen_subprotocol(_wanted),
             flags=("--subprotocol", "v2", "--subprotocol", "v1"))


@book.case("server/4.2-accept/random-keys", "RFC 6455 4.2.2", "40 random keys have the right answers")
async def random_keys(environment):
    client = await environment.client()

    async def one():
        async with client.open() as peer:
            await peer.close_cleanly()
    await asyncio.gather(*(one() for _ in range(40)))


@book.case("server/4.2-refuse/garbage", "RFC 9112 3", "bytes that are no HTTP: a 400 or the end, and the server lives on")
async def garbage(environment):
    client = await environment.client()
    for data in (b"\0" * 200, os.urandom(500), b"\r\n" * 100, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x16\x03\x01\0\x05hello",
                 b"GET\r\n\r\n", b" \r\n\r\n", b"\xff\xfe" * 300):
        async with client.raw() as peer:
            await peer.send(data + b"\r\n\r\n")
            answer = await asyncio.wait_for(peer.stream.receive(), 8)
            check(answer == b"" or Head(answer).status in REFUSED, f"an answer to garbage: {answer[:60]!r}")
    async with client.open() as peer:
        await peer.close_cleanly()


@book.case("server/4.2-refuse/not-tls", "RFC 6455 3", "cleartext on the TLS port is refused")
async def cleartext(environment):
    client = await environment.client()
    reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
    writer.write(ask()(client.port))
    answer = await asyncio.wait_for(reader.read(1000), 8)
    writer.close()
    check(b" 101 " not in answer, f"an upgrade without TLS: {answer[:60]!r}")


@book.case("server/4.2-refuse/then-closed", "RFC 9112 9.6", "after a malformed request the connection ends")
async def closed_after_bad_request(environment):
    peer, head = await _answer(environment, altered(b"Upgrade:", b"Upgrade :"))
    try:
        expect("status", head.status, 400)
        while await asyncio.wait_for(peer.stream.receive(), 8):
            pass
    finally:
        peer.stream.abort()


@book.case("server/4.2-refuse/cut-heads", "RFC 9112 8", "a head that ends early, at every byte; the server lives on")
async def cut_heads(environment):
    client = await environment.client()
    whole = ask()(client.port)

    async def one(cut):
        async with client.raw() as peer:
            await peer.send(whole[:cut])
            await peer.stream.close_notify()
            peer.stream.end_tcp()
            answer = await asyncio.wait_for(peer.stream.receive(), 8)
            check(b" 101 " not in answer, f"an upgrade after {cut} bytes of head")
    for start in range(0, len(whole), 24):
        await asyncio.gather(*(one(cut) for cut in range(start, min(start + 24, len(whole)))))
    async with client.open() as peer:
        await peer.close_cleanly()


@book.case("server/4.2-accept/frames-with-request", "RFC 6455 4.1", "frames sent with the request are read after it")
async def early_frames(environment):
    peer, head = await _answer(environment, lambda port: ask()(port) + text("early").encode(True) + close(1000).encode(True))
    try:
        expect("status", head.status, {101, 400})
        if head.status == 101:
            expect("echo", (await peer.message())[1], b"early")
            await peer.expect_frame(CLOSE)
    finally:
        peer.stream.abort()


def all_cases():
    return book.cases
