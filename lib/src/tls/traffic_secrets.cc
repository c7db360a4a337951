// SPDX-License-Identifier: Apache-2.0
#include "tls/traffic_secrets.h"

#include <openssl/crypto.h>

#include <algorithm>

namespace fairlead::tls {

TrafficSecrets::~TrafficSecrets() {
  OPENSSL_cleanse(client_.bytes.data(), client_.bytes.size());
  OPENSSL_cleanse(server_.bytes.data(), server_.bytes.size());
}

void TrafficSecrets::take(std::string_view label, Bytes secret) noexcept {
  const bool client = label == "c ap traffic";
  if ((!client && label != "s ap traffic") || secret.size() > record::longest_secret_bytes) return;
  Secret& mine = client ? client_ : server_;
  std::ranges::copy(secret, mine.bytes.begin());
  mine.size = secret.size();
}

}  // namespace fairlead::tls
