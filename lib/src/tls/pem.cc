// SPDX-License-Identifier: Apache-2.0
#include "tls/pem.h"

#include <openssl/pem.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <system_error>

#include "base/assert.h"
#include "tls/concat.h"

namespace fairlead::tls {
namespace {

BioPtr reader(std::string_view text) {
  BioPtr bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  FAIRLEAD_ASSERT(bio != nullptr);
  return bio;
}

std::string written(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

// OpenSSL would ask on the terminal.
int refuse_password(char* /*buffer*/, int /*size*/, int /*writing*/, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

// Reads objects until there are no more; an error that is not "no more" ends with that error.
template <class Pointer, class Read>
Result<std::vector<Pointer>> parse_all(std::string_view pem, std::string_view what, Read read) {
  const BioPtr bio = reader(pem);
  std::vector<Pointer> found;
  ERR_clear_error();
  while (auto* object = read(bio.get())) found.emplace_back(object);
  const unsigned long error = ERR_peek_last_error();
  const bool end = error == 0 || (ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE);
  if (!end)
    return fail_openssl(Errc::tls_configuration,
                        concat(what, " ", std::to_string(found.size() + 1), " does not parse"));
  ERR_clear_error();
  if (found.empty()) return fail(Errc::tls_configuration, concat("there is no ", what, " in it (PEM expected)"));
  return found;
}

}  // namespace

Result<std::string> read_file(const std::string& path, std::string_view what, std::size_t limit_bytes) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    const std::string reason = std::generic_category().message(errno);
    return fail(Errc::tls_configuration, concat("cannot open the ", what, " ", path, ": ", reason));
  }
  std::string text(limit_bytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) return fail(Errc::tls_configuration, concat("cannot read the ", what, " ", path));
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > limit_bytes) {
    return fail(Errc::tls_configuration,
                concat("the ", what, " ", path, " is larger than ", std::to_string(limit_bytes), " bytes"));
  }
  text.shrink_to_fit();
  return text;
}

Result<std::string> read_source(const PemSource& source, std::string_view what) {
  if (!source.file.empty()) return read_file(source.file, what);
  if (source.text.size() > pem_limit_bytes) return fail(Errc::tls_configuration, concat("the ", what, " is too large"));
  return source.text;
}

std::string source_name(const PemSource& source) { return source.file.empty() ? "(PEM text)" : source.file; }

Result<std::vector<X509Ptr>> parse_certificates(std::string_view pem) {
  return parse_all<X509Ptr>(pem, "certificate",
                            [](BIO* bio) { return PEM_read_bio_X509(bio, nullptr, nullptr, nullptr); });
}

Result<std::vector<CrlPtr>> parse_crls(std::string_view pem) {
  return parse_all<CrlPtr>(pem, "revocation list",
                           [](BIO* bio) { return PEM_read_bio_X509_CRL(bio, nullptr, nullptr, nullptr); });
}

Result<KeyPtr> parse_key(std::string_view pem) {
  const BioPtr bio = reader(pem);
  bool asked = false;
  KeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, refuse_password, &asked));
  if (key != nullptr) return key;
  if (asked) {
    ERR_clear_error();
    return fail(Errc::tls_configuration, "it is encrypted: decrypt it (openssl pkey) and protect the file instead");
  }
  return fail_openssl(Errc::tls_configuration, "there is no private key in it (PEM expected)");
}

std::string to_pem(X509* certificate) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  FAIRLEAD_ASSERT(bio != nullptr && PEM_write_bio_X509(bio.get(), certificate) == 1);
  return written(bio.get());
}

std::string to_pem(EVP_PKEY* key) {
  const BioPtr bio(BIO_new(BIO_s_secmem()));
  FAIRLEAD_ASSERT(bio != nullptr);
  FAIRLEAD_ASSERT(PEM_write_bio_PKCS8PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1);
  return written(bio.get());
}

}  // namespace fairlead::tls
