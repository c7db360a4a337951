// SPDX-License-Identifier: Apache-2.0
#include "tls/openssl.h"

#include "tls/concat.h"

namespace fairlead::tls {

std::string take_openssl_error(std::string_view otherwise) {
  const unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  if (code == 0) return std::string(otherwise);
  if (ERR_SYSTEM_ERROR(code)) return std::string(otherwise);
  const char* reason = ERR_reason_error_string(code);
  return reason != nullptr ? std::string(reason) : concat("OpenSSL error ", std::to_string(code));
}

std::unexpected<Error> fail_openssl(Errc code, std::string_view sentence) {
  return fail(code, concat(sentence, ": ", take_openssl_error()));
}

}  // namespace fairlead::tls
