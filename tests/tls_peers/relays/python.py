# SPDX-License-Identifier: Apache-2.0
# The relay over Python's ssl. It chooses no suites of TLS 1.3: as a client it asks for AES-256 first.
import ssl

import loop

NAMES = {"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256": "ECDHE-ECDSA-AES128-GCM-SHA256",
         "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-ECDSA-CHACHA20-POLY1305"}


def context_for(chosen):
    client = chosen["role"] == "client"
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT if client else ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = made.maximum_version = ssl.TLSVersion[f"TLSv{chosen['version'].replace('.', '_')}"]
    made.set_alpn_protocols(["http/1.1"])
    if chosen["version"] == "1.2":
        made.set_ciphers(NAMES[chosen["suite"]])
    if "cert" in chosen:
        made.load_cert_chain(chosen["cert"], chosen["key"])
    for name in ("ca", "client_ca"):
        if name in chosen:
            made.load_verify_locations(chosen[name])
    if "client_ca" in chosen:
        made.verify_mode = ssl.CERT_REQUIRED
    return made


class Python(loop.Relay):
    chosen = loop.options()
    context = context_for(chosen)
    session = None

    def __init__(self, sock):
        super().__init__(sock)
        client = self.chosen["role"] == "client"
        self.tls = self.context.wrap_socket(sock, server_side=not client, server_hostname="localhost" if client else None,
                                            do_handshake_on_connect=False, suppress_ragged_eofs=False,
                                            session=self.session)
        self.sock = self.tls

    def handshake(self):
        try:
            self.tls.do_handshake()
        except OSError as problem:
            raise loop.End(f"error: {problem}") from None
        suite = self.tls.cipher()[0]
        names = {ours: theirs for theirs, ours in NAMES.items()}
        return f"{self.tls.version()} {names.get(suite, suite)} {'resumed' if self.tls.session_reused else 'full'}"

    def read(self):
        try:
            data = self.tls.recv(loop.READ_BYTES)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return b""
        except ssl.SSLZeroReturnError:
            raise loop.End(loop.CLOSE_NOTIFY) from None
        except ssl.SSLError as problem:
            raise loop.End(loop.TRUNCATED if "EOF" in str(problem).upper() else f"error: {problem}") from None
        except OSError as problem:
            raise loop.End(f"error: {problem}") from None
        if not data:
            raise loop.End(loop.CLOSE_NOTIFY)
        return data

    def pending(self):
        return bool(self.readable and self.tls.pending())

    def write(self, data, padding):
        try:
            return self.tls.send(data[:16384])
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return 0
        except OSError as problem:
            raise loop.End(f"error: {problem}") from None

    def close_notify(self):
        """Sends it; `unwrap` would also wait for the peer's, which `read` sees."""
        try:
            self.tls._sslobj.shutdown()
        except (ssl.SSLError, OSError):
            pass

    def finished(self):
        Python.session = self.tls.session


if __name__ == "__main__":
    loop.serve(Python, Python.chosen)
