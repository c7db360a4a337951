// SPDX-License-Identifier: Apache-2.0
#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <span>

#include "base/assert.h"
#include "tls/concat.h"
#include "tls/context_body.h"
#include "tls/dev_certificate.h"
#include "tls/handshake_library.h"
#include "tls/pem.h"

namespace fairlead::tls {
namespace {

// ── OpenSSL's questions during a handshake ──────────────────────────────────────────────────────────────────────────

int choose_certificate(SSL* ssl, int* /*alert*/, void* body) {
  const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  if (name == nullptr) return SSL_TLSEXT_ERR_NOACK;
  SSL_CTX* chosen = static_cast<const ServerContext::Body*>(body)->choose(name).context.get();
  if (chosen != SSL_get_SSL_CTX(ssl)) SSL_set_SSL_CTX(ssl, chosen);
  return SSL_TLSEXT_ERR_OK;
}

// RFC 7301 3.2: the server picks; without overlap it sends no_application_protocol.
int choose_protocol(SSL* ssl, const unsigned char** out, unsigned char* out_size, const unsigned char* offered,
                    unsigned offered_size, void* /*argument*/) {
  const std::vector<unsigned char>& ours = settings_of(SSL_get_SSL_CTX(ssl)).alpn;
  unsigned char* chosen = nullptr;
  const int answer =
      SSL_select_next_proto(&chosen, out_size, ours.data(), static_cast<unsigned>(ours.size()), offered, offered_size);
  *out = chosen;
  return answer == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

int staple_status(SSL* ssl, void* entry) {
  const auto& [context, staple, until] = *static_cast<const ServerContext::Body::Entry*>(entry);
  // None is better than an old one, which clients refuse: whoever renews the file may be late.
  if (staple.empty() || (until && std::chrono::system_clock::now() > *until)) return SSL_TLSEXT_ERR_NOACK;
  void* copy = OPENSSL_memdup(staple.data(), staple.size());  // the SSL owns it
  if (copy == nullptr) return SSL_TLSEXT_ERR_NOACK;
  SSL_set_tlsext_status_ocsp_resp(ssl, static_cast<unsigned char*>(copy), static_cast<long>(staple.size()));
  return SSL_TLSEXT_ERR_OK;
}

bool set_mac_key(EVP_MAC_CTX* mac, TicketKeys::Key& key) {
  std::array<char, 7> digest{"SHA256"};
  const std::array<OSSL_PARAM, 3> parameters{
      OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key.mac.data(), key.mac.size()),
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), 0), OSSL_PARAM_construct_end()};
  return EVP_MAC_CTX_set_params(mac, parameters.data()) == 1;
}

constexpr int iv_size = 16;

// Fetched once: OpenSSL otherwise looks the cipher up by its name for each ticket.
const EVP_CIPHER* ticket_cipher() {
  static EVP_CIPHER* const cipher = EVP_CIPHER_fetch(nullptr, "AES-256-CBC", nullptr);
  FAIRLEAD_ASSERT(cipher != nullptr);
  return cipher;
}

int seal_ticket(TicketKeys& keys, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac) {
  TicketKeys::Key key = keys.current();
  const bool sealed = RAND_bytes_ex(handshake_library(), iv, iv_size, 0) == 1 &&
                      EVP_EncryptInit_ex(cipher, ticket_cipher(), nullptr, key.cipher.data(), iv) == 1 &&
                      set_mac_key(mac, key);
  std::ranges::copy(key.name, name);
  OPENSSL_cleanse(&key, sizeof(key));
  return sealed ? 1 : -1;
}

int open_ticket(const TicketKeys& keys, bool renew, const unsigned char* name, unsigned char* iv,
                EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac) {
  constexpr int unknown = 0;  // a full handshake follows
  constexpr int good = 1;
  constexpr int good_renew = 2;
  auto found = keys.find(name);
  if (!found) return unknown;
  const bool opened = set_mac_key(mac, found->key) &&
                      EVP_DecryptInit_ex(cipher, ticket_cipher(), nullptr, found->key.cipher.data(), iv) == 1;
  const bool current = found->current;
  OPENSSL_cleanse(&*found, sizeof(*found));
  if (!opened) return -1;
  return current && !renew ? good : good_renew;
}

int ticket_key(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac,
               int sealing) {
  TicketKeys& keys = *settings_of(SSL_get_SSL_CTX(ssl)).tickets;
  if (sealing == 1) return seal_ticket(keys, name, iv, cipher, mac);
  // RFC 8446 C.4: a client uses a ticket once, so each resumption brings it the next.
  const bool renew = SSL_version(ssl) == TLS1_3_VERSION;
  return open_ticket(keys, renew, name, iv, cipher, mac);
}

// Nothing looks a session up by its id: there is no cache (with one, equal ids would be refused), a ticket carries the
// session, and where there is no ticket TLS 1.2 sends an empty id. So it needs no random bytes.
int name_session(SSL* /*ssl*/, unsigned char* id, unsigned* size) {
  std::fill_n(id, *size, static_cast<unsigned char>(0));
  return 1;
}

// ── From options to an SSL_CTX per certificate ──────────────────────────────────────────────────────────────────────

void set_tickets(SSL_CTX* context, const Tls& options) {
  if (!options.tickets) {
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(context, 0);
    return;
  }
  SSL_CTX_set_num_tickets(context, 1);  // one connection is followed by one; each ticket costs a seal and 250 bytes
  SSL_CTX_set_timeout(context, static_cast<long>(options.ticket_key_life.count()));
  SSL_CTX_set_tlsext_ticket_key_evp_cb(context, ticket_key);
}

// A ticket carries the client's identity with it. It must not outlive a change of who may issue these, so the context
// that OpenSSL compares is the hash of the rules under which the identity was checked.
Result<void> bind_sessions(SSL_CTX* context, const Tls& options) {
  std::string rules = std::to_string(static_cast<int>(options.client_certificates));
  for (const PemSource* source : {&options.client_ca, &options.client_crl}) {
    if (source->empty()) continue;
    const auto text = read_source(*source, "client CA");
    if (!text) return std::unexpected(text.error());
    rules += concat("\n", *text);
  }
  std::array<unsigned char, SHA256_DIGEST_LENGTH> hash{};
  SHA256(reinterpret_cast<const unsigned char*>(rules.data()), rules.size(), hash.data());  // NOLINT: bytes are bytes
  SSL_CTX_set_session_id_context(context, hash.data(), static_cast<unsigned>(hash.size()));
  return {};
}

void name_authorities(SSL_CTX* context) {
  STACK_OF(X509_NAME)* names = sk_X509_NAME_new_null();
  STACK_OF(X509_OBJECT)* objects = X509_STORE_get0_objects(SSL_CTX_get_cert_store(context));
  for (int at = 0; at < sk_X509_OBJECT_num(objects); ++at) {
    X509* authority = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(objects, at));
    if (authority != nullptr) sk_X509_NAME_push(names, X509_NAME_dup(X509_get_subject_name(authority)));
  }
  SSL_CTX_set_client_CA_list(context, names);  // browsers offer only certificates of these
}

Result<void> ask_for_client_certificates(SSL_CTX* context, const Tls& options) {
  if (options.client_certificates == ClientCertificates::none) return {};
  if (auto trusted = trust(context, options.client_ca); !trusted) return trusted;
  name_authorities(context);
  if (!options.client_crl.empty()) {
    if (auto checked = check_revocation(context, options.client_crl); !checked) return checked;
  }
  const bool required = options.client_certificates == ClientCertificates::required;
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | (required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), nullptr);
  return {};
}

Result<void> add_entry(ServerContext::Body& body, const Tls& options, Identity identity) {
  auto context = make_ssl_context(Side::server, options.profile, options.security_level, body.settings);
  if (!context) return std::unexpected(context.error());
  SSL_CTX* raw = context->get();
  if (auto installed = install(identity, raw); !installed) return installed;
  set_tickets(raw, options);
  FAIRLEAD_ASSERT(SSL_CTX_get_session_cache_mode(raw) == SSL_SESS_CACHE_OFF);
  SSL_CTX_set_generate_session_id(raw, name_session);
  if (auto bound = bind_sessions(raw, options); !bound) return bound;
  if (auto asked = ask_for_client_certificates(raw, options); !asked) return asked;
  SSL_CTX_set_tlsext_servername_callback(raw, choose_certificate);
  SSL_CTX_set_tlsext_servername_arg(raw, &body);
  if (!body.settings.alpn.empty()) SSL_CTX_set_alpn_select_cb(raw, choose_protocol, nullptr);

  const std::size_t index = body.entries.size();
  for (const std::string& name : identity.dns_names) {
    // The first certificate that has a name keeps it.
    const bool wildcard = name.starts_with("*.");
    (wildcard ? body.wildcard_suffixes : body.exact_names).emplace(wildcard ? name.substr(1) : name, index);
  }
  body.entries.push_back(
      {.context = std::move(*context), .staple = std::move(identity.staple), .staple_until = identity.staple_until});
  return {};
}

void offer_staples(ServerContext::Body& body) {
  for (ServerContext::Body::Entry& entry : body.entries) {  // addresses are final now
    SSL_CTX_set_tlsext_status_cb(entry.context.get(), staple_status);
    SSL_CTX_set_tlsext_status_arg(entry.context.get(), &entry);
  }
}

struct Shown {
  std::vector<TlsIdentity> identities;
  std::optional<std::chrono::system_clock::time_point> renew_at{};
};

Result<Shown> identities_of(const Tls& options, std::chrono::system_clock::time_point now) {
  if (!options.identities.empty()) return Shown{.identities = options.identities};
  if (!options.use_development_certificate) {
    return fail(Errc::tls_configuration,
                "no certificate is given; for a first try use Tls::development() or `fairlead cert dev`");
  }
  const auto made = ensure_development_certificate_at(options.development_directory, now);
  if (!made) return std::unexpected(made.error());
  return Shown{
      .identities = {{.chain = PemSource::from_file(made->chain_file), .key = PemSource::from_file(made->key_file)}},
      .renew_at = made->renew_at};
}

std::vector<std::string> files_of(const std::vector<TlsIdentity>& identities, const Tls& options) {
  std::vector<std::string> files;
  const auto add = [&files](const std::string& path) {
    if (!path.empty() && std::ranges::find(files, path) == files.end()) files.push_back(path);
  };
  for (const TlsIdentity& identity : identities) {
    add(identity.chain.file);
    add(identity.key.file);
    add(identity.ocsp_file);
  }
  add(options.client_ca.file);
  add(options.client_crl.file);
  return files;
}

Result<void> check_options(const Tls& options) {
  if (options.client_certificates != ClientCertificates::none && options.client_ca.empty()) {
    return fail(Errc::tls_configuration, "client certificates are asked for, but no client CA says who may issue them");
  }
  constexpr std::chrono::seconds longest_ticket = std::chrono::days{7};  // RFC 8446 4.6.1
  if (options.ticket_key_life <= std::chrono::seconds{0} || options.ticket_key_life > longest_ticket) {
    return fail(Errc::tls_configuration, "ticket_key_life is more than nothing and at most seven days");
  }
  return {};
}

std::string lower_host_name(std::string_view name) {
  std::string lower(name.substr(0, name.ends_with('.') ? name.size() - 1 : name.size()));
  std::ranges::transform(lower, lower.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return lower;
}

}  // namespace

const ServerContext::Body::Entry& ServerContext::Body::choose(std::string_view server_name) const {
  const std::string name = lower_host_name(server_name);
  if (const auto exact = exact_names.find(name); exact != exact_names.end()) return entries[exact->second];
  // RFC 6125 6.4.3: a wildcard stands for the left-most label alone.
  const std::size_t dot = name.find('.');
  if (dot == std::string::npos || dot == 0) return entries.front();
  const auto wildcard = wildcard_suffixes.find(std::string_view(name).substr(dot));
  return entries[wildcard != wildcard_suffixes.end() ? wildcard->second : 0];
}

Result<std::shared_ptr<const ServerContext>> ServerContext::build(const Tls& options,
                                                                  std::shared_ptr<TicketKeys> tickets,
                                                                  std::chrono::system_clock::time_point now) {
  if (auto fine = check_options(options); !fine) return std::unexpected(fine.error());
  const auto shown = identities_of(options, now);
  if (!shown) return std::unexpected(shown.error());
  auto alpn = alpn_wire_form(options.alpn);
  if (!alpn) return std::unexpected(alpn.error());
  auto key_log = open_key_log(options.key_log_file);
  if (!key_log) return std::unexpected(key_log.error());

  auto body = std::make_unique<Body>();
  body->settings.alpn = std::move(*alpn);
  body->settings.key_log = std::move(*key_log);
  body->settings.our_records = options.record_layer == RecordLayer::automatic && handshake_library() != nullptr;
  body->settings.tickets = tickets ? std::move(tickets) : std::make_shared<TicketKeys>(options.ticket_key_life);
  body->settings.verify_peer = options.client_certificates != ClientCertificates::none;
  body->files = files_of(shown->identities, options);
  body->renew_at = shown->renew_at;
  for (const TlsIdentity& source : shown->identities) {
    auto identity = load_identity(source, {.minimum_rsa_bits = options.minimum_rsa_bits, .now = now});
    if (!identity) return std::unexpected(identity.error());
    if (auto added = add_entry(*body, options, std::move(*identity)); !added) return std::unexpected(added.error());
  }
  offer_staples(*body);
  return std::shared_ptr<const ServerContext>(new ServerContext(std::move(body)));
}

ServerContext::ServerContext(std::unique_ptr<Body> body) : body_(std::move(body)) {}
ServerContext::~ServerContext() = default;

const std::vector<std::string>& ServerContext::files() const noexcept { return body_->files; }
const std::shared_ptr<TicketKeys>& ServerContext::tickets() const noexcept { return body_->settings.tickets; }
std::optional<std::chrono::system_clock::time_point> ServerContext::renew_at() const noexcept {
  return body_->renew_at;
}

}  // namespace fairlead::tls
