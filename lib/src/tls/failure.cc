// SPDX-License-Identifier: Apache-2.0
#include "tls/failure.h"

#include <openssl/sslerr.h>

#include "tls/concat.h"
#include "tls/x509.h"

namespace fairlead::tls {
namespace {

// A hostile certificate may carry thousands of names.
constexpr std::size_t names_in_a_message = 8;

std::string names_of(X509* certificate) {
  const CertificateInfo info = describe(certificate);
  std::vector<std::string> names = info.dns_names;
  names.insert(names.end(), info.ip_addresses.begin(), info.ip_addresses.end());
  if (names.empty()) return "no name at all (no subjectAltName)";
  std::string text;
  for (std::size_t at = 0; at < names.size() && at < names_in_a_message; ++at) {
    text += concat(at == 0 ? "" : ", ", names[at]);
  }
  if (names.size() > names_in_a_message)
    text += concat(" and ", std::to_string(names.size() - names_in_a_message), " more");
  return text;
}

std::string advice(int problem, X509* certificate) {
  switch (problem) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return concat("it ended on ", iso8601(to_time(X509_get0_notAfter(certificate))), "; the peer has to renew it");
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return concat("it begins on ", iso8601(to_time(X509_get0_notBefore(certificate))), "; check both clocks");
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
      return "no trusted CA signed it; if it is yours, name its CA (the option ca)";
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      return "the peer must send its intermediate certificates too, or the CA is not trusted here: name it (the option "
             "ca)";
    case X509_V_ERR_INVALID_PURPOSE:
      return "its extended key usage does not allow this role";
    case X509_V_ERR_UNABLE_TO_GET_CRL:
      return "the revocation lists given hold none of its issuer";
    default:
      return {};
  }
}

bool is_name_mismatch(int problem) {
  return problem == X509_V_ERR_HOSTNAME_MISMATCH || problem == X509_V_ERR_IP_ADDRESS_MISMATCH;
}

bool lacks_client_certificate(int reason) {
  return reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE || reason == SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED;
}

}  // namespace

Error explain_verification(X509_STORE_CTX* store, std::string_view host) {
  const int problem = X509_STORE_CTX_get_error(store);
  X509* certificate = X509_STORE_CTX_get_current_cert(store);
  if (certificate == nullptr) certificate = X509_STORE_CTX_get0_cert(store);
  if (is_name_mismatch(problem)) {
    return {
        .code = Errc::tls_host_mismatch,
        .detail = concat("the certificate is not for ", host, "; it has ", names_of(X509_STORE_CTX_get0_cert(store)))};
  }
  std::string detail = concat("certificate ", subject_of(certificate), ": ", X509_verify_cert_error_string(problem));
  if (const std::string what_to_do = advice(problem, certificate); !what_to_do.empty()) detail += "; " + what_to_do;
  return {.code = Errc::tls_certificate_rejected, .detail = std::move(detail)};
}

bool failed_by_alert() {
  // A description is one byte (RFC 8446 6); what lies above are failures of our own, such as ERR_R_INTERNAL_ERROR.
  constexpr int descriptions = 256;
  const unsigned long error = ERR_peek_last_error();
  const int description = ERR_GET_REASON(error) - SSL_AD_REASON_OFFSET;
  return ERR_GET_LIB(error) == ERR_LIB_SSL && description >= 0 && description < descriptions;
}

Error explain_failure(Side side, bool handshaking) {
  const unsigned long error = ERR_peek_last_error();
  const int reason = ERR_GET_LIB(error) == ERR_LIB_SSL ? ERR_GET_REASON(error) : 0;
  const bool alert = failed_by_alert();
  std::string text = take_openssl_error("the handshake failed");
  if (reason == SSL_R_HTTP_REQUEST || reason == SSL_R_HTTPS_PROXY_REQUEST) {
    return {.code = Errc::tls_plaintext_received, .detail = "a cleartext HTTP request came to a TLS port"};
  }
  if (lacks_client_certificate(reason)) {
    const char* who = side == Side::server ? "the client sent no certificate, one is required"
                                           : "the server requires a client certificate: give one (the option identity)";
    return {.code = Errc::tls_client_certificate_missing, .detail = who};
  }
  if (alert) text = concat("the peer refused: ", text);
  return {.code = handshaking ? Errc::tls_handshake_failed : Errc::tls_protocol_error, .detail = std::move(text)};
}

}  // namespace fairlead::tls
