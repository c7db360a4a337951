// SPDX-License-Identifier: Apache-2.0
#include "tls/dev_certificate.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <system_error>

#include "tls/concat.h"
#include "tls/issue.h"
#include "tls/pem.h"
#include "tls/x509.h"

namespace fairlead::tls {
namespace {

using Now = std::chrono::system_clock::time_point;
constexpr mode_t owner_only = 0600;
constexpr mode_t everybody_reads = 0644;
constexpr mode_t owner_directory = 0700;

std::unexpected<Error> system_failure(std::string_view what, const std::string& path) {
  return fail(Errc::system, concat(what, " ", path, ": ", std::generic_category().message(errno)));
}

// ── Files ───────────────────────────────────────────────────────────────────────────────────────────────────────────

Result<std::string> default_directory() {
  // The specification of the base directories: a relative path is to be ignored.
  const char* data = std::getenv("XDG_DATA_HOME");  // NOLINT(concurrency-mt-unsafe): nobody writes the environment
  if (data != nullptr && *data == '/') return concat(data, "/fairlead");
  const char* home = std::getenv("HOME");  // NOLINT(concurrency-mt-unsafe)
  if (home != nullptr && *home == '/') return concat(home, "/.local/share/fairlead");
  return fail(Errc::tls_configuration, "neither XDG_DATA_HOME nor HOME is set: say where development keys may lie");
}

Result<void> make_directory(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), error);
  if (::mkdir(path.c_str(), owner_directory) != 0 && errno != EEXIST) return system_failure("cannot make", path);
  struct stat found{};
  if (::stat(path.c_str(), &found) != 0 || !S_ISDIR(found.st_mode)) return system_failure("not a directory:", path);
  // It existed: others must neither read keys nor swap files in it.
  if ((found.st_mode & 077U) == 0) return {};
  if (::chmod(path.c_str(), owner_directory) != 0) return system_failure("cannot protect", path);
  return {};
}

// One process makes certificates at a time.
class DirectoryLock {
 public:
  explicit DirectoryLock(const std::string& directory)
      : file_(::open(concat(directory, "/lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, owner_only)) {
    if (file_ >= 0) ::flock(file_, LOCK_EX);
  }
  DirectoryLock(const DirectoryLock&) = delete;
  DirectoryLock& operator=(const DirectoryLock&) = delete;
  ~DirectoryLock() {
    if (file_ >= 0) ::close(file_);
  }
  [[nodiscard]] bool held() const noexcept { return file_ >= 0; }

 private:
  int file_;
};

bool write_all(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(file, text.data(), text.size());
    if (written < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return ::fsync(file) == 0;
}

// Whole or not at all: into a file beside it, then renamed. The mode is there before the first byte is.
Result<void> write_file(const std::string& path, std::string_view text, mode_t mode) {
  const std::string beside = path + ".new";
  ::unlink(beside.c_str());
  const int file = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
  if (file < 0) return system_failure("cannot write", beside);
  const bool written = write_all(file, text);
  ::close(file);
  if (!written || ::rename(beside.c_str(), path.c_str()) != 0) return system_failure("cannot write", path);
  return {};
}

Result<void> write_pair(const Issued& pair, const std::string& certificate_file, const std::string& key_file) {
  std::string key = to_pem(pair.key.get());
  auto written = write_file(key_file, key, owner_only);
  OPENSSL_cleanse(key.data(), key.size());
  if (!written) return written;
  return write_file(certificate_file, to_pem(pair.certificate.get()), everybody_reads);
}

std::optional<Issued> read_pair(const std::string& certificate_file, const std::string& key_file) {
  const auto certificate_text = read_file(certificate_file, "certificate");
  const auto key_text = read_file(key_file, "private key");
  if (!certificate_text || !key_text) return std::nullopt;
  auto certificates = parse_certificates(*certificate_text);
  auto key = parse_key(*key_text);
  if (!certificates || !key || X509_check_private_key(certificates->front().get(), key->get()) != 1) {
    ERR_clear_error();
    return std::nullopt;
  }
  return Issued{.certificate = std::move(certificates->front()), .key = std::move(*key)};
}

// ── Certificates ────────────────────────────────────────────────────────────────────────────────────────────────────

std::string machine_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "this machine";
}

Result<Issued> make_ca(Now now) {
  CertificateRequest request;
  constexpr std::size_t longest_common_name = 64;  // RFC 5280 appendix A: ub-common-name
  request.common_name = concat("Fairlead development CA, ", machine_name()).substr(0, longest_common_name);
  request.organization = "Fairlead development CA";
  request.is_ca = true;
  // RFC 5280 4.2.1.10: "DNS:localhost" permits names below it too.
  request.permitted_names = {"DNS:localhost", "IP:127.0.0.0/255.0.0.0",
                             "IP:0:0:0:0:0:0:0:1/FFFF:FFFF:FFFF:FFFF:FFFF:FFFF:FFFF:FFFF"};
  request.valid_from = now - development_clock_slack;
  request.valid_until = now + development_ca_life;
  return issue(request, nullptr);
}

Result<Issued> make_leaf(const Issued& ca, Now now) {
  CertificateRequest request;
  request.common_name = "localhost";
  request.organization = "Fairlead development certificate";
  // No "*.localhost": OpenSSL and browsers refuse a wildcard right below a top-level name.
  request.alternative_names = {"DNS:localhost", "IP:127.0.0.1", "IP:0:0:0:0:0:0:0:1"};
  request.valid_from = now - development_clock_slack;
  request.valid_until =
      std::min(now + Now::duration(development_leaf_life), to_time(X509_get0_notAfter(ca.certificate.get())));
  return issue(request, &ca);
}

bool has_begun(X509* certificate, Now now) { return to_time(X509_get0_notBefore(certificate)) <= now; }

// A CA is of use while a whole leaf fits into what is left of it.
bool good_ca(const Issued& ca, Now now) {
  X509* raw = ca.certificate.get();
  return X509_check_ca(raw) == 1 && has_begun(raw, now) &&
         to_time(X509_get0_notAfter(raw)) - now > development_leaf_life;
}

// A third of its life before its end.
Now renewal_of(X509* leaf) {
  const auto from = to_time(X509_get0_notBefore(leaf));
  const auto until = to_time(X509_get0_notAfter(leaf));
  return until - (until - from) / 3;
}

bool good_leaf(const Issued& leaf, const Issued& ca, Now now) {
  X509* raw = leaf.certificate.get();
  const bool fresh = has_begun(raw, now) && now < renewal_of(raw);
  const bool ours = X509_verify(raw, ca.key.get()) == 1;
  ERR_clear_error();
  return fresh && ours;
}

struct Ensured {
  Issued pair;
  bool created = false;
};

Result<Ensured> ensure_ca(const DevelopmentCertificate& place, const std::string& ca_key_file, Now now) {
  auto found = read_pair(place.ca_file, ca_key_file);
  if (found && good_ca(*found, now)) return Ensured{.pair = std::move(*found)};
  auto made = make_ca(now);
  if (!made) return std::unexpected(made.error());
  if (auto written = write_pair(*made, place.ca_file, ca_key_file); !written) return std::unexpected(written.error());
  return Ensured{.pair = std::move(*made), .created = true};
}

Result<void> ensure_leaf(DevelopmentCertificate& place, const Issued& ca, Now now) {
  const auto found = read_pair(place.chain_file, place.key_file);
  if (found && good_leaf(*found, ca, now)) {
    place.renew_at = renewal_of(found->certificate.get());
    return {};
  }
  const auto made = make_leaf(ca, now);
  if (!made) return std::unexpected(made.error());
  if (auto written = write_pair(*made, place.chain_file, place.key_file); !written) {
    return std::unexpected(written.error());
  }
  place.renew_at = renewal_of(made->certificate.get());
  place.leaf_created = true;
  return {};
}

}  // namespace

Result<DevelopmentCertificate> ensure_development_certificate_at(std::string directory, Now now) {
  if (directory.empty()) {
    auto usual = default_directory();
    if (!usual) return std::unexpected(usual.error());
    directory = std::move(*usual);
  }
  if (auto made = make_directory(directory); !made) return std::unexpected(made.error());
  const DirectoryLock lock(directory);
  if (!lock.held()) return system_failure("cannot lock", directory);

  DevelopmentCertificate place;
  place.directory = directory;
  place.ca_file = directory + "/ca.pem";
  place.chain_file = directory + "/localhost.pem";
  place.key_file = directory + "/localhost-key.pem";
  const auto ca = ensure_ca(place, directory + "/ca-key.pem", now);
  if (!ca) return std::unexpected(ca.error());
  place.ca_created = ca->created;
  place.ca_sha256 = describe(ca->pair.certificate.get()).sha256;
  if (auto leaf = ensure_leaf(place, ca->pair, now); !leaf) return std::unexpected(leaf.error());
  return place;
}

}  // namespace fairlead::tls

namespace fairlead {

Result<DevelopmentCertificate> ensure_development_certificate(std::string directory) {
  return tls::ensure_development_certificate_at(std::move(directory), std::chrono::system_clock::now());
}

std::string trust_instructions(const DevelopmentCertificate& certificate) {
  const std::string& ca = certificate.ca_file;
  return tls::concat(
      "The CA may sign for localhost, *.localhost, 127.0.0.0/8 and ::1 alone.\nSHA-256: ", certificate.ca_sha256,
      "\n\n"
      "Debian (curl, wget, Python, everything on OpenSSL or GnuTLS):\n"
      "  sudo cp '",
      ca,
      "' /usr/local/share/ca-certificates/fairlead-development.crt\n"
      "  sudo update-ca-certificates\n"
      "  undo: sudo rm /usr/local/share/ca-certificates/fairlead-development.crt && sudo update-ca-certificates "
      "--fresh\n\n"
      "Chromium and Chrome (package libnss3-tools):\n"
      "  mkdir -p ~/.pki/nssdb && certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n 'Fairlead development CA' -i '",
      ca,
      "'\n"
      "  undo: certutil -d sql:$HOME/.pki/nssdb -D -n 'Fairlead development CA'\n\n"
      "Firefox: Settings, Privacy & Security, View Certificates, Authorities, Import; choose\n"
      "  ",
      ca,
      "\n"
      "  and tick \"Trust this CA to identify websites\". Or for each profile, while Firefox is closed:\n"
      "  for db in ~/.mozilla/firefox/*/cert9.db; do certutil -d sql:\"$(dirname \"$db\")\" -A -t C,, "
      "-n 'Fairlead development CA' -i '",
      ca,
      "'; done\n\n"
      "Node: NODE_EXTRA_CA_CERTS='",
      ca, "'    fairlead: --ca '", ca, "'\n");
}

}  // namespace fairlead
