// SPDX-License-Identifier: Apache-2.0
// OpenSSL's objects with owners, and its error queue as text. Only .cc files and this folder's own headers include it.
#pragma once

#include <fairlead/error.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ocsp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>
#include <string_view>

namespace fairlead::tls {

template <auto release>
struct Release {
  template <class T>
  void operator()(T* object) const noexcept {
    release(object);
  }
};
inline void release_chain(STACK_OF(X509) * chain) noexcept { sk_X509_pop_free(chain, X509_free); }

using BioPtr = std::unique_ptr<BIO, Release<BIO_free_all>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Release<EVP_PKEY_free>>;
using X509Ptr = std::unique_ptr<X509, Release<X509_free>>;
using CrlPtr = std::unique_ptr<X509_CRL, Release<X509_CRL_free>>;
using ChainPtr = std::unique_ptr<STACK_OF(X509), Release<release_chain>>;
using SslPtr = std::unique_ptr<SSL, Release<SSL_free>>;
using SslContextPtr = std::unique_ptr<SSL_CTX, Release<SSL_CTX_free>>;
using SessionPtr = std::unique_ptr<SSL_SESSION, Release<SSL_SESSION_free>>;

// The newest entry of the error queue in words ("no shared cipher"), or `otherwise` when the queue is empty. Empties
// the queue.
[[nodiscard]] std::string take_openssl_error(std::string_view otherwise = "unknown error");

// A failing branch with OpenSSL's reason behind the sentence.
[[nodiscard]] std::unexpected<Error> fail_openssl(Errc code, std::string_view sentence);

}  // namespace fairlead::tls
