// SPDX-License-Identifier: Apache-2.0
// Fetches documents by URL for those who may not know HTTP: key sets (JWKS), by https or from a file.
#pragma once

#include "api/http_client.h"
#include "auth/tokens.h"

#include <chrono>

namespace fairlead::server {

struct DocumentSettings {
  std::chrono::milliseconds timeout{5'000};
  std::size_t most_bytes = 1024 * 1024;
  std::string tls_ca_file;  // instead of the system's
};

// GET of http:// and https:// by `client`, which outlives it; "file:/etc/keys.json" or "file:///etc/keys.json" is read
// at once, on the calling thread. Anything but a 200 is a fault whose sentence names the status or the failure.
[[nodiscard]] FetchDocument fetch_documents(HttpClient& client, DocumentSettings settings = {});

}  // namespace fairlead::server
