// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "tls/concat.h"
#include "tls/context_body.h"
#include "tls/handshake_library.h"
#include "tls/pem.h"

namespace fairlead::tls {
namespace {

constexpr std::size_t pin_size = 44;  // base64 of 32 bytes

Result<void> check_pins(const std::vector<std::string>& pins) {
  for (const std::string& pin : pins) {
    if (pin.size() != pin_size) {
      return fail(Errc::tls_configuration,
                  concat("the pin \"", pin, "\" is not the base64 of a SHA-256 (`fairlead cert show` prints it)"));
    }
  }
  return {};
}

Result<void> set_trust(SSL_CTX* context, const TlsClient& options) {
  if (options.dangerously_disable_certificate_verification) return {};
  if (!options.ca.empty()) {
    if (auto trusted = trust(context, options.ca); !trusted) return trusted;
  } else if (SSL_CTX_set_default_verify_paths(context) != 1) {
    return fail_openssl(Errc::tls_configuration, "the system's trust store cannot be read");
  }
  if (options.crl.empty()) return {};
  return check_revocation(context, options.crl);
}

Result<void> set_identity(SSL_CTX* context, const TlsIdentity& source) {
  if (source.chain.empty() && source.key.empty()) return {};
  const auto identity = load_identity(source, {});
  if (!identity) return std::unexpected(identity.error());
  return install(*identity, context);
}

// An empty one stands for the URL's host.
Result<void> check_server_name(const std::string& name) {
  constexpr std::size_t longest_name = 255;  // RFC 1035 2.3.4
  if (name.empty()) return {};
  const bool visible = std::ranges::all_of(name, [](char c) { return c > ' ' && c < '\x7f'; });
  if (visible && name.size() <= longest_name && !bare_host(name).empty()) return {};
  return fail(Errc::tls_configuration, "the server name is neither a host name nor an IP address");
}

Result<void> configure(SSL_CTX* context, const TlsClient& options, const ContextSettings& settings) {
  if (auto trusted = set_trust(context, options); !trusted) return trusted;
  const bool judged = settings.verify_peer || !settings.pins.empty();
  SSL_CTX_set_verify(context, judged ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  // OpenSSL keeps no session of a verified peer without such a name.
  constexpr std::string_view session_name = "fairlead client";
  SSL_CTX_set_session_id_context(context, reinterpret_cast<const unsigned char*>(session_name.data()),  // NOLINT
                                 static_cast<unsigned>(session_name.size()));
  // Sessions go to the caller's ClientSession alone.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  if (auto shown = set_identity(context, options.identity); !shown) return shown;
  if (!settings.alpn.empty() &&
      SSL_CTX_set_alpn_protos(context, settings.alpn.data(), static_cast<unsigned>(settings.alpn.size())) != 0) {
    return fail_openssl(Errc::tls_configuration, "OpenSSL refuses the ALPN list");
  }
  return {};
}

}  // namespace

std::string bare_host(std::string_view host) {
  std::string name(host);
  if (name.starts_with('[') && name.ends_with(']')) name = name.substr(1, name.size() - 2);
  if (name.ends_with('.')) name.pop_back();                                    // the root's dot is in no certificate
  if (name.contains(':')) name.resize(std::min(name.size(), name.find('%')));  // RFC 6874: nor is an IPv6 zone
  return name;
}

Result<std::shared_ptr<const ClientContext>> ClientContext::build(const TlsClient& options) {
  if (auto fine = check_pins(options.pins); !fine) return std::unexpected(fine.error());
  if (auto fine = check_server_name(options.server_name); !fine) return std::unexpected(fine.error());
  auto alpn = alpn_wire_form(options.alpn);
  if (!alpn) return std::unexpected(alpn.error());
  auto key_log = open_key_log(options.key_log_file);
  if (!key_log) return std::unexpected(key_log.error());

  auto body = std::make_unique<Body>();
  body->settings.alpn = std::move(*alpn);
  body->settings.key_log = std::move(*key_log);
  body->settings.our_records =
      options.record_layer == RecordLayer::automatic && handshake_library(Side::client) != nullptr;
  body->settings.pins = options.pins;
  body->settings.verify_peer = !options.dangerously_disable_certificate_verification;
  body->settings.resume = options.resume;
  body->server_name = options.server_name;
  auto context = make_ssl_context(Side::client, options.profile, options.security_level, body->settings);
  if (!context) return std::unexpected(context.error());
  body->context = std::move(*context);
  if (auto fine = configure(body->context.get(), options, body->settings); !fine) return std::unexpected(fine.error());
  return std::shared_ptr<const ClientContext>(new ClientContext(std::move(body)));
}

ClientContext::ClientContext(std::unique_ptr<Body> body) : body_(std::move(body)) {}
ClientContext::~ClientContext() = default;

}  // namespace fairlead::tls
