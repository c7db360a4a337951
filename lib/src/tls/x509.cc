// SPDX-License-Identifier: Apache-2.0
#include "tls/x509.h"

#include <arpa/inet.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <span>

#include "base/assert.h"
#include "tls/concat.h"

namespace fairlead::tls {
namespace {

using Digest = std::array<unsigned char, SHA256_DIGEST_LENGTH>;

void append_hexadecimal(std::string& text, unsigned char byte) {
  static constexpr std::string_view digits = "0123456789abcdef";
  text += digits[byte >> 4U];
  text += digits[byte & 15U];
}

std::string hexadecimal(std::span<const unsigned char> bytes) {
  std::string text;
  for (const unsigned char byte : bytes) append_hexadecimal(text, byte);
  return text;
}

std::string padded(long long number, std::size_t digits = 2) {
  const std::string text = std::to_string(number);
  return text.size() >= digits ? text : std::string(digits - text.size(), '0') + text;
}

std::string base64(std::span<const unsigned char> bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');  // EVP_EncodeBlock writes a terminating zero too
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),  // NOLINT: bytes are bytes
                                   bytes.data(), static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(size));
  return text;
}

std::string name_text(const X509_NAME* name) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  FAIRLEAD_ASSERT(bio != nullptr);
  // Control characters and quotes of a hostile certificate are escaped: this text reaches logs and terminals.
  X509_NAME_print_ex(bio.get(), name, 0, XN_FLAG_RFC2253 & ~static_cast<unsigned long>(ASN1_STRFLGS_ESC_MSB));
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

// Text of a peer for people: what is not printable ASCII becomes an escape.
std::string printable(const ASN1_STRING* string) {
  std::string text;
  const std::span bytes(ASN1_STRING_get0_data(string), static_cast<std::size_t>(ASN1_STRING_length(string)));
  for (const unsigned char byte : bytes) {
    if (byte > 0x20 && byte < 0x7f) {
      text += static_cast<char>(byte);
    } else {
      text += "\\x";
      append_hexadecimal(text, byte);
    }
  }
  return text;
}

std::string common_name(X509* certificate) {
  const X509_NAME* subject = X509_get_subject_name(certificate);
  const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (at < 0) return {};
  unsigned char* utf8 = nullptr;
  const int size = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
  if (size < 0) {
    ERR_clear_error();
    return {};
  }
  std::string name(reinterpret_cast<const char*>(utf8), static_cast<std::size_t>(size));  // NOLINT: bytes are bytes
  OPENSSL_free(utf8);
  std::ranges::replace_if(name, [](unsigned char c) { return c < 0x20 || c == 0x7f; }, '?');
  return name;
}

std::string ip_text(const ASN1_OCTET_STRING* address) {
  const unsigned char* bytes = ASN1_STRING_get0_data(address);
  const int size = ASN1_STRING_length(address);
  if (size != 4 && size != 16) return "?";
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(size == 4 ? AF_INET : AF_INET6, bytes, text.data(), static_cast<socklen_t>(text.size()));
  return text.data();
}

void add_alternative_names(X509* certificate, CertificateInfo& info) {
  auto* names = static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  for (int at = 0; at < sk_GENERAL_NAME_num(names); ++at) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names, at);
    if (name->type == GEN_DNS) info.dns_names.push_back(printable(name->d.dNSName));
    if (name->type == GEN_URI) info.uris.push_back(printable(name->d.uniformResourceIdentifier));
    if (name->type == GEN_IPADD) info.ip_addresses.push_back(ip_text(name->d.iPAddress));
  }
  GENERAL_NAMES_free(names);
}

std::string serial_text(X509* certificate) {
  const ASN1_INTEGER* serial = X509_get0_serialNumber(certificate);
  return hexadecimal({ASN1_STRING_get0_data(serial), static_cast<std::size_t>(ASN1_STRING_length(serial))});
}

std::string fingerprint(X509* certificate) {
  Digest digest{};
  unsigned size = 0;
  FAIRLEAD_ASSERT(X509_digest(certificate, EVP_sha256(), digest.data(), &size) == 1);
  return hexadecimal(digest);
}

std::string key_type(EVP_PKEY* key) {
  if (key == nullptr) return "unknown";
  if (EVP_PKEY_get_base_id(key) != EVP_PKEY_EC) {
    const char* type = EVP_PKEY_get0_type_name(key);
    return type != nullptr ? type : "unknown";
  }
  std::array<char, 64> group{};
  std::size_t size = 0;
  if (EVP_PKEY_get_group_name(key, group.data(), group.size(), &size) != 1) return "EC";
  const std::string_view name(group.data(), size);
  if (name == "prime256v1") return "EC P-256";
  if (name == "secp384r1") return "EC P-384";
  return concat("EC ", name);
}

std::vector<std::string> key_usages(X509* certificate) {
  struct Usage {
    unsigned bit;
    const char* name;
  };
  static constexpr std::array<Usage, 7> usages{{{KU_DIGITAL_SIGNATURE, "digital signature"},
                                                {KU_NON_REPUDIATION, "non-repudiation"},
                                                {KU_KEY_ENCIPHERMENT, "key encipherment"},
                                                {KU_DATA_ENCIPHERMENT, "data encipherment"},
                                                {KU_KEY_AGREEMENT, "key agreement"},
                                                {KU_KEY_CERT_SIGN, "certificate signing"},
                                                {KU_CRL_SIGN, "CRL signing"}}};
  std::vector<std::string> names;
  const std::uint32_t bits = X509_get_key_usage(certificate);
  if (bits == UINT32_MAX) return names;  // no such extension: everything is allowed
  for (const Usage& usage : usages) {
    if ((bits & usage.bit) != 0) names.emplace_back(usage.name);
  }
  return names;
}

std::vector<std::string> extended_key_usages(X509* certificate) {
  std::vector<std::string> names;
  auto* usages = static_cast<EXTENDED_KEY_USAGE*>(X509_get_ext_d2i(certificate, NID_ext_key_usage, nullptr, nullptr));
  for (int at = 0; at < sk_ASN1_OBJECT_num(usages); ++at) {
    std::array<char, 80> text{};
    OBJ_obj2txt(text.data(), static_cast<int>(text.size()), sk_ASN1_OBJECT_value(usages, at), 0);
    names.emplace_back(text.data());
  }
  EXTENDED_KEY_USAGE_free(usages);
  return names;
}

}  // namespace

std::string subject_of(X509* certificate) { return name_text(X509_get_subject_name(certificate)); }

std::string spki_sha256(X509* certificate) {
  unsigned char* der = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
  if (size <= 0) {
    ERR_clear_error();
    return {};
  }
  Digest digest{};
  SHA256(der, static_cast<std::size_t>(size), digest.data());
  OPENSSL_free(der);
  return base64(digest);
}

std::chrono::system_clock::time_point to_time(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) {
    ERR_clear_error();
    return {};  // 1970: whatever is malformed has expired
  }
  const std::chrono::year_month_day date{std::chrono::year{parts.tm_year + 1900},
                                         std::chrono::month{static_cast<unsigned>(parts.tm_mon) + 1},
                                         std::chrono::day{static_cast<unsigned>(parts.tm_mday)}};
  // Seconds first: a far date does not fit into the system clock's nanoseconds.
  const auto seconds = std::chrono::sys_seconds{std::chrono::sys_days{date}} + std::chrono::hours{parts.tm_hour} +
                       std::chrono::minutes{parts.tm_min} + std::chrono::seconds{parts.tm_sec};
  const auto highest = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::time_point::max());
  const auto lowest = std::chrono::ceil<std::chrono::seconds>(std::chrono::system_clock::time_point::min());
  return std::clamp(seconds, lowest, highest);
}

std::string iso8601(std::chrono::system_clock::time_point time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{std::chrono::floor<std::chrono::seconds>(time - day)};
  return concat(padded(static_cast<int>(date.year()), 4), "-", padded(static_cast<unsigned>(date.month())), "-",
                padded(static_cast<unsigned>(date.day())), "T", padded(clock.hours().count()), ":",
                padded(clock.minutes().count()), ":", padded(clock.seconds().count()), "Z");
}

CertificateInfo describe(X509* certificate) {
  CertificateInfo info;
  info.subject = subject_of(certificate);
  info.issuer = name_text(X509_get_issuer_name(certificate));
  info.common_name = common_name(certificate);
  add_alternative_names(certificate, info);
  info.serial = serial_text(certificate);
  info.sha256 = fingerprint(certificate);
  info.spki_sha256 = spki_sha256(certificate);
  info.not_before = iso8601(to_time(X509_get0_notBefore(certificate)));
  info.not_after = iso8601(to_time(X509_get0_notAfter(certificate)));
  ERR_clear_error();
  return info;
}

CertificateDetails describe_details(X509* certificate) {
  CertificateDetails details;
  details.info = describe(certificate);
  EVP_PKEY* key = X509_get0_pubkey(certificate);
  details.key_type = key_type(key);
  details.key_bits = key != nullptr ? EVP_PKEY_get_bits(key) : 0;
  details.signature_algorithm = OBJ_nid2ln(X509_get_signature_nid(certificate));
  details.key_usages = key_usages(certificate);
  details.extended_key_usages = extended_key_usages(certificate);
  details.is_ca = X509_check_ca(certificate) == 1;
  details.self_signed = X509_check_issued(certificate, certificate) == X509_V_OK;
  details.valid_from = to_time(X509_get0_notBefore(certificate));
  details.valid_until = to_time(X509_get0_notAfter(certificate));
  ERR_clear_error();
  return details;
}

}  // namespace fairlead::tls
