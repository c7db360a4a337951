// SPDX-License-Identifier: Apache-2.0
// For tests: certificates made at run time, and two engines joined by byte queues.
#pragma once

#include <fairlead/tls.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tls/client_session.h"
#include "tls/context.h"
#include "tls/engine.h"
#include "tls/issue.h"
#include "tls/scratch.h"

namespace fairlead::tls::testing {

[[nodiscard]] std::chrono::system_clock::time_point days_from_now(int days);

// A leaf for `names` ("DNS:a.example", "IP:127.0.0.1") that is valid now; change what the test is about.
[[nodiscard]] CertificateRequest leaf_request(std::vector<std::string> names);
[[nodiscard]] CertificateRequest ca_request(std::string common_name);

// Issues or aborts the test program.
[[nodiscard]] Issued must_issue(const CertificateRequest& request, const Issued* issuer);
[[nodiscard]] std::string pem_of(const Issued& issued);
[[nodiscard]] std::string key_pem_of(const Issued& issued);
// A revocation list of the issuer, which lists `revoked`; valid for a day.
[[nodiscard]] std::string crl_of(const Issued& issuer, const std::vector<const Issued*>& revoked);
// A DER OCSP response about `subject`, good for a day, signed by `issuer` or by somebody else.
[[nodiscard]] std::string ocsp_of(const Issued& issuer, const Issued& subject, bool good,
                                  const Issued* signer = nullptr);

[[nodiscard]] Issued must_issue_rsa(const CertificateRequest& request, const Issued* issuer, unsigned bits);
[[nodiscard]] std::string encrypted_key_pem_of(const Issued& issued);

// A directory that goes with its object.
class Directory {
 public:
  Directory();
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  ~Directory();
  [[nodiscard]] std::string file(const std::string& name) const { return path_ + "/" + name; }
  [[nodiscard]] std::string write(const std::string& name, std::string_view text) const;  // gives the path

 private:
  std::string path_;
};

// A CA with what a test usually needs.
struct Authority {
  explicit Authority(std::string name = "Test CA") : issued(must_issue(ca_request(std::move(name)), nullptr)) {}

  [[nodiscard]] std::string pem() const { return pem_of(issued); }
  [[nodiscard]] TlsIdentity identity(const CertificateRequest& request) const;
  [[nodiscard]] TlsIdentity identity(std::string name) const { return identity(leaf_request({std::move(name)})); }
  [[nodiscard]] Tls server(std::string name = "DNS:server.example") const {
    return Tls::several({identity(std::move(name))});
  }
  [[nodiscard]] TlsClient client() const;

  Issued issued;
};

// One end of a connection, driven as the library's driver does it.
struct End {
  std::unique_ptr<Engine> engine;
  std::string outgoing;  // ciphertext on its way to the other end
  std::string plaintext;
  bool handshake_done = false;
  bool peer_closed = false;
  std::optional<Error> failed;

  // Feeds ciphertext and collects what comes of it.
  void receive(std::string_view ciphertext);
  void receive_end();
  void send(std::string_view text);
  void close();
  // Takes all events and all output.
  void settle();
  // How it failed; `closed` with no detail when it did not.
  [[nodiscard]] Error failure() const { return failed.value_or(Error{.code = Errc::closed, .detail = {}}); }
};

// A client and a server on two loops.
struct Pair {
  Pair(std::shared_ptr<const ServerContext> server_context, std::shared_ptr<const ClientContext> client_context,
       std::string_view host = "server.example", std::shared_ptr<ClientSession> session = nullptr);

  // Carries ciphertext until nothing moves, at most `chunk_bytes` at a time.
  void run(std::size_t chunk_bytes = 1U << 20U);
  [[nodiscard]] bool both_done() const { return client.handshake_done && server.handshake_done; }

  Scratch client_scratch;
  Scratch server_scratch;
  End client;
  End server;
};

// A client made of OpenSSL alone, for what our own never says. Set up `ssl` before `run`.
struct PlainClient {
  explicit PlainClient(const std::shared_ptr<const ServerContext>& server_context);

  // Shakes hands and carries bytes until nothing moves.
  void run();
  void send(std::string_view text) const;

  SslContextPtr context;
  SslPtr ssl;
  Scratch server_scratch;
  End server;
  bool done = false;
  std::string plaintext;
  std::string problem;  // OpenSSL's reason; empty: none
};

// A server made of OpenSSL alone, which shows any certificate.
struct PlainServer {
  PlainServer(const std::string& chain_pem, const std::string& key_pem);
  // The next connection, under the same context.
  void start_over();
  // Talks with `client` until nothing moves.
  void run(End& client);
  // Takes ciphertext once; gives the plaintext that was in it.
  std::string step(std::string_view ciphertext);
  [[nodiscard]] std::string take_output() const;

  SslContextPtr context;
  SslPtr ssl;
  bool done = false;
  std::string problem;
};

// Build or abort the test program. FAIRLEAD_TLS_TEST_OPENSSL=server, client or both holds these roles at OpenSSL's
// record layer, so that one program tests each role over each layer (CMakeLists.txt runs it four times).
[[nodiscard]] std::shared_ptr<const ServerContext> must_build(const Tls& options,
                                                              std::shared_ptr<TicketKeys> tickets = nullptr);
[[nodiscard]] std::shared_ptr<const ClientContext> must_build(const TlsClient& options);

// Whether our record layer has taken over, and how many records one key seals there or in OpenSSL's.
[[nodiscard]] bool took_over(const Engine& engine);
void limit_records_per_key(Engine& engine, std::uint32_t records);

// The content types and lengths of the records in a stream (RFC 8446 5.1).
struct Record {
  unsigned char type = 0;
  std::size_t length = 0;
};
[[nodiscard]] std::vector<Record> records_in(std::string_view stream);

}  // namespace fairlead::tls::testing
