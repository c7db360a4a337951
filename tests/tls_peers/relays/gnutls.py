# SPDX-License-Identifier: Apache-2.0
# The relay over GnuTLS, through its C interface: KeyUpdate of both kinds, padding of a chosen length, resumption.
import ctypes

import loop

lib = ctypes.CDLL("libgnutls.so.30")
POINTER = ctypes.c_void_p
lib.gnutls_strerror.restype = lib.gnutls_ciphersuite_get.restype = ctypes.c_char_p
lib.gnutls_protocol_get_name.restype = ctypes.c_char_p
for _name in ("gnutls_record_recv", "gnutls_record_send2"):
    getattr(lib, _name).restype = ctypes.c_ssize_t

SERVER, CLIENT, PEM = 1, 2, 1
CERTIFICATE = 1  # GNUTLS_CRD_CERTIFICATE
AGAIN, INTERRUPTED, PREMATURE_TERMINATION, REHANDSHAKE = -28, -52, -110, -37
REQUIRE = 2
UPDATE_PEER = 1  # GNUTLS_KU_PEER
SHUT_WR = 1
RECORD_BYTES = 16384
NAMES = {"AES_128_GCM": "AES-128-GCM", "AES_256_GCM": "AES-256-GCM", "CHACHA20_POLY1305": "CHACHA20-POLY1305"}


class Datum(ctypes.Structure):
    _fields_ = [("data", POINTER), ("size", ctypes.c_uint)]


def must(code, what):
    if code < 0:
        raise loop.End(f"error: {what}: {lib.gnutls_strerror(code).decode()}")
    return code


def credentials(chosen):
    made = POINTER()
    must(lib.gnutls_certificate_allocate_credentials(ctypes.byref(made)), "credentials")
    for name in ("ca", "client_ca"):
        if name in chosen:
            must(lib.gnutls_certificate_set_x509_trust_file(made, chosen[name].encode(), PEM), name)
    if "cert" in chosen:
        must(lib.gnutls_certificate_set_x509_key_file(made, chosen["cert"].encode(), chosen["key"].encode(), PEM), "key")
    return made


def priorities(chosen):
    cipher = next(name for suffix, name in NAMES.items() if suffix in chosen["suite"])
    return f"NORMAL:-VERS-ALL:+VERS-TLS{chosen['version']}:-CIPHER-ALL:+{cipher}".encode()


class Gnutls(loop.Relay):
    chosen = loop.options()
    shared = credentials(chosen)
    session_data = Datum()
    ticket_key = Datum()

    def __init__(self, sock):
        super().__init__(sock)
        self.client = self.chosen["role"] == "client"
        self.session = POINTER()
        must(lib.gnutls_init(ctypes.byref(self.session), CLIENT if self.client else SERVER), "init")
        must(lib.gnutls_priority_set_direct(self.session, priorities(self.chosen), None), "priorities")
        must(lib.gnutls_credentials_set(self.session, CERTIFICATE, self.shared), "credentials")
        protocol = Datum(ctypes.cast(ctypes.c_char_p(b"http/1.1"), POINTER), 8)
        must(lib.gnutls_alpn_set_protocols(self.session, ctypes.byref(protocol), 1, 0), "ALPN")
        if self.client:
            lib.gnutls_server_name_set(self.session, 1, b"localhost", 9)
            lib.gnutls_session_set_verify_cert(self.session, b"localhost", 0)
            if self.session_data.size:
                must(lib.gnutls_session_set_data(self.session, POINTER(self.session_data.data), self.session_data.size),
                     "session")
        else:
            must(lib.gnutls_session_ticket_enable_server(self.session, ctypes.byref(self.ticket_key)), "tickets")
            if "client_ca" in self.chosen:
                lib.gnutls_certificate_server_set_request(self.session, REQUIRE)
        lib.gnutls_transport_set_int2(self.session, sock.fileno(), sock.fileno())

    def handshake(self):
        self.sock.setblocking(True)
        code = lib.gnutls_handshake(self.session)
        while code in (AGAIN, INTERRUPTED):
            code = lib.gnutls_handshake(self.session)
        must(code, "handshake")
        suite = f"TLS_{lib.gnutls_ciphersuite_get(self.session).decode().removeprefix('TLS_')}"
        kind = "resumed" if lib.gnutls_session_is_resumed(self.session) else "full"
        version = lib.gnutls_protocol_get_name(lib.gnutls_protocol_get_version(self.session)).decode()
        return f"{version.replace('TLS', 'TLSv')} {suite} {kind}"

    def read(self):
        buffer = ctypes.create_string_buffer(loop.READ_BYTES)
        count = lib.gnutls_record_recv(self.session, buffer, len(buffer))
        if count > 0:
            return buffer.raw[:count]
        if count in (AGAIN, INTERRUPTED):
            return b""
        if count == 0:
            raise loop.End(loop.CLOSE_NOTIFY)
        raise loop.End(loop.TRUNCATED if count == PREMATURE_TERMINATION else
                       f"error: {lib.gnutls_strerror(count).decode()}")

    def pending(self):
        return bool(self.readable and lib.gnutls_record_check_pending(self.session))

    def write(self, data, padding):
        data = data[:RECORD_BYTES - padding]  # GnuTLS itself would send more than a record holds
        count = lib.gnutls_record_send2(self.session, data, ctypes.c_size_t(len(data)), ctypes.c_size_t(padding), 0)
        if count in (AGAIN, INTERRUPTED):
            return 0
        return must(count, "sending")

    def update(self, ask):
        must(lib.gnutls_session_key_update(self.session, UPDATE_PEER if ask else 0), "KeyUpdate")

    def close_notify(self):
        lib.gnutls_bye(self.session, SHUT_WR)

    def finished(self):
        must(lib.gnutls_session_get_data2(self.session, ctypes.byref(Gnutls.session_data)), "session data")


if __name__ == "__main__":
    must(lib.gnutls_session_ticket_key_generate(ctypes.byref(Gnutls.ticket_key)), "ticket key")
    loop.serve(Gnutls, Gnutls.chosen)
