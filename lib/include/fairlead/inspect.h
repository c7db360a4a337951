// SPDX-License-Identifier: Apache-2.0
// What a server shows of itself in the TLS handshake, trusted or not: for tools that explain, never to decide.
#pragma once

#include <fairlead/certificate.h>
#include <fairlead/client.h>
#include <fairlead/error.h>
#include <fairlead/tls_info.h>
#include <fairlead/url.h>

#include <optional>
#include <vector>

namespace fairlead {

struct ServerCertificates {
  TlsInfo tls;                            // what was agreed on
  std::vector<CertificateDetails> chain;  // as the server sent it, its own certificate first
  std::optional<Error> rejected;          // why a client with these options would not trust it; empty: it would
};

// Connects twice (once to look, once to check), sends no request, and closes. Blocks: not on a loop's thread. Of
// `options` counts what concerns the way to the server and TLS. An error: the server could not be reached, or does not
// speak TLS.
[[nodiscard]] Result<ServerCertificates> inspect_server(const Url& url, const ClientOptions& options = {});

}  // namespace fairlead
