// SPDX-License-Identifier: Apache-2.0
// Who may come in is decided before the channel opens: by a token in a header field, or by a client certificate that
// the TLS handshake has verified. Everybody else gets a 401 and no WebSocket.
#include <fairlead/server.h>

namespace {

fairlead::Decision decide(const fairlead::Request& request) {
  fairlead::Decision decision = fairlead::Decision::accept();
  if (request.tls && request.tls->peer_certificate) {
    decision.data = request.tls->peer_certificate->common_name;
    return decision;
  }
  // A real server compares in constant time, or better: verifies a signature.
  if (request.headers.find("Authorization") == "Bearer open-sesame") {
    decision.data = std::string("the one with the token");
    return decision;
  }
  auto refusal = fairlead::Response::text(401, "Who are you?\n");
  refusal.headers.add("WWW-Authenticate", "Bearer");
  return fairlead::Decision::refuse(refusal);
}

fairlead::Task<> greet(fairlead::Connection& ws) {
  co_await ws.send("welcome, " + std::any_cast<std::string>(ws.data()));
}  // the end of the handler closes the connection

}  // namespace

int main(int argc, char** argv) {
  auto tls = fairlead::Tls::development();
  if (argc > 2) tls.client_ca = fairlead::PemSource::from_file(argv[2]);
  if (argc > 2) tls.client_certificates = fairlead::ClientCertificates::request;
  fairlead::Server server({.tls = tls});
  server.websocket("/private", greet, {.accept = decide});
  server.run(argc > 1 ? argv[1] : "localhost:8443");
}
