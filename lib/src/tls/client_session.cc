// SPDX-License-Identifier: Apache-2.0
#include "tls/client_session.h"

#include <utility>

#include "tls/openssl.h"

namespace fairlead::tls {

ClientSession::~ClientSession() { SSL_SESSION_free(session_); }

bool ClientSession::available() const {
  const std::lock_guard lock(mutex_);
  return session_ != nullptr && SSL_SESSION_is_resumable(session_) == 1;
}

void ClientSession::forget() {
  const std::lock_guard lock(mutex_);
  SSL_SESSION_free(std::exchange(session_, nullptr));
  context_.reset();
}

void ClientSession::put(std::shared_ptr<const ClientContext> context, std::string host, ssl_session_st* session) {
  const std::lock_guard lock(mutex_);
  SSL_SESSION_free(std::exchange(session_, session));
  context_ = std::move(context);
  host_ = std::move(host);
}

ssl_session_st* ClientSession::take(const ClientContext& context, const std::string& host) {
  const std::lock_guard lock(mutex_);
  if (context_.get() != &context || host_ != host) return nullptr;
  return std::exchange(session_, nullptr);
}

}  // namespace fairlead::tls
