// SPDX-License-Identifier: Apache-2.0
#include "net/testing.h"

#include <fairlead/certificate.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <thread>
#include <utility>

namespace fairlead::net::testing {
namespace {

class CertificateDirectory {
 public:
  CertificateDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "fairlead-test-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary directory");
    path_ = name;
    if (auto made = ensure_development_certificate(path_); !made) throw std::runtime_error(to_string(made.error()));
  }
  CertificateDirectory(const CertificateDirectory&) = delete;
  CertificateDirectory& operator=(const CertificateDirectory&) = delete;
  ~CertificateDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

 private:
  std::string path_;
};

// FAIRLEAD_NET_TEST_OPENSSL holds both ends at OpenSSL's record layer, and servers at one system call for each read and
// write, so that one program tests both ways.
bool the_other_way() {
  return std::getenv("FAIRLEAD_NET_TEST_OPENSSL") != nullptr;  // NOLINT(concurrency-mt-unsafe)
}
RecordLayer record_layer() { return the_other_way() ? RecordLayer::openssl : RecordLayer::automatic; }
SystemCalls system_calls() { return the_other_way() ? SystemCalls::one_by_one : SystemCalls::automatic; }

}  // namespace

const std::string& certificate_directory() {
  static const CertificateDirectory directory;
  return directory.path();
}

TestServer::TestServer(const std::function<void(Server&)>& routes, ServerOptions options) {
  if (options.tls.identities.empty()) options.tls = Tls::development(certificate_directory());
  options.tls.record_layer = record_layer();
  options.system_calls = system_calls();
  if (options.threads == 0) options.threads = 1;
  server_ = std::make_unique<Server>(std::move(options));
  routes(*server_);
  auto listening = server_->listen("127.0.0.1:0");
  if (!listening) throw std::runtime_error(to_string(listening.error()));
  port_ = listening->port;
  if (auto started = server_->start(); !started) throw std::runtime_error(to_string(started.error()));
}

PlainServer::PlainServer(const std::function<void(Server&)>& routes, ServerOptions options) {
  options.threads = 1;
  options.system_calls = system_calls();
  server_ = std::make_unique<Server>(std::move(options));
  routes(*server_);
  const auto listening = server_->dangerously_listen_without_tls("127.0.0.1:0");
  if (!listening) throw std::runtime_error(to_string(listening.error()));
  port_ = listening->port;
  if (auto started = server_->start(); !started) throw std::runtime_error(to_string(started.error()));
}

// Connections inherit the buffer of the socket that they were accepted on.
NarrowServer::NarrowServer(const std::function<void(Server&)>& routes, ServerOptions options) {
  if (options.threads == 0) options.threads = 1;
  options.system_calls = system_calls();
  server_ = std::make_unique<Server>(std::move(options));
  routes(*server_);
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  ::setsockopt(listener, SOL_SOCKET, SO_SNDBUF, &narrow_bytes, sizeof narrow_bytes);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof at;
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): the socket API's own idiom.
  auto* const address = reinterpret_cast<sockaddr*>(&at);
  if (::bind(listener, address, size) != 0 || ::listen(listener, SOMAXCONN) != 0 ||
      ::getsockname(listener, address, &size) != 0) {
    throw std::runtime_error("no listener");
  }
  port_ = ntohs(at.sin_port);
  const auto listening = server_->dangerously_listen_descriptor_without_tls(listener);
  if (!listening) throw std::runtime_error(to_string(listening.error()));
  if (auto started = server_->start(); !started) throw std::runtime_error(to_string(started.error()));
}

bool soon(const std::function<bool()>& condition) {
  for (int i = 0; i < 1'000 && !condition(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  return condition();
}

std::string TestServer::url(std::string_view path) const {
  return "wss://127.0.0.1:" + std::to_string(port_) + std::string(path);
}

ClientOptions client_options() {
  ClientOptions options;
  options.tls.ca = PemSource::from_file(ensure_development_certificate(certificate_directory())->ca_file);
  options.tls.record_layer = record_layer();
  return options;
}

}  // namespace fairlead::net::testing
