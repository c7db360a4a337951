// SPDX-License-Identifier: Apache-2.0
#include "app/development.h"

#include <fmt/format.h>
#include <openssl/rand.h>

#include <array>
#include <iterator>
#include <stdexcept>
#include <string_view>

namespace fairlead::server {
namespace {

// `fairlead config print` shows it whole.
constexpr std::string_view text = R"(# Development: no configuration was given.
[listen]
secure = ["localhost:8443"]

[client]
allow_anonymous_connect_without_token = true
token.hmac_secret_key = "{token_secret}"

[http_api]
key = "{api_key}"

[admin]
enabled = true
password = "{admin_password}"

[http_stream]
enabled = true
[sse]
enabled = true
[uni_websocket]
enabled = true
[uni_sse]
enabled = true
[uni_http_stream]
enabled = true

[events]
enabled = true

[channel.without_namespace]
presence = true
join_leave = true
history_size = 100
history_ttl = "1h"
allow_recovery = true
allow_positioning = true
allow_tags_filter = true
allowed_delta_types = ["fossil"]
allow_channel_compaction = true
allow_subscribe_for_client = true
allow_subscribe_for_anonymous = true
allow_publish_for_subscriber = true
allow_history_for_subscriber = true
allow_presence_for_subscriber = true

# The rooms and direct messages of the chat page.
[[channel.namespaces]]
name = "chat"
presence = true
join_leave = true
force_push_join_leave = true
history_size = 10000
history_ttl = "360h"
force_recovery = true
allow_subscribe_for_client = true
allow_publish_for_subscriber = true
allow_history_for_subscriber = true
allow_presence_for_subscriber = true
allow_user_limited_channels = true

# Who is typing: nothing of it is kept.
[[channel.namespaces]]
name = "typing"
allow_subscribe_for_client = true
allow_publish_for_subscriber = true
allow_user_limited_channels = true
)";

}  // namespace

std::string random_secret() {
  std::array<unsigned char, 32> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) throw std::runtime_error("no entropy");
  std::string secret;
  for (const unsigned char byte : bytes) fmt::format_to(std::back_inserter(secret), "{:02x}", byte);
  return secret;
}

DevelopmentConfiguration development_configuration() {
  DevelopmentConfiguration made{.toml = std::string(text),
                                .token_secret = random_secret(),
                                .api_key = random_secret(),
                                .admin_password = random_secret().substr(0, 16)};
  const auto fill = [&](std::string_view name, const std::string& value) {
    const std::string mark = fmt::format("{{{}}}", name);
    made.toml.replace(made.toml.find(mark), mark.size(), value);
  };
  fill("token_secret", made.token_secret);
  fill("api_key", made.api_key);
  fill("admin_password", made.admin_password);
  return made;
}

}  // namespace fairlead::server
