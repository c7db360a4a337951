// SPDX-License-Identifier: Apache-2.0
#include "tls/identity.h"

#include <algorithm>
#include <chrono>
#include <string_view>

#include "tls/concat.h"
#include "tls/pem.h"
#include "tls/x509.h"

namespace fairlead::tls {
namespace {

using OcspResponsePtr = std::unique_ptr<OCSP_RESPONSE, Release<OCSP_RESPONSE_free>>;
using OcspBasicPtr = std::unique_ptr<OCSP_BASICRESP, Release<OCSP_BASICRESP_free>>;
using OcspIdPtr = std::unique_ptr<OCSP_CERTID, Release<OCSP_CERTID_free>>;

constexpr int minimum_ec_bits = 256;  // P-256, X25519-sized curves: 128 bits of strength
constexpr std::size_t staple_limit_bytes = std::size_t{64} * 1024;
constexpr long staple_clock_skew_seconds = 300;

// An error about a source says which one.
std::unexpected<Error> about(const PemSource& source, std::string_view what, const std::string& problem) {
  return fail(Errc::tls_configuration, concat(what, " ", source_name(source), ": ", problem));
}

Result<void> check_dates(X509* certificate, const PemSource& source, std::chrono::system_clock::time_point now) {
  const auto until = to_time(X509_get0_notAfter(certificate));
  if (until < now) {
    return about(source, "certificate",
                 concat(subject_of(certificate), " expired on ", iso8601(until), "; renew it and try again"));
  }
  const auto from = to_time(X509_get0_notBefore(certificate));
  if (from > now) {
    return about(source, "certificate",
                 concat(subject_of(certificate), " is not valid before ", iso8601(from), "; is the clock right?"));
  }
  return {};
}

Result<void> check_order(const Identity& identity, const PemSource& source) {
  X509* below = identity.leaf.get();
  for (const X509Ptr& issuer : identity.issuers) {
    if (X509_check_issued(issuer.get(), below) != X509_V_OK) {
      ERR_clear_error();
      return about(source, "chain",
                   concat(subject_of(issuer.get()), " did not issue ", subject_of(below),
                          ", which stands before it; order: the certificate, its issuer, that one's issuer"));
    }
    below = issuer.get();
  }
  return {};
}

Result<void> check_strength(X509* certificate, const PemSource& source, const IdentityRules& rules) {
  EVP_PKEY* key = X509_get0_pubkey(certificate);
  if (key == nullptr)
    return about(source, "certificate", concat("its public key is of no known kind: ", take_openssl_error()));
  const int bits = EVP_PKEY_get_bits(key);
  const bool rsa = EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA;
  const int minimum = rsa ? rules.minimum_rsa_bits : EVP_PKEY_get_base_id(key) == EVP_PKEY_EC ? minimum_ec_bits : 0;
  if (bits >= minimum) return {};
  return about(
      source, "certificate",
      concat("its key has ", std::to_string(bits), " bits, at least ", std::to_string(minimum), " are needed"));
}

Result<void> check_key(const Identity& identity, const TlsIdentity& source) {
  if (X509_check_private_key(identity.leaf.get(), identity.key.get()) == 1) return {};
  ERR_clear_error();
  return about(source.key, "private key",
               concat("it does not belong to the certificate ", source_name(source.chain), " (",
                      subject_of(identity.leaf.get()), ")"));
}

void collect_names(Identity& identity) {
  identity.dns_names = describe(identity.leaf.get()).dns_names;
  for (std::string& name : identity.dns_names) {
    std::ranges::transform(name, name.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  }
}

// ── The staple ──────────────────────────────────────────────────────────────────────────────────────────────────────

// By the issuer itself, or by a responder that it named for this (RFC 6960 4.2.2.2).
bool signed_for(OCSP_BASICRESP* basic, X509* issuer) {
  const std::unique_ptr<X509_STORE, Release<X509_STORE_free>> store(X509_STORE_new());
  X509_STORE_set_flags(store.get(), X509_V_FLAG_PARTIAL_CHAIN);
  const ChainPtr signers(sk_X509_new_null());
  X509_up_ref(issuer);
  sk_X509_push(signers.get(), issuer);
  return X509_STORE_add_cert(store.get(), issuer) == 1 && OCSP_basic_verify(basic, signers.get(), store.get(), 0) == 1;
}

std::string staple_problem(Identity& identity) {
  const unsigned char* at = identity.staple.data();
  const OcspResponsePtr response(d2i_OCSP_RESPONSE(nullptr, &at, static_cast<long>(identity.staple.size())));
  if (response == nullptr) return "it is not a DER OCSP response";
  if (OCSP_response_status(response.get()) != OCSP_RESPONSE_STATUS_SUCCESSFUL) {
    return concat("the responder answered ", OCSP_response_status_str(OCSP_response_status(response.get())));
  }
  const OcspBasicPtr basic(OCSP_response_get1_basic(response.get()));
  if (basic == nullptr) return "it has no basic response";
  if (identity.issuers.empty()) return "the chain lacks the issuer, so it cannot be checked whose status it is";
  const OcspIdPtr id(OCSP_cert_to_id(nullptr, identity.leaf.get(), identity.issuers.front().get()));
  int status = V_OCSP_CERTSTATUS_UNKNOWN;
  ASN1_GENERALIZEDTIME* this_update = nullptr;
  ASN1_GENERALIZEDTIME* next_update = nullptr;
  if (OCSP_resp_find_status(basic.get(), id.get(), &status, nullptr, nullptr, &this_update, &next_update) != 1) {
    return "it does not speak of this certificate";
  }
  if (status != V_OCSP_CERTSTATUS_GOOD) return concat("the certificate's status is ", OCSP_cert_status_str(status));
  if (OCSP_check_validity(this_update, next_update, staple_clock_skew_seconds, -1) != 1) {
    return concat("it is out of date: ", take_openssl_error());
  }
  if (!signed_for(basic.get(), identity.issuers.front().get())) return "it is not signed by the certificate's issuer";
  if (next_update != nullptr) identity.staple_until = to_time(next_update);
  return {};
}

Result<void> load_staple(Identity& identity, const std::string& path) {
  const auto der = read_file(path, "OCSP response", staple_limit_bytes);
  if (!der) return std::unexpected(der.error());
  identity.staple.assign(der->begin(), der->end());
  const std::string problem = staple_problem(identity);
  ERR_clear_error();
  if (problem.empty()) return {};
  return fail(Errc::tls_configuration, concat("OCSP response ", path, ": ", problem));
}

// ── Putting it together ─────────────────────────────────────────────────────────────────────────────────────────────

Result<Identity> parse_identity(const TlsIdentity& source) {
  const auto chain_text = read_source(source.chain, "certificate chain");
  if (!chain_text) return std::unexpected(chain_text.error());
  auto chain = parse_certificates(*chain_text);
  if (!chain) return about(source.chain, "certificate chain", chain.error().detail);
  auto key_text = read_source(source.key, "private key");
  if (!key_text) return std::unexpected(key_text.error());
  auto key = parse_key(*key_text);
  OPENSSL_cleanse(key_text->data(), key_text->size());
  if (!key) return about(source.key, "private key", key.error().detail);

  Identity identity;
  identity.key = std::move(*key);
  identity.leaf = std::move(chain->front());
  identity.issuers.assign(std::make_move_iterator(chain->begin() + 1), std::make_move_iterator(chain->end()));
  return identity;
}

Result<void> check_certificates(const Identity& identity, const PemSource& source, const IdentityRules& rules) {
  std::vector<X509*> all{identity.leaf.get()};
  for (const X509Ptr& issuer : identity.issuers) all.push_back(issuer.get());
  for (X509* certificate : all) {
    if (auto fine = check_dates(certificate, source, rules.now); !fine) return fine;
    if (auto fine = check_strength(certificate, source, rules); !fine) return fine;
  }
  return check_order(identity, source);
}

}  // namespace

Result<Identity> load_identity(const TlsIdentity& source, const IdentityRules& rules) {
  if (source.chain.empty() || source.key.empty()) {
    return fail(Errc::tls_configuration, "a certificate needs its chain and its private key, one of them is not given");
  }
  auto identity = parse_identity(source);
  if (!identity) return identity;
  if (auto fine = check_key(*identity, source); !fine) return std::unexpected(fine.error());
  if (auto fine = check_certificates(*identity, source.chain, rules); !fine) return std::unexpected(fine.error());
  collect_names(*identity);
  if (source.ocsp_file.empty()) return identity;
  if (auto fine = load_staple(*identity, source.ocsp_file); !fine) return std::unexpected(fine.error());
  return identity;
}

Result<void> install(const Identity& identity, SSL_CTX* context) {
  const ChainPtr issuers(sk_X509_new_null());
  for (const X509Ptr& issuer : identity.issuers) {
    // A root in the chain is in the client's store or useless: not sent.
    if (X509_check_issued(issuer.get(), issuer.get()) == X509_V_OK) continue;
    X509_up_ref(issuer.get());
    sk_X509_push(issuers.get(), issuer.get());
  }
  if (SSL_CTX_use_cert_and_key(context, identity.leaf.get(), identity.key.get(), issuers.get(), 1) == 1) return {};
  return fail_openssl(Errc::tls_configuration, concat("cannot use the certificate ", subject_of(identity.leaf.get())));
}

}  // namespace fairlead::tls
