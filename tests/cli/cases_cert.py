# SPDX-License-Identifier: Apache-2.0
# `fairlead cert`: the development certificate, and a look at others.
import json
import os
import pathlib
import socket
import subprocess
import tempfile

import harness
from harness import Peer, Serving, case, closes_with, contains, equal, lacks, openssl, run


@case
def dev_makes_a_certificate_and_says_how_to_trust_it():
    with tempfile.TemporaryDirectory() as folder:
        out, _ = run("cert", "dev", "--dir", f"{folder}/x")
        contains(out, "(new)", "update-ca-certificates", "certutil", "irefox", f"{folder}/x")
        made = json.loads(run("cert", "dev", "--dir", f"{folder}/x", "--json")[0])
        equal((made["ca_created"], made["cert_created"]), (False, False))
        equal(run("cert", "dev", "--dir", f"{folder}/x", "--print-ca-path")[0], made["ca"] + "\n")
        for file in pathlib.Path(folder, "x").iterdir():
            if "key" in file.name:
                equal(file.stat().st_mode & 0o777, 0o600, file.name)
        equal(pathlib.Path(folder, "x").stat().st_mode & 0o777, 0o700)
        openssl("verify", "-CAfile", made["ca"], "-verify_hostname", "localhost", made["cert"])


@case
def dev_forced_makes_the_leaf_again_and_keeps_the_ca():
    with tempfile.TemporaryDirectory() as folder:
        before = json.loads(run("cert", "dev", "--dir", folder, "--json")[0])
        leaf = pathlib.Path(before["cert"]).read_bytes()
        after = json.loads(run("cert", "dev", "--dir", folder, "--force", "--json")[0])
        equal(after["ca_sha256"], before["ca_sha256"])
        equal(after["cert_created"], True)
        assert pathlib.Path(after["cert"]).read_bytes() != leaf


@case
def dev_says_when_it_cannot_write():
    _, err = run("cert", "dev", "--dir", "/proc/nowhere", status=None)
    contains(err, "/proc/nowhere")


@case
def show_a_file():
    out, err = run("cert", "show", harness.HOME / "server.pem")
    contains(out, "localhost, 127.0.0.1", "EC P-256", "days left", "sha256", "pin", "CN=server")
    lacks(out, "\x1b[")
    equal(err, "")
    shown = json.loads(run("cert", "show", harness.HOME / "server.pem", "--json")[0])
    one = shown["chain"][0]
    equal(one["days_left"] in (19, 20), True)
    fingerprint = subprocess.run(["openssl", "x509", "-in", harness.HOME / "server.pem", "-noout", "-fingerprint", "-sha256"],
                                 capture_output=True, text=True, check=True).stdout
    equal(fingerprint.strip().split("=")[1].replace(":", "").lower(), one["sha256"])
    equal(one["is_ca"], False)


@case
def show_a_chain():
    chain = harness.HOME / "chain.pem"
    chain.write_bytes((harness.HOME / "server.pem").read_bytes() + (harness.HOME / "ca.pem").read_bytes())
    shown = json.loads(run("cert", "show", chain, "--json")[0])
    equal([one["is_ca"] for one in shown["chain"]], [False, True])
    contains(run("cert", "show", chain)[0], "1. certificate", "2. CA", "itself")


@case
def show_warns_of_what_expires():
    harness.issue("brief", "DNS:localhost", "serverAuth", days=1)
    shown = run("cert", "show", harness.HOME / "brief.pem")[0]
    contains(shown, "days left")
    contains(run("cert", "show", harness.HOME / "ca.pem")[0], "warning")


@case
def show_says_what_cannot_be_read():
    contains(run("cert", "show", "/nowhere.pem", status=15)[1], "/nowhere.pem")
    contains(run("cert", "show", harness.HOME / "server.ext", status=15)[1], "server.ext")
    run("cert", "show", "ws://localhost:1", status=3)
    run("cert", "show", "wss://no-such-host.invalid", status=4)
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        run("cert", "show", f"127.0.0.1:{one.getsockname()[1]}", status=5)


@case
def show_a_server():
    with Serving() as server:
        out, _ = run("cert", "show", server.url(), "--ca", "dev")
        contains(out, "TLSv1.3", "trusted      yes", "localhost")
        out, _ = run("cert", "show", f"localhost:{server.port}", status=7)
        contains(out, "trusted      no", "days left")
        facts = json.loads(run("cert", "show", server.url(), "--json", "--ca", "dev")[0])
        equal(facts["handshake"]["trusted"], True)
        equal(facts["handshake"]["alpn"], "http/1.1")


@case
def show_a_server_of_another_name():
    with Peer(closes_with(1000), certificate="other") as peer:
        ca = ["--ca", harness.HOME / "ca.pem"]
        out, _ = run("cert", "show", peer.url(), *ca, status=8)
        contains(out, "other.example")
        run("cert", "show", peer.url(), *ca, "--server-name", "other.example")


@case
def no_trace_of_the_key_is_printed():
    key = pathlib.Path(harness.HOME / "server.key").read_text().splitlines()[1]
    both = harness.HOME / "both.pem"
    both.write_bytes((harness.HOME / "server.pem").read_bytes() + (harness.HOME / "server.key").read_bytes())
    lacks(run("cert", "show", both)[0], key)
    assert os.path.exists(both)
