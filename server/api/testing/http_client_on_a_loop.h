// SPDX-License-Identifier: Apache-2.0
// An HTTP client for tests, with a server that does nothing but lend it a loop.
#pragma once

#include "api/http_client.h"

#include <fairlead/server.h>

#include <gtest/gtest.h>

namespace fairlead::server::testing {

// The loop ends before the client does, unless that is stopped before.
class HttpClientOnALoop : public HttpClient {
 public:
  HttpClientOnALoop() {
    EXPECT_TRUE(host_.dangerously_listen_without_tls("127.0.0.1:0").has_value());
    EXPECT_TRUE(host_.start().has_value());
    run_on(loop());
  }
  [[nodiscard]] LoopHandle loop() const { return host_.loops().front(); }

 private:
  static ServerOptions one_loop() {
    ServerOptions options;
    options.threads = 1;
    return options;
  }
  Server host_{one_loop()};
};

}  // namespace fairlead::server::testing
