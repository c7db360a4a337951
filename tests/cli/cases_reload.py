# SPDX-License-Identifier: Apache-2.0
# What SIGHUP says that it changes it changes; the rest is named as needing a restart.
import base64
import http.client
import json
import signal
import subprocess
import time
import urllib.error
import urllib.request

import harness
from cases_faults import Backend
from cases_serve import CONFIGURATION, Subscribing, call, serving, write_configuration
from harness import PATIENCE_SECONDS, case, contains, context, equal, lacks, run, wait_for


def reload(server, text):
    before = server.log().count("reloaded")
    write_configuration(text)
    server.send(signal.SIGHUP)
    wait_for(lambda: server.log().count("reloaded") > before, "a reload")


def with_keys(*lines):
    """The configuration with more in front, where keys of other sections may stand in the dotted form."""
    return "\n".join(lines) + CONFIGURATION


def status_of(request):
    try:
        with urllib.request.urlopen(request, context=context(), timeout=PATIENCE_SECONDS) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


@case
def reload_changes_the_admin_password():
    text = lambda password: with_keys("admin.enabled = true", f'admin.password = "{password}"')
    with serving(text=text("old one")) as server:
        sign_in = lambda password: status_of(urllib.request.Request(
            f"https://localhost:{server.port}/admin/api/login", json.dumps({"password": password}).encode(), method="POST"))
        equal(sign_in("old one"), 200)
        reload(server, text("new one"))
        equal(sign_in("old one"), 401)
        equal(sign_in("new one"), 200)
        contains(server.log(), "changed: admin.password")
        lacks(server.log(), "old one", "new one")


def upgrade_status(server, origin):
    connection = http.client.HTTPSConnection("localhost", server.port, timeout=PATIENCE_SECONDS, context=context())
    connection.request("GET", "/connection/websocket", headers={
        "Origin": origin, "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="})
    status = connection.getresponse().status
    connection.close()
    return status


@case
def reload_changes_the_origins():
    with serving() as server:
        equal(upgrade_status(server, "https://app.example.org"), 403)
        reload(server, CONFIGURATION.replace("[client]\n", '[client]\nallowed_origins = ["https://*.example.org"]\n'))
        equal(upgrade_status(server, "https://app.example.org"), 101)
        equal(upgrade_status(server, "https://evil.example"), 403)


@case
def reload_changes_the_log():
    with serving() as server:
        write_configuration(with_keys('log.level = "error"') + "presence = true\n")
        server.send(signal.SIGHUP)
        wait_for(lambda: "result" in call(server, "presence", {"channel": "quiet:x"})[1], "the namespace's new options")
        reload(server, with_keys('log.format = "json"'))
        wait_for(lambda: server.log().rstrip().endswith("}"), "a line of JSON")
        equal(json.loads(server.log().splitlines()[-1])["message"], "reloaded")
        equal(server.log().count("reloaded"), 1, "the first reload is not worth a line at the level error;")


@case
def reload_changes_how_long_clients_are_sent_away():
    with serving("--set", "log.level=info", text=CONFIGURATION.replace('"1s"', '"10m"')) as server, \
            Subscribing(server, "news", "--no-reconnect") as client:
        client.remarked("subscribed to news")
        reload(server, CONFIGURATION.replace('"1s"', '"100ms"'))
        began = time.monotonic()
        equal(server.end(signal.SIGTERM), 0)
        assert time.monotonic() - began < 10, "the old window was waited for"


@case
def reload_changes_where_events_are_delivered():
    with Backend(lambda _: {}) as backend, serving(text=with_keys("events.enabled = true")) as server:
        with Subscribing(server, "news") as client:
            client.remarked("subscribed to news")
        equal(backend.asked, [])
        reload(server, with_keys("events.enabled = true", f'events.endpoint = "{backend.url}/events"',
                                 'events.kinds = ["connected", "disconnected"]'))
        contains(server.log(), "events.endpoint", "events.kinds")
        kinds = lambda: [event["kind"] for _, body in backend.asked for event in body["events"]]
        kept = ["node_started", "connected", "disconnected"]  # the first comes whatever `events.kinds` says
        wait_for(lambda: kinds() == kept, "what was kept")
        with Subscribing(server, "news") as client:
            client.remarked("subscribed to news")
        wait_for(lambda: kinds() == [*kept, "connected", "disconnected"], "what happened since")


@case
def reload_names_what_takes_a_restart():
    with serving() as server:
        reload(server, with_keys('websocket.message_size_limit = "1KiB"', "sse.enabled = true",
                                 'events.enabled = true').replace('[http_api]\n', '[http_api]\nmax_body_size = "2MiB"\n'))
        contains(server.log(), "these take a restart and stay as they are", "websocket.message_size_limit",
                 "sse.enabled", "events.enabled", "http_api.max_body_size")
        lacks(server.log(), "changed: ")


@case
def reload_keeps_the_good_keys_when_their_file_is_broken():
    secret, keys = harness.HOME / "issuer.pem", harness.HOME / "issuer.json"
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", secret], check=True, capture_output=True)
    public = subprocess.run(["openssl", "pkey", "-in", secret, "-pubout", "-outform", "DER"], check=True, capture_output=True)
    x = base64.urlsafe_b64encode(public.stdout[-32:]).decode().rstrip("=")
    keys.write_text(json.dumps({"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "a", "x": x}]}))
    text = CONFIGURATION.replace("allow_anonymous_connect_without_token = true", f'token.jwks_public_endpoint = "file:{keys}"')
    token = run("token", "create", "--key", secret, "--algorithm", "EdDSA", "--kid", "a", "--user", "42")[0].strip()
    with serving(text=text) as server:
        def believed():
            with Subscribing(server, "news", "--token", token, "--no-reconnect") as client:
                client.remarked("subscribed to news")
        believed()
        keys.write_text("half a file")
        server.send(signal.SIGHUP)
        refusals = lambda: server.log().count("not reloaded: client.token.jwks_public_endpoint")
        wait_for(lambda: refusals() == 1, "what is wrong with the keys")
        believed()
        # With another rule for tokens beside it: the keys that are there go on under the old rules.
        write_configuration(text.replace("token.jwks", 'token.audience = "other"\ntoken.jwks', 1))
        server.send(signal.SIGHUP)
        wait_for(lambda: refusals() == 2, "what is wrong with the keys")
        believed()
