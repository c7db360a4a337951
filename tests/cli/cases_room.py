# SPDX-License-Identifier: Apache-2.0
# `fairlead demo`: pages, the session's facts, and a room for terminals and pages.
import asyncio
import json
import pathlib
import re
import subprocess
import tempfile

import websockets

import harness
from harness import FAIRLEAD, Serving, case, contains, context, development_ca, equal, lacks, run


def demo(*arguments):
    return Serving("--threads", "2", *arguments, verb="demo")


def fetch(server, path):
    return subprocess.run(["curl", "-sSi", "--cacert", development_ca(), f"https://localhost:{server.port}{path}"],
                          capture_output=True, text=True, check=True).stdout


def converse(conversation):
    return asyncio.run(asyncio.wait_for(conversation(), harness.PATIENCE_SECONDS))


def page(server, path="/room", **options):
    return websockets.connect(server.url(path), ssl=context(), **options)


@case
def demo_says_where_it_is_and_what_to_try():
    with demo() as server:
        assert re.fullmatch(r"listening on https://localhost:\d+/", server.line), server.line
        equal(server.end(), 0)
        lines = server.out.splitlines()
        equal(len(lines), 2)
        contains(lines[1], f"fairlead connect wss://localhost:{server.port}/room --ca {development_ca()}")


@case
def demo_serves_a_text_page_without_a_built_one():
    with demo() as server:
        contains(fetch(server, "/"), "200 OK", "/room")
        contains(fetch(server, "/nothing"), " 404 ")


@case
def demo_serves_files_with_a_strict_policy():
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "index.html").write_text("<!doctype html>hello")
        pathlib.Path(folder, "x.js").write_text("1")
        with demo("--web", folder) as server:
            contains(fetch(server, "/").lower(), "200 ok", "hello", "content-security-policy: default-src 'none'", "nosniff",
                     "text/html")
            contains(fetch(server, "/x.js").lower(), "javascript")
    run("demo", "--web", "/nowhere", status=2)


@case
def demo_tells_what_was_negotiated():
    async def conversation():
        async with page(server, "/api/session", subprotocols=["session.fairlead"]) as ws:
            facts = json.loads(await ws.recv())
            await ws.send("ping")
            equal(await ws.recv(), "ping")
            await ws.send(b"\1")
            equal(await ws.recv(), b"\1")
            return facts
    with demo() as server:
        facts = converse(conversation)
        equal(facts["tls"], "TLSv1.3")
        equal(facts["protocol"], "session.fairlead")
        equal(facts["resumed"], False)
        equal(facts["alpn"] in ("http/1.1", ""), True)
        contains(facts["extensions"], "permessage-deflate")
        contains(facts["server"], "fairlead ")
        assert facts["peer"] in ("127.0.0.1", "::1"), facts
        assert facts["cipher"] and facts["group"], facts
        equal(facts["ca"], "dev")  # by name: where a file lies on the server's machine is not for browsers
        lacks(json.dumps(facts), str(harness.HOME), ".pem")


@case
def room_is_shared_by_pages_and_terminals():
    async def conversation():
        async with page(server, subprotocols=["room.json"]) as ada:
            welcome = json.loads(await ada.recv())
            equal(welcome["type"], "welcome")
            terminal = await asyncio.create_subprocess_exec(
                FAIRLEAD, "connect", server.url("/room"), "--ca", "dev", stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE)
            equal(json.loads(await ada.recv())["type"], "joined")
            await ada.send(json.dumps({"type": "name", "name": "ada"}))
            equal(json.loads(await ada.recv())["to"], "ada")
            terminal.stdin.write(b"/name bob\nhello from a terminal\n")
            await terminal.stdin.drain()
            equal(json.loads(await ada.recv())["to"], "bob")
            said = json.loads(await ada.recv())
            equal((said["type"], said["from"], said["text"]), ("message", "bob", "hello from a terminal"))
            await ada.send(json.dumps({"type": "say", "text": "hello from a page"}))
            heard = []
            while "ada: hello from a page" not in heard:
                heard.append((await terminal.stdout.readline()).decode().rstrip())
            contains(heard, "* guest-1 is now ada", "* guest-2 is now bob", "bob: hello from a terminal")
            await ada.recv()
            terminal.stdin.close()
            equal(await terminal.wait(), 0)
            left = json.loads(await ada.recv())
            equal((left["type"], left["name"]), ("left", "bob"))
            async with page(server, subprotocols=["room.json"]) as late:
                history = json.loads(await late.recv())["history"]
                equal([one["text"] for one in history], ["hello from a terminal", "hello from a page"])
    with demo() as server:
        converse(conversation)


@case
def room_has_one_order_for_all():
    async def conversation():
        async def member(name, heard):
            async with page(server, subprotocols=["room.json"]) as ws:
                await asyncio.sleep(0.3)  # everybody is here
                for i in range(15):
                    await ws.send(json.dumps({"type": "say", "text": f"{name} {i}"}))
                while len(heard) < 6 * 15:
                    event = json.loads(await ws.recv())
                    if event["type"] == "message":
                        heard.append(event["text"])
        orders = [[] for _ in range(6)]
        await asyncio.gather(*(member(f"m{i}", order) for i, order in enumerate(orders)))
        for order in orders:
            equal(order, orders[0])
    with demo() as server:
        converse(conversation)


@case
def room_answers_nonsense_and_survives_it():
    async def conversation():
        async with page(server, subprotocols=["room.json"]) as ws:
            await ws.recv()
            for bad in ("", "{", "[]", '{"type":"say","text":7}', json.dumps({"type": "say", "text": "x" * 2001})):
                await ws.send(bad)
                equal(json.loads(await ws.recv())["type"], "error")
            await ws.send(b"binary")
            try:
                await ws.recv()
            except websockets.ConnectionClosed:
                pass
            equal(ws.close_code, 1003)
        async with page(server) as ws:
            equal(await ws.recv(), "* guest-2 joined")
            try:
                for _ in range(200):
                    await ws.send("flood")
                while True:
                    await ws.recv()
            except websockets.ConnectionClosed:
                pass
            equal(ws.close_code, 1008)
    with demo() as server:
        converse(conversation)


@case
def demo_keeps_other_pages_out():
    async def conversation():
        try:
            async with page(server, origin="https://evil.example"):
                return 101
        except websockets.InvalidStatusCode as refusal:
            return refusal.status_code
    with demo() as server:
        equal(converse(conversation), 403)
