// SPDX-License-Identifier: Apache-2.0
#include "tls/traffic_secrets.h"

#include <openssl/crypto.h>

namespace fairlead::tls {

TrafficSecrets::~TrafficSecrets() {
  OPENSSL_cleanse(client_.bytes.data(), client_.bytes.size());
  OPENSSL_cleanse(server_.bytes.data(), server_.bytes.size());
}

void TrafficSecrets::take(std::string_view line) {
  const std::string_view label = line.substr(0, line.find(' '));
  Secret* secret = nullptr;
  if (label == "CLIENT_TRAFFIC_SECRET_0") secret = &client_;
  if (label == "SERVER_TRAFFIC_SECRET_0") secret = &server_;
  if (secret != nullptr) parse(line.substr(line.rfind(' ') + 1), *secret);
}

void TrafficSecrets::parse(std::string_view hexadecimal, Secret& secret) {
  secret.size = 0;
  if (hexadecimal.size() > 2 * secret.bytes.size() || hexadecimal.size() % 2 != 0) return;
  for (std::size_t at = 0; at < hexadecimal.size(); at += 2) {
    const int high = OPENSSL_hexchar2int(static_cast<unsigned char>(hexadecimal[at]));
    const int low = OPENSSL_hexchar2int(static_cast<unsigned char>(hexadecimal[at + 1]));
    if (high < 0 || low < 0) return;
    secret.bytes[at / 2] = static_cast<std::byte>(high * 16 + low);
  }
  secret.size = hexadecimal.size() / 2;
}

}  // namespace fairlead::tls
