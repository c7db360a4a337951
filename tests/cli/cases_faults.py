# SPDX-License-Identifier: Apache-2.0
# What an operator is told when something is wrong around the server: a file, a disk, a database, a backend, a key. Each
# is one clear sentence, and what was accepted is not lost.
import json
import os
import signal
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import harness
from cases_serve import CONFIGURATION, KEY, call, serving, write_configuration
from harness import case, contains, equal, lacks, run, wait_for

# Lets no file grow beyond a size, as a full disk or quota would; with the signal for it as a shell leaves it.
LIMITED = """
import os, resource, signal, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)
signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
os.execv(sys.argv[2], sys.argv[2:])
"""


class Backend:
    """A backend of the user's: answers each POST with what `answer` makes of its JSON, and remembers it."""

    def __init__(self, answer):
        asked = self.asked = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                asked.append((self.path, body))
                text = json.dumps(answer(body)).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def sentence(*arguments, status):
    """What the program says when it does not start: one complaint."""
    _, error = run("serve", *arguments, status=status)
    equal(error.count("fairlead:"), 1, error)
    return error


def closed_port():
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        return reserved.getsockname()[1]


# ── Files ───────────────────────────────────────────────────────────────────────────────────────────────────────────

@case
def a_file_that_is_none_is_named():
    contains(sentence("--config", harness.HOME, status=2), "cannot read", str(harness.HOME), "it is a folder")
    contains(sentence("--config", harness.HOME / "nowhere.toml", status=2), "nowhere.toml", "No such file")
    yaml = write_configuration("client:\n  insecure: true\n", "centrifugo.yaml")
    contains(sentence("--config", yaml, status=2), "is YAML", "TOML")
    contains(run("config", "check", yaml, status=1)[1], "is YAML")
    for verb in (["config", "check"], ["config", "print"]):
        contains(run(*verb, harness.HOME, status=15)[1], "it is a folder")


@case
def a_misspelt_variable_is_remarked_without_its_value():
    os.environ["FAIRLEAD_HTTP_API_KYE"] = "a secret of its own"
    try:
        with serving() as server:
            wait_for(lambda: "FAIRLEAD_HTTP_API_KYE" in server.log(), "a remark")
            contains(server.log(), "did you mean FAIRLEAD_HTTP_API_KEY?")
            lacks(server.log(), "a secret of its own")
            equal(server.end(), 0)
    finally:
        del os.environ["FAIRLEAD_HTTP_API_KYE"]


# ── The database ────────────────────────────────────────────────────────────────────────────────────────────────────

def durable(path, *arguments):
    return serving("--engine", f"sqlite:{path}", "--set", "channel.without_namespace.history_size=10000", *arguments)


def kept(server, channel):
    return call(server, "history", {"channel": channel, "limit": 0})[1]["result"]["offset"]


@case
def a_full_disk_is_said_once_and_loses_nothing():
    path = harness.HOME / "full.db"
    limited = durable(path)
    limited.command = [sys.executable, "-c", LIMITED, str(500_000), *limited.command]
    accepted = 0
    with limited as server:
        while accepted < 1000:
            answer = call(server, "publish", {"channel": "news", "data": "x" * 10_000})[1]
            if "error" in answer:
                break
            accepted += 1
            equal(answer["result"]["offset"], accepted)
        equal(answer["error"]["code"], 100)
        assert accepted > 5, f"only {accepted} were accepted"
        for _ in range(20):
            equal(call(server, "publish", {"channel": "news", "data": "x" * 10_000})[1]["error"]["code"], 100)
        wait_for(lambda: "the disk takes no more" in server.log(), "a sentence about the disk")
        contains(server.log(), str(path), "the engine refused")
        assert server.log().count("the disk takes no more") <= 2, server.log()
        equal(kept(server, "news"), accepted)
        equal(server.end(), 0)
    with durable(path) as server:
        equal(kept(server, "news"), accepted)
        equal(call(server, "publish", {"channel": "news", "data": 1})[1]["result"]["offset"], accepted + 1)


@case
def a_damaged_database_is_refused_and_left_alone():
    path = harness.HOME / "damaged.db"
    with durable(path) as server:
        for number in range(50):
            equal(call(server, "publish", {"channel": "news", "data": "x" * 1000})[0], 200)
        equal(server.end(), 0)
    whole = path.read_bytes()
    damaged = bytearray(whole)
    middle = len(damaged) // 2
    damaged[middle:middle + 8192] = bytes(8192)
    path.write_bytes(damaged)
    config = write_configuration()
    contains(sentence("--config", config, "--engine", f"sqlite:{path}", status=15), str(path), "restore it")
    equal(path.read_bytes(), bytes(damaged))
    path.write_bytes(b"something else entirely, and long enough to be a header\n" * 100)
    contains(sentence("--config", config, "--engine", f"sqlite:{path}", status=15), str(path), "no SQLite database")
    path.write_bytes(whole)
    with durable(path) as server:
        equal(kept(server, "news"), 50)


@case
def a_database_in_use_is_refused():
    path = harness.HOME / "busy.db"
    with durable(path):
        text = sentence("--config", write_configuration(), "--listen", "localhost:0", "--engine", f"sqlite:{path}", status=15)
        contains(text, str(path), "in use by another process")


# ── The backend ─────────────────────────────────────────────────────────────────────────────────────────────────────

def calling(url):
    return CONFIGURATION + f"""
[rpc.without_namespace]
proxy_enabled = true
[rpc.proxy]
endpoint = "{url}/rpc?key=of-the-backend"
[[rpc.namespaces]]
name = "users"
proxy_enabled = true
proxy_name = "people"
[[proxies]]
name = "people"
endpoint = "{url}/people"
"""


@case
def a_call_of_the_api_goes_to_the_backend_of_its_namespace():
    def answer(question):
        if question["method"] == "missing":
            return {"error": {"code": 404, "message": "no such thing"}}
        if question["method"] == "go":
            return {"disconnect": {"code": 4500, "reason": "go"}}
        return {"result": {"data": {"method": question["method"], "twice": question["data"]["n"] * 2}}}

    with Backend(answer) as backend, serving(text=calling(backend.url)) as server:
        rpc = lambda method: call(server, "rpc", {"method": method, "params": {"n": 21}})[1]
        equal(rpc("double"), {"result": {"data": {"method": "double", "twice": 42}}})
        equal(rpc("users:double"), {"result": {"data": {"method": "users:double", "twice": 42}}})
        equal(rpc("missing")["error"], {"code": 404, "message": "no such thing"})
        equal(rpc("go")["error"]["code"], 103)
        equal(rpc("nowhere:x")["error"]["code"], 104)
        equal([path.split("?")[0] for path, _ in backend.asked], ["/rpc", "/people", "/rpc", "/rpc"])
        equal({key: backend.asked[0][1][key] for key in ("client", "user", "transport")},
              {"client": "", "user": "", "transport": "api"})
    with serving() as server:
        equal(call(server, "rpc", {"method": "x"})[1]["error"]["code"], 108)


@case
def a_dead_backend_is_named_without_its_address():
    with serving(text=calling(f"http://127.0.0.1:{closed_port()}")) as server:
        equal(call(server, "rpc", {"method": "x", "params": {}})[1]["error"]["code"], 100)
        wait_for(lambda: "webhook" in server.log(), "a sentence about the backend")
        contains(server.log(), "webhook proxy:default:rpc: no answer")
        lacks(server.log(), "of-the-backend")
        equal(call(server, "publish", {"channel": "news", "data": 1})[1]["result"]["offset"], 1)


# ── Keys ────────────────────────────────────────────────────────────────────────────────────────────────────────────

@case
def a_set_of_keys_that_is_none_is_named():
    missing = harness.HOME / "nowhere.json"
    broken = harness.HOME / "broken.json"
    broken.write_text('{"keys": []}')
    for file, why in ((missing, "cannot read"), (broken, "no key that can be used")):
        path = write_configuration(f'[client.token]\njwks_public_endpoint = "file:{file}"\n', "keys.toml")
        contains(run("config", "check", path, status=1)[1], "client.token.jwks_public_endpoint", why)


@case
def a_key_that_is_none_is_named():
    for name, value in (("rsa_public_key", "-----BEGIN PUBLIC KEY-----\\nc2VjcmV0\\n-----END PUBLIC KEY-----\\n"),
                        ("ecdsa_public_key", "nonsense-of-mine"), ("hmac_secret_key", "-----BEGIN RSA PRIVATE KEY-----")):
        path = write_configuration(f'[client.token]\n{name} = "{value}"\n', "keys.toml")
        text = sentence("--config", path, status=2)
        contains(text, f"client.token.{name}")
        lacks(text, "c2VjcmV0", "nonsense-of-mine")
        contains(run("config", "check", path, status=1)[1], f"client.token.{name}")
    path = write_configuration('[client.token]\njwks_public_endpoint = "https://keys.example/{{realm}}"\n'
                               'issuer_regex = "https://(?P<realm>.*)"\n', "keys.toml")
    contains(sentence("--config", path, status=2), "client.token.issuer_regex", "literal values alone")
