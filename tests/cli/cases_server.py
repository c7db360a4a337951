# SPDX-License-Identifier: Apache-2.0
# `fairlead publish`, `subscribe`, `presence`, `history`, `info`, `disconnect` against a running server.
import json
import os
import signal
import socket
import subprocess

import harness
from cases_serve import CONFIGURATION, KEY, Subscribing, serving
from harness import FAIRLEAD, PATIENCE_SECONDS, case, contains, equal, lacks, run


def at(server):
    return ["--url", f"https://localhost:{server.port}", "--ca", "dev"]


def key_file():
    path = harness.HOME / "api.key"
    path.write_text(KEY + "\n")
    return path


def ask(server, *arguments, **options):
    return run(*arguments, *at(server), "--key-file", key_file(), **options)


def published(server, channel):
    """What the history of the channel holds, as JSON values."""
    out, _ = ask(server, "history", channel, "--limit", "-1")
    return [json.loads(line) for line in out.splitlines()]


@case
def publish_sends_json_as_it_stands_and_all_else_as_a_string():
    with serving() as server:
        contains(ask(server, "publish", "news", '{"a": 1.50}')[0], "published at offset 1 of epoch ")
        ask(server, "publish", "news", "hello 🚢")
        ask(server, "publish", "news", "42")
        ask(server, "publish", "news", "42", "--text")
        ask(server, "publish", "news", stdin='{"from":\n"a pipe"}\n')
        out, err = ask(server, "history", "news")
        equal([json.loads(line) for line in out.splitlines()], [{"a": 1.5}, "hello 🚢", 42, "42", {"from": "a pipe"}])
        contains(out, "1.50")
        contains(err, "position 5,")
        contains(ask(server, "publish", "news", "1", "--json")[0], '"offset":6')


@case
def publish_takes_a_line_for_each_message():
    with serving() as server:
        equal(ask(server, "publish", "news", "-", stdin="1\n\n2\r\nlast without newline")[0], "")
        equal(published(server, "news"), [1, 2, "last without newline"])
        equal(len(ask(server, "publish", "news", "-", "--json", stdin="a\nb\n")[0].splitlines()), 2)
        equal(ask(server, "publish", "news", "-", stdin="")[0], "")


@case
def publish_does_not_wait_for_the_end_of_its_input():
    with serving() as server, Subscribing(server, "news") as client:
        client.remarked("subscribed to news")
        command = [FAIRLEAD, "publish", "news", "-", *at(server), "--key-file", str(key_file())]
        with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
            for number in range(3):
                process.stdin.write(f"{number}\n".encode())
                process.stdin.flush()
                equal(client.line(), str(number))
            process.stdin.close()
            equal(process.wait(PATIENCE_SECONDS), 0)


@case
def publish_once_with_the_same_idempotency_key():
    with serving() as server:
        for _ in range(2):
            ask(server, "publish", "news", "1", "--idempotency-key", "one")
            ask(server, "publish", "news", "-", "--idempotency-key", "lines", stdin="2\n2\n")
        equal(published(server, "news"), [1, 2, 2])


@case
def publish_with_tags_and_bytes():
    with serving() as server:
        ask(server, "publish", "news", "1", "--tag", "lang=en", "--tag", "empty=")
        answer = json.loads(ask(server, "history", "news", "--json")[0])
        equal(answer["publications"][0]["tags"], {"lang": "en", "empty": ""})
        ask(server, "publish", "news", "AP8Q", "--b64")
        equal(ask(server, "history", "news", "--reverse", "--limit", "1")[0], "AP8Q\n")
        ask(server, "publish", "news", "no base64!", "--b64", status=1)
        contains(ask(server, "publish", "news", "1", "--tag", "lang", status=2)[1], "NAME=VALUE")


@case
def the_key_comes_from_a_file_or_the_environment():
    with serving() as server:
        run("info", *at(server), "--key", KEY)
        run("info", *at(server), "--key-file", "-", stdin=KEY + "\n")
        run("info", *at(server), env={**os.environ, "FAIRLEAD_HTTP_API_KEY": KEY})
        _, err = run("info", *at(server), "--key", "wrong", status=10)
        contains(err, "HTTP 401", "--key-file", "FAIRLEAD_HTTP_API_KEY")
        lacks(err, "wrong:")
        run("info", *at(server), status=10)
        run("info", *at(server), "--key", "two\nlines", status=2)
        run("info", *at(server), "--key-file", harness.HOME / "nowhere", status=15)
        run("info", *at(server), "--key", KEY, "--key-file", key_file(), status=2)
        run("publish", "news", *at(server), "--key-file", "-", status=2)
        for verb in ("publish", "presence", "info"):
            contains(run(verb, "--help")[0], "every user of the machine can see it")


@case
def a_server_that_is_not_there_has_a_status():
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port = reserved.getsockname()[1]
    for verb in (["info"], ["publish", "news", "1"], ["subscribe", "news"]):
        contains(run(*verb, "--url", f"https://localhost:{port}", status=5)[1], "runs")
    run("info", "--url", "https://nowhere.invalid", status=4)
    run("info", "--url", "ftp://localhost", status=3)
    run("info", "--url", "http://localhost", status=3)
    run("subscribe", "news", "--url", "http://localhost", status=3)


@case
def a_server_that_is_not_trusted_is_not_asked():
    with serving() as server:
        url = ["--url", f"https://localhost:{server.port}"]
        contains(run("info", *url, "--key", KEY, status=7)[1], "--ca dev")
        run("subscribe", "news", *url, status=7)
        run("info", *url, "--ca", harness.HOME / "ca.pem", "--key", KEY, status=7)


@case
def an_unknown_channel_is_the_servers_error():
    with serving() as server:
        for verb in (["publish", "nowhere:x", "1"], ["presence", "nowhere:x"], ["history", "nowhere:x"]):
            contains(ask(server, *verb, status=1)[1], "102 unknown channel")
        contains(run("subscribe", "nowhere:x", *at(server), status=1)[1], "cannot subscribe to nowhere:x: 102")
        contains(ask(server, "presence", "quiet:x", status=1)[1], "108")
        _, err = ask(server, "publish", "nowhere:x", "-", stdin="1\n2\n", status=1)
        contains(err, "line 1 was not published")


@case
def errors_are_understood_also_where_the_api_has_them_by_status():
    text = CONFIGURATION.replace("[http_api]\n", '[http_api]\nerror_mode = "transport"\n')
    with serving(text=text) as server:
        contains(ask(server, "publish", "nowhere:x", "1", status=1)[1], "102 unknown channel")
        contains(ask(server, "presence", "quiet:x", status=1)[1], "108")
        contains(ask(server, "publish", "news", "1")[0], "published at offset 1")


@case
def presence_and_info_say_who_is_there():
    with serving() as server, Subscribing(server, "news") as client:
        client.remarked("subscribed to news")
        out, _ = ask(server, "presence", "news")
        equal(len(out.splitlines()), 1)
        equal(ask(server, "presence", "news", "--stats")[0], "1 clients, 1 users\n")
        identity, facts = next(iter(json.loads(ask(server, "presence", "news", "--json")[0])["presence"].items()))
        equal(facts["client"], identity)
        equal(ask(server, "presence", "elsewhere")[0], "")
        contains(ask(server, "info")[0], "1 clients", "1 channels", "1 subscriptions")
        equal(json.loads(ask(server, "info", "--json")[0])["nodes"][0]["num_clients"], 1)


@case
def history_goes_on_from_a_position():
    with serving() as server:
        ask(server, "publish", "news", "-", stdin="1\n2\n3\n")
        position = ask(server, "history", "news", "--limit", "2")[1].split()[1]
        equal(position.split(",")[0], "3")
        epoch = position.split(",")[1]
        equal(ask(server, "history", "news", "--since", f"1,{epoch}")[0], "2\n3\n")
        equal(ask(server, "history", "news", "--reverse", "-n", "1")[0], "3\n")
        equal(ask(server, "history", "news", "--limit", "0")[0], "")
        contains(ask(server, "history", "news", "--since", "1,other", status=1)[1], "112")
        contains(ask(server, "history", "news", "--since", "1", status=2)[1], "OFFSET,EPOCH")


@case
def subscribe_prints_a_line_for_each_publication():
    with serving() as server, Subscribing(server, "news", "other", "--json") as client:
        client.remarked("subscribed to news")
        client.remarked("subscribed to other")
        ask(server, "publish", "news", '{"a":1}', "--tag", "t=1")
        first = json.loads(client.line())
        equal((first["channel"], first["pub"]["data"], first["pub"]["offset"], first["pub"]["tags"]), ("news", {"a": 1}, 1, {"t": "1"}))
        ask(server, "publish", "other", "2")
        equal(json.loads(client.line())["channel"], "other")
        equal(client.end(signal.SIGINT), 0)


@case
def subscribe_begins_with_the_history():
    with serving() as server:
        ask(server, "publish", "news", "-", stdin="1\n2\n3\n")
        with Subscribing(server, "news", "--history", "2") as client:
            equal([client.line(), client.line()], ["2", "3"])
            ask(server, "publish", "news", "4")
            equal(client.line(), "4")
            equal(client.end(signal.SIGTERM), 0)


@case
def subscribe_recovers_from_a_position():
    with serving() as server:
        ask(server, "publish", "news", "-", stdin="1\n2\n3\n")
        epoch = ask(server, "history", "news", "--limit", "0")[1].strip().split(",")[1]
        equal(run("subscribe", "news", *at(server), "--recover", f"1,{epoch}", "--count", "2")[0], "2\n3\n")
        with Subscribing(server, "news", "--recover", "1,other") as client:
            client.remarked("could not be recovered")
            ask(server, "publish", "news", "4")
            equal(client.line(), "4")
        run("subscribe", "news", *at(server), "--recover", "1", status=2)
        run("subscribe", "news", "other", *at(server), "--recover", "1,x", status=2)
        run("subscribe", "news", *at(server), "--recover", "1,x", "--history", "1", status=2)


@case
def subscribe_comes_back_and_misses_nothing():
    with serving() as server, Subscribing(server, "news") as client:
        client.remarked("subscribed to news")
        for number in range(3):
            ask(server, "publish", "news", str(number))
            equal(client.line(), str(number))
            ask(server, "disconnect", "", "--client", presence_of(server)[0], "--code", "3011", "--reason", "come back")
            ask(server, "publish", "news", f'"missed {number}"')
            contains(client.remarked("closed"), "3011")
            client.remarked("subscribed to news")
            equal(client.line(), f'"missed {number}"')


def presence_of(server):
    return list(json.loads(ask(server, "presence", "news", "--json")[0])["presence"])


@case
def disconnect_sends_a_user_away():
    with serving("--set", "client.token.hmac_secret_key=secret") as server:
        token = harness.HOME / "token.txt"
        config = harness.HOME / "token.toml"
        config.write_text('[client]\ntoken.hmac_secret_key = "secret"\n')
        token.write_text(run("token", "create", "--config", config, "--user", "42")[0])
        with Subscribing(server, "news", "--token-file", str(token)) as client:
            client.remarked("subscribed to news")
            contains(ask(server, "presence", "news")[0], "  42")
            equal(ask(server, "disconnect", "42", "--reason", "go")[0], "")
            equal(client.process.wait(PATIENCE_SECONDS), 13)
            contains(client.remarked("closed with"), "3503", "go")
        ask(server, "disconnect", "nobody")
        ask(server, "disconnect", "42", "--code", "1000", status=2)
        run("subscribe", "news", *at(server), "--token", "no.token.atall", status=13)
        run("subscribe", "news", *at(server), "--token-file", harness.HOME / "nowhere", status=15)


@case
def subscribe_ends_when_its_reader_does():
    with serving() as server:
        command = [FAIRLEAD, "subscribe", "news", "--verbose", *at(server)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            contains(process.stderr.readline().decode(), "subscribed")
            process.stdout.close()
            ask(server, "publish", "news", "1")
            equal(process.wait(PATIENCE_SECONDS), 15)


@case
def a_stranger_is_refused_where_tokens_are_wanted():
    text = CONFIGURATION.replace("allow_anonymous_connect_without_token = true", "")
    with serving(text=text) as server:
        contains(run("subscribe", "news", *at(server), status=13)[1], "closed with")
