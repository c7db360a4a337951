# SPDX-License-Identifier: Apache-2.0
# What the program says about itself: usage errors, help, man pages, completion, version, colour.
import json
import os
import pty
import re
import subprocess
import tempfile
import pathlib

from harness import FAIRLEAD, case, contains, equal, lacks, run

VERBS = ["serve", "publish", "subscribe", "presence", "history", "info", "disconnect", "token create", "token inspect",
         "config check", "config print", "echo", "connect", "bench", "cert dev", "cert show", "demo", "version", "completion"]


@case
def usage_errors_end_with_2():
    contains(run(status=2)[1], "a verb is missing", "echo", "connect")
    contains(run("sail", status=2)[1], "no verb 'sail'", "connect")
    contains(run("cert", status=2)[1], "dev, show")
    contains(run("cert", "burn", status=2)[1], "no verb 'burn'")
    contains(run("echo", "--nonsense", status=2)[1], "--nonsense", "fairlead echo --help")
    contains(run("echo", "--threads", "many", status=2)[1], "--threads")
    contains(run("echo", "--idle", "-1", status=2)[1], "--idle")
    contains(run("echo", "--max-message", "1X", status=2)[1], "--max-message")
    contains(run("echo", "--cert", "x.pem", status=2)[1], "--key")
    contains(run("connect", status=2)[1], "URL is required")
    contains(run("cert", "show", status=2)[1], "FILE is required")
    contains(run("connect", "wss://x", "--max-message", "12Q", status=2)[1], "--max-message", "'12Q' is no number", "64K")
    contains(run("bench", "wss://x", "--mode", "ecko", status=2)[1], "'ecko'", "echo, fanout, handshake, idle, resume")
    contains(run("cert", "show", "/nowhere", status=15)[1], "/nowhere", "HOST:PORT")
    contains(run("echo", "--cleartext", "--listen", "0.0.0.0:0", status=2)[1], "127.0.0.1")
    contains(run("connect", "wss://x", "--chunk-bytes", "5", status=2)[1], "--binary")
    contains(run("connect", "wss://x", "--insecure", "--ca", "x", status=2)[1], "--insecure")


@case
def every_verb_has_help_with_examples():
    for verb in VERBS:
        out, err = run(*verb.split(), "--help")
        contains(out, f"fairlead {verb}", "Usage:", "Options:", "Examples:", "--help")
        equal(err, "")
        equal(run(*verb.split(), "-h")[0], out)
    out, _ = run("--help")
    contains(out, *[verb.split()[0] for verb in VERBS], "Exit status:")


@case
def exit_statuses_are_in_help():
    for verb in ("connect", "cert show"):
        contains(run(*verb.split(), "--help")[0], "Exit status:", "   7  ", "  13  ", "130")


@case
def man_pages_have_no_fault():
    with tempfile.TemporaryDirectory() as folder:
        run("man", "--directory", folder)
        pages = sorted(pathlib.Path(folder).iterdir())
        equal({page.stem for page in pages} >= {"fairlead", *("fairlead-" + verb.replace(" ", "-") for verb in VERBS)}, True)
        for page in pages:
            done = subprocess.run(["groff", "-man", "-Tutf8", "-ww", "-z", page], capture_output=True, text=True, check=True)
            equal(done.stderr, "", page.name)
            shown = subprocess.run(["man", "-l", page], capture_output=True, text=True, check=True,
                                   env={**os.environ, "MANWIDTH": "100", "LC_ALL": "C.UTF-8"})
            contains(shown.stdout, "NAME", "SYNOPSIS", page.stem)


@case
def man_page_of_one_verb():
    contains(run("man", "fairlead-cert-show")[0], ".TH \"FAIRLEAD\\-CERT\\-SHOW\" 1")
    run("man", "fairlead-sail", status=2)
    run("man", "--directory", "/proc/nowhere", status=15)


def complete(*words):
    """What bash would offer for the last of `words`."""
    script = run("completion", "bash")[0]
    quoted = " ".join(f"'{word}'" for word in words)
    code = f"{script}\nCOMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}; _fairlead_complete; printf '%s\\n' \"${{COMPREPLY[@]}}\""
    done = subprocess.run(["bash", "--norc", "-euc", code], capture_output=True, text=True, check=True)
    equal(done.stderr, "")
    return done.stdout.split()


@case
def completion_offers_verbs_options_and_values():
    equal(complete("fairlead", "ec"), ["echo"])
    equal(sorted(complete("fairlead", "cert", "")), ["dev", "show"])
    equal(complete("fairlead", "echo", "--tls"), ["--tls-profile"])
    equal(sorted(complete("fairlead", "echo", "--tls-profile", "")), ["intermediate", "modern"])
    equal(complete("fairlead", "connect", "--subp"), ["--subprotocol"])
    equal(complete("fairlead", "cert", "show", "--serv"), ["--server-name"])
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "chain.pem").touch()
        equal(complete("fairlead", "echo", "--cert", f"{folder}/ch"), [f"{folder}/chain.pem"])


@case
def completion_is_registered():
    script = run("completion", "bash")[0]
    done = subprocess.run(["bash", "--norc", "-euc", script + "\ncomplete -p fairlead"], capture_output=True, text=True, check=True)
    contains(done.stdout, "_fairlead_complete")
    run("completion", "fish", status=2)


@case
def version_for_people_and_programs():
    out, _ = run("version")
    contains(out, "fairlead ", "OpenSSL 3.", "zlib ", "Boost ")
    facts = json.loads(run("version", "--json")[0])
    equal(set(facts), {"fairlead", "openssl", "zlib", "boost", "compiler"})
    contains(run("--version")[0], facts["fairlead"])


def on_terminal(*arguments, **environment):
    """Runs it with a terminal as stdout."""
    master, slave = pty.openpty()
    process = subprocess.Popen([FAIRLEAD, *arguments], stdout=slave, stdin=subprocess.DEVNULL,
                               env={**os.environ, **environment})
    os.close(slave)
    text = b""
    while True:
        try:
            more = os.read(master, 65536)
        except OSError:
            break
        if not more:
            break
        text += more
    process.wait()
    os.close(master)
    return text.decode()


@case
def colour_is_for_terminals_that_want_it():
    contains(on_terminal("--help"), "\x1b[")
    lacks(on_terminal("--help", NO_COLOR="1"), "\x1b[")
    lacks(on_terminal("--help", TERM="dumb"), "\x1b[")
    lacks(run("--help")[0], "\x1b[")


@case
def output_that_cannot_be_written_is_said():
    with open("/dev/full", "wb") as full:
        for words in (("--help",), ("--version",), ("version",), ("cert", "dev"), ("echo", "--listen", "localhost:0")):
            contains(run(*words, status=15, stdout=full)[1], "cannot write the output", "No space left")


@case
def help_lines_fit():
    for verb in VERBS:
        for line in run(*verb.split(), "--help")[0].splitlines():
            assert len(line) <= 130, f"{verb}: {line}"
        assert not re.search(r"\{[a-z_]*\}", run(*verb.split(), "--help")[0])
