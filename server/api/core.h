// SPDX-License-Identifier: Apache-2.0
// The HTTP API without HTTP's sockets: who may ask, what is asked, what is answered. Thread-safe.
//
//   POST /api/<method>   {"channel":"news","data":{}}      → 200 {"result":{…}} or 200 {"error":{"code":…,"message":…}}
//   POST /api/batch      {"commands":[{"publish":{…}},…]}  → 200 {"result":{"replies":[{"publish":{…}},{"error":{…}}]}}
//   POST /api            {"method":…,"params":{…}} lines   → 200, one {"result":…} or {"error":…} per line
//
// 401 without the key, 404 for a method that there is not, 413 for a body that is too large. With the request field
// "X-Centrifugo-Error-Mode: transport" an error has a status of its own instead of 200.
#pragma once

#include "api/control.h"
#include "api/settings.h"

#include <fairlead/http.h>

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace fairlead::server {

struct ApiReply {
  int status = 200;
  std::string body;  // JSON
};
using ApiDone = std::function<void(ApiReply)>;  // exactly once, on any thread, perhaps within the call

class ApiCore {
 public:
  // `control` outlives the core and all answers.
  ApiCore(Control& control, HttpApiSettings settings);

  // `method`: the path after the prefix, empty for the legacy form. `query_key`: ?api_key=.
  void handle(std::string_view method, const Headers& headers, const std::optional<std::string>& query_key,
              std::string body, ApiDone done) const;
  // The same for a caller who has shown otherwise that he may.
  void handle_trusted(std::string_view method, const Headers& headers, std::string body, ApiDone done) const;

  // X-API-Key, "Authorization: apikey …" or the query's; compared in constant time.
  [[nodiscard]] bool authorized(const Headers& headers, const std::optional<std::string>& query_key) const;

  // Takes effect with the next request.
  void reconfigure(HttpApiSettings settings);

 private:
  [[nodiscard]] std::shared_ptr<const HttpApiSettings> settings() const;

  Control* control_;
  mutable std::mutex mutex_;
  std::shared_ptr<const HttpApiSettings> settings_;
};

// The status of an error in the transport's error mode.
[[nodiscard]] int http_status_of(const ClientError& error);

}  // namespace fairlead::server
