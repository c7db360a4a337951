// SPDX-License-Identifier: Apache-2.0
// A program outside of the tree: a server and a client of it, through the installed headers and archive alone.
// usage: outside DIRECTORY (for the development certificate); exit status 0 when an echo came back over TLS.
#include <fairlead/certificate.h>
#include <fairlead/client.h>
#include <fairlead/server.h>
#include <fairlead/version.h>

#include <iostream>
#include <string>

namespace {

fairlead::Task<> echo(fairlead::Connection& ws) {
  while (auto message = co_await ws.receive()) co_await ws.send(*message);
}

fairlead::Task<> talk(std::string url, std::string ca_file, bool& echoed) {
  fairlead::ClientOptions options;
  options.tls.ca = fairlead::PemSource::from_file(ca_file);
  auto ws = co_await fairlead::connect(url, options);
  if (!ws) {
    std::cerr << fairlead::to_string(ws.error()) << '\n';
    co_return;
  }
  co_await ws->send("from outside");
  const auto answer = co_await ws->receive();
  echoed = answer && answer->text() == "from outside" && ws->tls().version == "TLSv1.3";
}

int complain(const fairlead::Error& error) {
  std::cerr << fairlead::to_string(error) << '\n';
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string directory = argc > 1 ? argv[1] : ".";
  const auto certificate = fairlead::ensure_development_certificate(directory);
  if (!certificate) return complain(certificate.error());

  fairlead::ServerOptions options;
  options.tls = fairlead::Tls::files(certificate->chain_file, certificate->key_file);
  options.threads = 1;
  fairlead::Server server(options);
  server.websocket("/echo", echo);
  const auto listening = server.listen("127.0.0.1:0");
  if (!listening) return complain(listening.error());
  if (const auto started = server.start(); !started) return complain(started.error());

  bool echoed = false;
  fairlead::run(talk(listening->url() + "echo", certificate->ca_file, echoed));
  server.stop();
  std::cout << "fairlead " << fairlead::version() << (echoed ? ": echoed" : ": no echo") << '\n';
  return echoed ? 0 : 1;
}
