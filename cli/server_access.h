// SPDX-License-Identifier: Apache-2.0
// How the verbs that ask a running server reach it: where it is, whom to trust, and with which key.
#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "program.h"

namespace fairlead::server {
class BlockingHttpClient;
}

namespace fairlead::cli {

struct ServerAccess {
  std::string url = "https://localhost:8443";
  std::string ca;
  std::string key, key_file;
  double timeout_seconds = 10;
  bool cleartext = false;
  bool json = false;
};

// --url, --ca, --allow-cleartext, --json, for every verb that asks a server.
void add_server_options(Verb verb, ServerAccess& access);
// These, and --key, --key-file, --timeout, for the verbs that use the HTTP API.
void add_api_options(Verb verb, ServerAccess& access);

// False, and complained about, when the URL is of another scheme or in the clear without leave.
[[nodiscard]] bool usable_url(const ServerAccess& access);
// The URL without a slash at its end, so that a path can follow.
[[nodiscard]] std::string base_url(const ServerAccess& access);

// Calls the HTTP API, one call at a time. What goes wrong has been complained about when a status is answered.
class ApiClient {
 public:
  [[nodiscard]] static std::expected<ApiClient, ExitStatus> open(const ServerAccess& access);
  ApiClient(ApiClient&&) noexcept;
  ApiClient& operator=(ApiClient&&) noexcept;
  ~ApiClient();

  // `body`: the JSON object of the request. The result's JSON text.
  [[nodiscard]] std::expected<std::string, ExitStatus> call(std::string_view method, std::string body);

 private:
  struct Place {
    std::string base, key, ca_file;
    double timeout_seconds = 0;
  };
  explicit ApiClient(Place place);

  Place place_;
  std::unique_ptr<server::BlockingHttpClient> client_;
};

// A line of JSON or of a peer's text on standard output; what could move the cursor is shown on a terminal, not obeyed.
[[nodiscard]] bool print_line(std::string_view line);

}  // namespace fairlead::cli
