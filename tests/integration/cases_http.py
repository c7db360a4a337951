# SPDX-License-Identifier: Apache-2.0
# curl as an ordinary HTTP client of the port, and as somebody who asks for an upgrade by hand.
import asyncio
import hashlib
import re

from support import processes
from support.suite import Book, check, expect

book = Book()
KEY = "dGhlIHNhbXBsZSBub25jZQ=="
UPGRADE = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": KEY}


async def _curl(environment, port, path="/", *arguments, headers=(), timeout=5):
    """Runs curl; returns (status, header text, body). The status is 0 when there was no answer."""
    fields = [part for name, value in dict(headers).items() for part in ("-H", f"{name}: {value}")]
    done = await environment.run("curl", "-sS", "-i", "--http1.1", "--max-time", timeout, "--cacert", environment.certificates.ca,
                                 *fields, *arguments, f"https://localhost:{port}{path}", timeout=timeout + 10)
    head, _, body = done.output.partition(b"\r\n\r\n")
    status = re.match(rb"HTTP/1\.1 (\d+)", head)
    return int(status.group(1)) if status else 0, head.decode("latin-1"), body


def _field(head, name):
    found = re.search(rf"^{name}: *(.*?)\r?$", head, re.IGNORECASE | re.MULTILINE)
    return found.group(1) if found else None


@book.case("server/curl/get", "curl", "an ordinary GET on the port is answered, with HSTS")
async def get(environment):
    server = await environment.shared()
    status, head, body = await _curl(environment, server.port)
    expect("status", status, {200, 404, 426})
    hsts = _field(head, "strict-transport-security") or ""
    age = re.search(r"max-age=(\d+)", hsts)
    check(age and int(age.group(1)) >= 31536000, f"Strict-Transport-Security: {hsts!r}")
    check(_field(head, "content-type") is not None or not body, "a body without a type")


@book.case("server/curl/head", "curl", "HEAD has the head of GET and no body")
async def head(environment):
    server = await environment.shared()
    status, _, body = await _curl(environment, server.port, "/", "--head")
    expect("status and body", (status, body), {(200, b""), (404, b""), (405, b""), (426, b"")})


@book.case("server/curl/keep-alive", "curl", "two requests on one connection")
async def keep_alive(environment):
    server = await environment.shared()
    done = await environment.run("curl", "-sS", "-v", "--http1.1", "--max-time", "5", "--cacert", environment.certificates.ca,
                                 f"https://localhost:{server.port}/", f"https://localhost:{server.port}/")
    check("Re-using existing connection" in done.error, "the second request needed a new connection")


@book.case("server/curl/upgrade", "curl", "an upgrade by hand gives 101 and the right Sec-WebSocket-Accept")
async def upgrade(environment):
    server = await environment.shared()
    status, head_text, _ = await _curl(environment, server.port, headers=UPGRADE, timeout=2)
    expect("status", status, 101)
    expect("Sec-WebSocket-Accept", _field(head_text, "sec-websocket-accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")


for _name, _change, _statuses in [
        ("version-8", {"Sec-WebSocket-Version": "8"}, {400, 426}), ("short-key", {"Sec-WebSocket-Key": "abc"}, {400}),
        ("no-connection", {"Connection": "close"}, {200, 400, 404, 426}), ("h2c", {"Upgrade": "h2c"}, {200, 400, 404, 426}),
        ("foreign-origin", {"Origin": "https://evil.example"}, {403})]:
    async def _negative(environment, change=_change, statuses=_statuses):
        server = await environment.shared("--allow-origin", "https://good.example")
        status, _, _ = await _curl(environment, server.port, headers={**UPGRADE, **change}, timeout=3)
        expect("status", status, statuses)
    book.add(f"server/curl/refuses-{_name}", "curl", f"an upgrade that is refused: {_name}", _negative)


@book.case("server/curl/post", "curl", "POST with a body: an answer, and the connection does not confuse it with a request")
async def post(environment):
    server = await environment.shared()
    status, _, _ = await _curl(environment, server.port, "/", "--data", "GET / HTTP/1.1\r\n\r\n")
    expect("status", status, {200, 400, 404, 405, 413, 426, 501})


@book.case("server/curl/large-body", "curl", "a body past the limit is refused with 413 or 405")
async def large_body(environment):
    server = await environment.shared()
    blob = environment.directory / "blob"
    blob.write_bytes(b"b" * 1_000_000)
    status, _, _ = await _curl(environment, server.port, "/", "--data-binary", f"@{blob}")
    expect("status", status, {0, 404, 405, 413, 501})


@book.case("server/curl/cleartext", "curl", "http:// on the TLS port is not served")
async def cleartext(environment):
    server = await environment.shared()
    done = await environment.run("curl", "-sS", "-i", "--max-time", "8", f"http://localhost:{server.port}/", timeout=15)
    check(b" 200 " not in done.output and b" 101 " not in done.output, f"cleartext was served: {done.output[:60]!r}")


@book.case("server/curl/h2-only", "curl", "a client that prefers HTTP/2 gets HTTP/1.1")
async def prefers_h2(environment):
    server = await environment.shared()
    done = await environment.run("curl", "-sS", "-o", "/dev/null", "-w", "%{http_version} %{http_code}", "--http2", "--max-time", "5",
                                 "--cacert", environment.certificates.ca, f"https://localhost:{server.port}/")
    check(done.output.startswith(b"1.1 "), f"version and status: {done.output!r} {done.error[-100:]}")


# ── Static files ─────────────────────────────────────────────────────────────────────────────────────────────────────
FILES = {"index.html": b"<!doctype html><title>t</title>", "app.js": b"export {};\n" * 100, "style.css": b"body{}",
         "data.bin": bytes(range(256)) * 1000, "sub/page.html": b"<p>sub", "empty.txt": b""}


async def _site(environment):
    web = environment.directory / "web"
    for name, content in FILES.items():
        target = web / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists():  # another case may be serving it
            target.write_bytes(content)
    (environment.directory / "secret.txt").write_text("secret")
    if not (web / "link.txt").is_symlink():
        (web / "link.txt").symlink_to(environment.directory / "secret.txt")
    pair = ("--cert", environment.certificates.cert("server"), "--key", environment.certificates.key("server"))
    return processes.Server(*pair, "--web", web, verb="demo")


def _static(name, title, path, *arguments, check_answer, headers=()):
    async def run(environment):
        async with await _site(environment) as server:
            check_answer(*await _curl(environment, server.port, path, *arguments, headers=headers))
    book.add(f"server/static/{name}", "curl", title, run, timeout=30)


def _is(status, content=None, **fields):
    def answer(got, head_text, body):
        expect("status", got, status)
        if content is not None:
            expect("body", body, content)
        for field, value in fields.items():
            found = _field(head_text, field.replace("_", "-")) or ""
            check(value.lower() in found.lower(), f"{field}: expected {value!r} in {found!r}")
    return answer


_BIN = FILES["data.bin"]
_static("index", "/ is index.html", "/", check_answer=_is(200, FILES["index.html"], content_type="text/html",
                                                        strict_transport_security="max-age", x_content_type_options="nosniff"))
_static("type-js", "a type for scripts", "/app.js", check_answer=_is(200, FILES["app.js"], content_type="javascript", etag='"'))
_static("type-css", "a type for styles", "/style.css", check_answer=_is(200, FILES["style.css"], content_type="text/css"))
_static("empty", "an empty file", "/empty.txt", check_answer=_is(200, b"", content_length="0"))
_static("sub", "a file in a folder", "/sub/page.html", check_answer=_is(200, FILES["sub/page.html"]))
_static("missing", "404", "/nothing.html", check_answer=_is(404))
_static("method", "DELETE is not allowed", "/index.html", "-X", "DELETE", check_answer=_is({405, 404, 501}))
_static("head", "HEAD of a file", "/data.bin", "--head", check_answer=_is(200, b"", content_length=str(len(_BIN)), accept_ranges="bytes"))
for _name, _range, _status, _body in [
        ("first", "bytes=0-9", 206, _BIN[:10]), ("middle", "bytes=1000-1999", 206, _BIN[1000:2000]), ("open", "bytes=255000-", 206, _BIN[255000:]),
        ("suffix", "bytes=-100", 206, _BIN[-100:]), ("last-byte", f"bytes={len(_BIN) - 1}-", 206, _BIN[-1:]),
        ("beyond", "bytes=255990-999999", 206, _BIN[255990:]), ("past-end", f"bytes={len(_BIN)}-", 416, None),
        ("nonsense", "bytes=9-1", 200, _BIN), ("unit", "lines=0-1", 200, _BIN)]:
    _static(f"range-{_name}", f"Range: {_range}", "/data.bin", headers={"Range": _range}, check_answer=_is({_status, 416} if _name == "nonsense" else _status, _body))
for _name, _path in [("dots", "/../secret.txt"), ("encoded-dots", "/%2e%2e/secret.txt"), ("encoded-slash", "/..%2fsecret.txt"),
                     ("double", "/sub/../../secret.txt"), ("nul", "/index.html%00.txt"), ("absolute", "//etc/passwd"),
                     ("backslash", "/..\\secret.txt"), ("symlink", "/link.txt")]:
    def _outside(status, head_text, body):
        check(b"secret" not in body and b"root:" not in body, f"a file from outside was served with {status}")
        expect("status", status, {301, 308, 400, 403, 404})
    _static(f"outside-{_name}", f"nothing from outside the directory: {_path}", _path, "--path-as-is", check_answer=_outside)


@book.case("server/static/etag", "curl", "If-None-Match gives 304, a changed file 200", timeout=30)
async def etag(environment):
    async with await _site(environment) as server:
        _, head_text, _ = await _curl(environment, server.port, "/style.css")
        tag = _field(head_text, "etag")
        check(tag, "no ETag")
        status, _, body = await _curl(environment, server.port, "/style.css", headers={"If-None-Match": tag})
        expect("status and body", (status, body), (304, b""))
        status, _, _ = await _curl(environment, server.port, "/style.css", headers={"If-None-Match": '"other"'})
        expect("status with another tag", status, 200)
        status, _, body = await _curl(environment, server.port, "/data.bin", headers={"Range": "bytes=0-1", "If-Range": '"other"'})
        expect("status of If-Range with another tag", (status, len(body)), (200, len(_BIN)))


@book.case("server/static/parallel", "curl", "twenty downloads at once are whole", timeout=60)
async def parallel(environment):
    async with await _site(environment) as server:
        answers = await asyncio.gather(*(_curl(environment, server.port, "/data.bin") for _ in range(20)))
        wanted = hashlib.sha256(_BIN).hexdigest()
        check(all(hashlib.sha256(body).hexdigest() == wanted for _, _, body in answers), "a download is not whole")


def all_cases():
    return book.cases
