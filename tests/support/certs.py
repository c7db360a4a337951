# SPDX-License-Identifier: Apache-2.0
# Certificates made by openssl at run time: one good pair, and one for each way in which a certificate can be wrong.
import datetime
import pathlib
import subprocess

LOCAL_NAMES = "DNS:localhost,IP:127.0.0.1,IP:::1"


def _openssl(*arguments):
    command = ["openssl", *map(str, arguments)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.decode(errors='replace')}")
    return done.stdout


def _utc(days):
    moment = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days)
    return moment.strftime("%Y%m%d%H%M%SZ")


class Certificates:
    """A directory of PEM files. `cert(name)` and `key(name)` are paths; `ca` is the root that signed the good ones."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self._authority("ca", "Fairlead test root")
        self._authority("other-ca", "Somebody else's root")
        self.issue("server", LOCAL_NAMES)
        self.issue("server-next", LOCAL_NAMES)
        self.issue("server-rsa", LOCAL_NAMES, algorithm="RSA")
        self.issue("wrong-host", "DNS:elsewhere.example")
        self.issue("expired", LOCAL_NAMES, start=-30, end=-1)
        self.issue("not-yet", LOCAL_NAMES, start=10, end=30)
        self.issue("wrong-usage", LOCAL_NAMES, usage="clientAuth")
        self.issue("stranger", LOCAL_NAMES, authority="other-ca")
        self.issue("client", "DNS:client.example", usage="clientAuth", subject="/CN=good client")
        self.issue("client-stranger", "DNS:client.example", usage="clientAuth", authority="other-ca")
        self._self_signed("self-signed")

    ca = property(lambda self: self.cert("ca"))

    def cert(self, name):
        return self.directory / f"{name}.pem"

    def key(self, name):
        return self.directory / f"{name}.key"

    def _new_key(self, name, algorithm="EC"):
        option = {"EC": "ec_paramgen_curve:P-256", "RSA": "rsa_keygen_bits:2048"}[algorithm]
        _openssl("genpkey", "-algorithm", algorithm, "-pkeyopt", option, "-out", self.key(name))

    def _authority(self, name, common_name):
        self._new_key(name)
        _openssl("req", "-x509", "-new", "-key", self.key(name), "-days", 30, "-subj", f"/CN={common_name}",
                 "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign",
                 "-out", self.cert(name))

    def _self_signed(self, name):
        self._new_key(name)
        _openssl("req", "-x509", "-new", "-key", self.key(name), "-days", 30, "-subj", "/CN=localhost",
                 "-addext", f"subjectAltName={LOCAL_NAMES}", "-out", self.cert(name))

    def issue(self, name, alternative_names, usage="serverAuth", authority="ca", start=-1, end=30,
              subject="/CN=localhost", algorithm="EC"):
        """Makes `name`.pem and `name`.key signed by `authority`, valid from `start` to `end` days from now."""
        self._new_key(name, algorithm)
        # What a key may do: an RSA key is let encipher too, so that no refusal of RSA's key exchange is the certificate's.
        key_usage = "digitalSignature,keyEncipherment" if algorithm == "RSA" else "digitalSignature"
        request, config = self.directory / f"{name}.csr", self.directory / f"{name}.cnf"
        index, work = self.directory / f"{name}.index", self.directory / f"{name}.new"
        work.mkdir(exist_ok=True)
        index.write_text("")
        config.write_text(
            "[ca]\ndefault_ca=x\n[x]\n"
            f"database={index}\nnew_certs_dir={work}\nrand_serial=yes\ndefault_md=sha256\npolicy=p\nunique_subject=no\n"
            "[p]\ncommonName=supplied\n[e]\n"
            f"basicConstraints=critical,CA:FALSE\nkeyUsage=critical,{key_usage}\nextendedKeyUsage={usage}\n"
            f"subjectAltName={alternative_names}\nauthorityKeyIdentifier=keyid\nsubjectKeyIdentifier=hash\n")
        _openssl("req", "-new", "-key", self.key(name), "-subj", subject, "-out", request)
        _openssl("ca", "-batch", "-notext", "-config", config, "-extensions", "e", "-cert", self.cert(authority),
                 "-keyfile", self.key(authority), "-startdate", _utc(start), "-enddate", _utc(end),
                 "-in", request, "-out", self.cert(name))
