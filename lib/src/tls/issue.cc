// SPDX-License-Identifier: Apache-2.0
#include "tls/issue.h"

#include <openssl/ec.h>
#include <openssl/rand.h>

#include <array>

#include "base/assert.h"
#include "tls/concat.h"

namespace fairlead::tls {
namespace {

using ExtensionPtr = std::unique_ptr<X509_EXTENSION, Release<X509_EXTENSION_free>>;
using TimeOfDay = std::chrono::system_clock::time_point;

// CA/Browser Forum 7.1: at least 64 bits from a generator, positive.
bool set_serial(X509* certificate) {
  std::array<unsigned char, 16> random{};
  if (RAND_bytes(random.data(), static_cast<int>(random.size())) != 1) return false;
  random[0] = static_cast<unsigned char>((random[0] & 0x7fU) | 0x40U);
  BIGNUM* number = BN_bin2bn(random.data(), static_cast<int>(random.size()), nullptr);
  const bool set = BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != nullptr;
  BN_free(number);
  return set;
}

bool add_to_name(X509_NAME* name, const char* field, const std::string& text) {
  if (text.empty()) return true;
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());  // NOLINT: bytes are bytes
  return X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, bytes, static_cast<int>(text.size()), -1, 0) == 1;
}

bool set_time(ASN1_TIME* field, TimeOfDay time) {
  return ASN1_TIME_set(field, std::chrono::system_clock::to_time_t(time)) != nullptr;
}

std::string joined(const std::vector<std::string>& items, std::string_view before) {
  std::string text;
  for (const std::string& item : items) text += concat(text.empty() ? "" : ",", before, item);
  return text;
}

struct Extension {
  int nid;
  std::string value;
};

// The order matters: the authority key identifier reads the issuer's subject key identifier.
std::vector<Extension> extensions_of(const CertificateRequest& request) {
  std::vector<Extension> all;
  if (request.is_ca) {
    all.push_back({NID_basic_constraints, concat("critical,CA:TRUE,pathlen:", std::to_string(request.path_length))});
    all.push_back({NID_key_usage, "critical,keyCertSign,cRLSign"});
  } else {
    all.push_back({NID_basic_constraints, "critical,CA:FALSE"});
    all.push_back({NID_key_usage, "critical,digitalSignature"});
    if (!request.extended_key_usage.empty()) all.push_back({NID_ext_key_usage, request.extended_key_usage});
  }
  all.push_back({NID_subject_key_identifier, "hash"});
  all.push_back({NID_authority_key_identifier, "keyid:always"});
  if (!request.permitted_names.empty()) {
    all.push_back({NID_name_constraints, concat("critical,", joined(request.permitted_names, "permitted;"))});
  }
  if (!request.alternative_names.empty()) {
    all.push_back({NID_subject_alt_name, joined(request.alternative_names, "")});
  }
  return all;
}

bool add_extensions(X509* certificate, X509* issuer, const CertificateRequest& request) {
  X509V3_CTX context{};
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  for (const Extension& wanted : extensions_of(request)) {
    const ExtensionPtr extension(X509V3_EXT_conf_nid(nullptr, &context, wanted.nid, wanted.value.c_str()));
    if (extension == nullptr || X509_add_ext(certificate, extension.get(), -1) != 1) return false;
  }
  return true;
}

}  // namespace

KeyPtr make_p256_key() {
  KeyPtr key(EVP_EC_gen("P-256"));
  FAIRLEAD_ASSERT(key != nullptr);
  return key;
}

Result<Issued> issue(const CertificateRequest& request, const Issued* issuer) {
  return issue(request, issuer, make_p256_key());
}

Result<Issued> issue(const CertificateRequest& request, const Issued* issuer, KeyPtr key) {
  X509Ptr certificate(X509_new());
  X509* raw = certificate.get();
  X509* signer = issuer != nullptr ? issuer->certificate.get() : raw;
  EVP_PKEY* signing_key = issuer != nullptr ? issuer->key.get() : key.get();
  X509_NAME* subject = X509_get_subject_name(raw);
  const bool filled = X509_set_version(raw, X509_VERSION_3) == 1 && set_serial(raw) &&
                      set_time(X509_getm_notBefore(raw), request.valid_from) &&
                      set_time(X509_getm_notAfter(raw), request.valid_until) &&
                      add_to_name(subject, "O", request.organization) &&
                      add_to_name(subject, "CN", request.common_name) &&
                      X509_set_issuer_name(raw, X509_get_subject_name(signer)) == 1 &&
                      X509_set_pubkey(raw, key.get()) == 1 && add_extensions(raw, signer, request);
  if (!filled || X509_sign(raw, signing_key, EVP_sha256()) == 0) {
    return fail_openssl(Errc::tls_configuration, concat("cannot make a certificate for ", request.common_name));
  }
  return Issued{.certificate = std::move(certificate), .key = std::move(key)};
}

}  // namespace fairlead::tls
