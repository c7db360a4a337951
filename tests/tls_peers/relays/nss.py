# SPDX-License-Identifier: Apache-2.0
# The relay over NSS, through its C interface: KeyUpdate of both kinds, resumption. `db` is a database that has the CA
# and the certificate `own`; see ../environment.py.
import ctypes
import os
import socket

import loop

nspr = ctypes.CDLL("libnspr4.so")
nss = ctypes.CDLL("libnss3.so")
ssl3 = ctypes.CDLL("libssl3.so")
POINTER, INT = ctypes.c_void_p, ctypes.c_int
for _library, _name in ((nspr, "PR_ImportTCPSocket"), (ssl3, "SSL_ImportFD"), (nss, "CERT_FindCertByNickname"),
                        (nss, "CERT_GetDefaultCertDB"), (nss, "PK11_FindKeyByAnyCert"), (ssl3, "SSL_GetExperimentalAPI"),
                        (nss, "PK11_FindCertFromNickname"), (nspr, "PR_ErrorToName")):
    getattr(_library, _name).restype = POINTER
nspr.PR_ErrorToName.restype = ctypes.c_char_p
OWN = b"own"

# sslt.h, ssl.h, prio.h
OPTION_REQUEST_CERTIFICATE, OPTION_REQUIRE_CERTIFICATE, OPTION_TICKETS = 3, 10, 18
SHUTDOWN_SEND, SOCKET_NONBLOCKING = 1, 0
WOULD_BLOCK = -5998
VERSIONS = {"1.2": 0x0303, "1.3": 0x0304}
SUITES = {"TLS_AES_128_GCM_SHA256": 0x1301, "TLS_AES_256_GCM_SHA384": 0x1302, "TLS_CHACHA20_POLY1305_SHA256": 0x1303,
          "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256": 0xC02B, "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256": 0xCCA9}


class VersionRange(ctypes.Structure):
    _fields_ = [("least", ctypes.c_uint16), ("most", ctypes.c_uint16)]


class SocketOption(ctypes.Structure):  # PRSocketOptionData: an enumeration and a union of alignment 8, here a boolean
    _fields_ = [("option", INT), ("_", INT), ("value", INT), ("rest", ctypes.c_byte * 252)]


class ChannelInfo(ctypes.Structure):  # SSLChannelInfo as far as `resumed`; NSS fills in what there is room for
    _fields_ = [("length", ctypes.c_uint32), ("version", ctypes.c_uint16), ("suite", ctypes.c_uint16),
                ("bits", ctypes.c_uint32 * 2), ("times", ctypes.c_uint32 * 3), ("session_bytes", ctypes.c_uint32),
                ("session", ctypes.c_uint8 * 32), ("compression_name", ctypes.c_char_p), ("compression", INT),
                ("extended_master_secret", INT), ("early_data", INT), ("algorithms", INT * 6), ("original_group", INT),
                ("resumed", INT)]


def problem(what):
    code = nspr.PR_GetError()
    return loop.End(f"error: {what}: {(nspr.PR_ErrorToName(code) or str(code).encode()).decode()}")


def must(status, what):
    if status != 0:
        raise problem(what)


Alert = ctypes.CFUNCTYPE(None, POINTER, POINTER, ctypes.POINTER(ctypes.c_uint8 * 2))
Update = ctypes.CFUNCTYPE(INT, POINTER, INT)


def start(chosen):
    must(nss.NSS_Init(f"sql:{chosen['db']}".encode()), "NSS_Init")
    ssl3.NSS_SetDomesticPolicy()
    if chosen["role"] == "server":
        must(ssl3.SSL_ConfigServerSessionIDCache(100, 0, 0, chosen["db"].encode()), "session cache")


class Nss(loop.Relay):
    chosen = loop.options()

    def __init__(self, sock):
        super().__init__(sock)
        sock.setblocking(True)
        self.client = self.chosen["role"] == "client"
        self.closed_by_peer = False
        # NSPR owns the descriptor that it is given.
        self.fd = POINTER(ssl3.SSL_ImportFD(None, POINTER(nspr.PR_ImportTCPSocket(os.dup(sock.fileno())))))
        self._blocking(True)
        version = VERSIONS[self.chosen["version"]]
        must(ssl3.SSL_VersionRangeSet(self.fd, ctypes.byref(VersionRange(version, version))), "version")
        for name, number in SUITES.items():
            must(ssl3.SSL_CipherPrefSet(self.fd, number, int(name == self.chosen["suite"])), name)
        protocols = b"\x08http/1.1"
        must(ssl3.SSL_SetNextProtoNego(self.fd, protocols, len(protocols)), "ALPN")
        must(ssl3.SSL_OptionSet(self.fd, OPTION_TICKETS, 1), "tickets")
        self._watch_alerts()
        self._client_side() if self.client else self._server_side()
        must(ssl3.SSL_ResetHandshake(self.fd, int(not self.client)), "reset")

    def _blocking(self, on):
        option = SocketOption(SOCKET_NONBLOCKING, 0, int(not on))
        must(nspr.PR_SetSocketOption(self.fd, ctypes.byref(option)), "PR_SetSocketOption")

    def _watch_alerts(self):
        def alert(_fd, _argument, what):
            level, description = what.contents
            self.closed_by_peer = self.closed_by_peer or description == 0
        self._alert = Alert(alert)
        must(ssl3.SSL_AlertReceivedCallback(self.fd, self._alert, None), "alerts")

    def _client_side(self):
        must(ssl3.SSL_SetURL(self.fd, b"localhost"), "name")
        if "cert" in self.chosen:
            must(ssl3.SSL_GetClientAuthDataHook(self.fd, ssl3.NSS_GetClientAuthData, OWN), "client certificate")

    def _server_side(self):
        cert = POINTER(nss.PK11_FindCertFromNickname(OWN, None))
        key = POINTER(nss.PK11_FindKeyByAnyCert(cert, None))
        must(ssl3.SSL_ConfigServerCert(self.fd, cert, key, None, 0), "certificate")
        if "client_ca" in self.chosen:
            must(ssl3.SSL_OptionSet(self.fd, OPTION_REQUEST_CERTIFICATE, 1), "client certificates")
            must(ssl3.SSL_OptionSet(self.fd, OPTION_REQUIRE_CERTIFICATE, 1), "client certificates")

    def handshake(self):
        must(ssl3.SSL_ForceHandshake(self.fd), "handshake")
        self._blocking(False)
        info = ChannelInfo()
        must(ssl3.SSL_GetChannelInfo(self.fd, ctypes.byref(info), ctypes.sizeof(info)), "channel")
        suite = next(name for name, number in SUITES.items() if number == info.suite)
        version = next(name for name, number in VERSIONS.items() if number == info.version)
        return f"TLSv{version} {suite} {'resumed' if info.resumed else 'full'}"

    def read(self):
        buffer = ctypes.create_string_buffer(loop.READ_BYTES)
        count = nspr.PR_Read(self.fd, buffer, len(buffer))
        if count > 0:
            return buffer.raw[:count]
        if count == 0:
            raise loop.End(loop.CLOSE_NOTIFY if self.closed_by_peer else loop.TRUNCATED)
        if nspr.PR_GetError() == WOULD_BLOCK:
            return b""
        raise problem("reading")

    def pending(self):
        return bool(self.readable and ssl3.SSL_DataPending(self.fd) > 0)

    def write(self, data, padding):
        count = nspr.PR_Write(self.fd, data, len(data))
        if count >= 0:
            return count
        if nspr.PR_GetError() == WOULD_BLOCK:
            return 0
        raise problem("writing")

    def update(self, ask):
        must(Update(ssl3.SSL_GetExperimentalAPI(b"SSL_KeyUpdate"))(self.fd, int(ask)), "KeyUpdate")

    def close_notify(self):
        nspr.PR_Shutdown(self.fd, SHUTDOWN_SEND)

    def finished(self):
        nspr.PR_Close(self.fd)


if __name__ == "__main__":
    start(Nss.chosen)
    loop.serve(Nss, Nss.chosen)
