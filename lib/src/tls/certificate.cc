// SPDX-License-Identifier: Apache-2.0
// The public inspection of certificates.
#include <fairlead/certificate.h>

#include <algorithm>

#include "tls/concat.h"
#include "tls/pem.h"
#include "tls/x509.h"

namespace fairlead {
namespace {

using tls::concat;
constexpr int minimum_rsa_bits = 2048;

bool serves(const CertificateDetails& leaf) {
  const auto& usages = leaf.extended_key_usages;
  return usages.empty() || std::ranges::any_of(usages, [](const std::string& usage) {
           return usage == "TLS Web Server Authentication" || usage == "Any Extended Key Usage";
         });
}

void warn_about_leaf(const CertificateDetails& leaf, std::vector<std::string>& warnings) {
  if (leaf.info.dns_names.empty() && leaf.info.ip_addresses.empty()) {
    warnings.emplace_back("It has no subjectAltName: clients ignore the common name, so it is good for no host.");
  }
  if (!serves(leaf)) warnings.emplace_back("Its extended key usage does not allow it to serve.");
  if (leaf.is_ca) warnings.emplace_back("It is the certificate of a CA; a server should show one issued by it.");
}

void warn_about_dates(const CertificateDetails& one, std::chrono::system_clock::time_point now,
                      std::vector<std::string>& warnings) {
  const std::string who = one.info.subject;
  if (one.valid_until < now) {
    warnings.push_back(concat(who, " expired on ", one.info.not_after, "."));
  } else if (one.valid_from > now) {
    warnings.push_back(concat(who, " is not valid before ", one.info.not_before, "."));
  } else if (one.valid_until - now < (one.valid_until - one.valid_from) / 3) {
    warnings.push_back(concat(who, " has less than a third of its life left: ",
                              std::to_string(one.days_left(now).count()), " days. Renew it."));
  }
}

}  // namespace

Result<std::vector<CertificateDetails>> inspect_pem(std::string_view pem) {
  if (pem.size() > tls::pem_limit_bytes) return fail(Errc::tls_configuration, "the text is too large for certificates");
  const auto certificates = tls::parse_certificates(pem);
  if (!certificates) return std::unexpected(certificates.error());
  std::vector<CertificateDetails> all;
  for (const tls::X509Ptr& certificate : *certificates) all.push_back(tls::describe_details(certificate.get()));
  return all;
}

Result<std::vector<CertificateDetails>> inspect_file(const std::string& path) {
  const auto text = tls::read_file(path, "certificate file");
  if (!text) return std::unexpected(text.error());
  auto all = inspect_pem(*text);
  if (!all) return fail(all.error().code, concat(path, ": ", all.error().detail));
  return all;
}

std::vector<std::string> chain_warnings(const std::vector<CertificateDetails>& chain,
                                        std::chrono::system_clock::time_point now) {
  std::vector<std::string> warnings;
  if (chain.empty()) return warnings;
  warn_about_leaf(chain.front(), warnings);
  for (std::size_t at = 0; at < chain.size(); ++at) {
    const CertificateDetails& one = chain[at];
    warn_about_dates(one, now, warnings);
    if (one.key_type == "RSA" && one.key_bits < minimum_rsa_bits) {
      warnings.push_back(
          concat(one.info.subject, " has a weak key: RSA with ", std::to_string(one.key_bits), " bits."));
    }
    if (at > 0 && chain[at - 1].info.issuer != one.info.subject) {
      warnings.push_back(
          concat("Out of order: ", one.info.subject, " did not issue ", chain[at - 1].info.subject, "."));
    }
  }
  return warnings;
}

}  // namespace fairlead
