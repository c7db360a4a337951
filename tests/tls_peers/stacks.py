# SPDX-License-Identifier: Apache-2.0
# The table of what each stack can do; what it cannot is left out with its reason.
import dataclasses
import functools
import subprocess

from support import processes

AES_128, AES_256, CHACHA = "TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"
OLD_AES, OLD_CHACHA = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"
ALL = {"1.3": (AES_128, AES_256, CHACHA), "1.2": (OLD_AES, OLD_CHACHA)}
SHORT = {AES_128: "aes128", AES_256: "aes256", CHACHA: "chacha20", OLD_AES: "aes128", OLD_CHACHA: "chacha20"}


@dataclasses.dataclass(frozen=True)
class Stack:
    name: str
    title: str
    client: dict  # version → suites that a client of it can be made to use
    server: dict
    updates: bool = False  # sends KeyUpdate when asked to
    resumes: bool = False  # as a client
    tickets: bool = False  # as a server whose sessions our client resumes
    padding: bool = False
    truncation: bool = True  # tells close_notify from the end of TCP
    cuts: bool = True  # can end TCP without close_notify
    left_out: str = ""


def only(*suites):
    return {**ALL, "1.3": suites}


STACKS = [
    Stack("gnutls", "GnuTLS", ALL, ALL, updates=True, resumes=True, tickets=True, padding=True),
    Stack("nss", "NSS", ALL, ALL, updates=True, resumes=True, tickets=True,
          left_out="padding: NSS pads handshake records alone"),
    Stack("go", "Go crypto/tls", only(AES_128, CHACHA), only(AES_128, CHACHA), resumes=True, tickets=True,
          left_out="AES-256: programs cannot choose suites of TLS 1.3; KeyUpdate: it answers and never begins"),
    Stack("java", "Java JSSE", ALL, ALL, resumes=True, tickets=True,
          left_out="KeyUpdate on command: it begins one after jdk.tls.keyLimits, see cases_updates.py"),
    Stack("bun", "BoringSSL in Bun", {"1.3": (AES_128,), "1.2": (OLD_AES,)}, {"1.3": (AES_128,), "1.2": (OLD_AES,)},
          truncation=False, cuts=False,
          left_out="other suites, KeyUpdate, resumption and the end without close_notify: its sockets have no words for them"),
    Stack("python", "Python ssl", only(AES_256), only(AES_256), resumes=True, tickets=True,
          left_out="other suites of TLS 1.3 and KeyUpdate: the module has no words for them"),
]
OPENSSL = Stack("openssl", "openssl s_client, s_server", ALL, ALL, updates=True, resumes=True, tickets=True, padding=True)


@functools.cache
def record_layers():
    """The record layers that the binary under test can be told to use; one without a name when there is no choice."""
    said = subprocess.run([processes.binary(), "echo", "--help"], capture_output=True, text=True, timeout=30).stdout
    return ("openssl", "automatic") if "--record-layer" in said else ("",)


def flags(layer):
    return ("--record-layer", layer) if layer else ()


def suffix(layer):
    return f"-{layer}" if layer else ""
