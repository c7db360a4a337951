// SPDX-License-Identifier: Apache-2.0
// Our engine seals small records on a TCP socket, and OpenSSL in a process of its own reads them: every byte, how many
// KeyUpdate come by themselves (RFC 8446 5.5), and how many records each key has sealed.
// tls_key_limit server|client RECORDS_PER_KEY RECORDS: 0 records per key for the true limit, which no test can wait
// for.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include "base/assert.h"
#include "tls/context_body.h"
#include "tls/record/sealer.h"
#include "tls/testing.h"

namespace fairlead::tls {
namespace {

using testing::End;

constexpr std::size_t records_at_once = 1'024;  // before they are written

struct Plan {
  bool ours_is_server;
  std::uint32_t records_per_key;
  std::uint64_t records;
};

// ── The socket ──────────────────────────────────────────────────────────────────────────────────────────────────────

struct Sockets {
  int ours;
  int theirs;
};

Sockets connected() {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  FAIRLEAD_ASSERT(::bind(listener, generic, size) == 0 && ::listen(listener, 1) == 0);
  FAIRLEAD_ASSERT(::getsockname(listener, generic, &size) == 0);
  const int theirs = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  FAIRLEAD_ASSERT(::connect(theirs, generic, size) == 0);
  const int ours = ::accept(listener, nullptr, nullptr);
  FAIRLEAD_ASSERT(ours >= 0);
  ::close(listener);
  return {.ours = ours, .theirs = theirs};
}

void write_all(int socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    FAIRLEAD_ASSERT(written > 0);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

// Empty at the end of the stream.
std::string read_some(int socket) {
  std::string bytes(std::size_t{64} * 1024, '\0');
  const ssize_t count = ::recv(socket, bytes.data(), bytes.size(), 0);
  bytes.resize(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
  return bytes;
}

// ── Our end ─────────────────────────────────────────────────────────────────────────────────────────────────────────

void flush(End& end, int socket) {
  FAIRLEAD_ASSERT(!end.failed);
  write_all(socket, std::exchange(end.outgoing, {}));
}

void shake_hands(End& end, int socket) {
  end.settle();
  while (!end.handshake_done) {
    flush(end, socket);
    const std::string bytes = read_some(socket);
    FAIRLEAD_ASSERT(!bytes.empty());
    end.receive(bytes);
  }
  flush(end, socket);
  FAIRLEAD_ASSERT(testing::took_over(*end.engine));
}

// Record by record, the numbers 0, 1, 2, …
void say_numbers(End& end, int socket, std::uint64_t records) {
  for (std::uint64_t number = 0; number < records; ++number) {
    std::array<char, sizeof(number)> bytes;
    std::memcpy(bytes.data(), &number, sizeof(number));
    end.send(std::string_view(bytes.data(), bytes.size()));
    if (number % records_at_once == records_at_once - 1) flush(end, socket);
  }
  end.close();
  flush(end, socket);
}

void be_ours(std::unique_ptr<Engine> engine, int socket, std::uint64_t records) {
  End end;
  end.engine = std::move(engine);
  shake_hands(end, socket);
  say_numbers(end, socket, records);
  while (!end.peer_closed) {
    const std::string bytes = read_some(socket);
    FAIRLEAD_ASSERT(!bytes.empty());
    end.receive(bytes);
    FAIRLEAD_ASSERT(!end.failed);
  }
}

// ── OpenSSL's end ───────────────────────────────────────────────────────────────────────────────────────────────────

struct Count {
  std::uint64_t updates = 0;
  std::uint64_t under_this_key = 0;
  std::uint64_t least = UINT64_MAX;  // under a key that is over
  std::uint64_t most = 0;

  void note_update() {
    ++updates;
    least = std::min(least, under_this_key);
    most = std::max(most, under_this_key);
    under_this_key = 0;
  }
};

// OpenSSL tells of each record's inner type, and of each message.
void look(int write, int /*version*/, int type, const void* bytes, std::size_t size, SSL* ssl, void* argument) {
  auto& count = *static_cast<Count*>(argument);
  if (write != 0) return;
  if (type == SSL3_RT_INNER_CONTENT_TYPE && SSL_is_init_finished(ssl) == 1) ++count.under_this_key;
  const bool update = type == SSL3_RT_HANDSHAKE && size > 0 && *static_cast<const char*>(bytes) == SSL3_MT_KEY_UPDATE;
  if (update) count.note_update();
}

bool heard_all(SSL* ssl, std::uint64_t records) {
  std::uint64_t heard = 0;
  std::uint64_t number = 0;
  for (; SSL_read(ssl, &number, sizeof(number)) == static_cast<int>(sizeof(number)); ++heard) {
    if (number != heard) return false;
  }
  return heard == records && SSL_get_shutdown(ssl) == SSL_RECEIVED_SHUTDOWN;
}

int be_theirs(SSL_CTX* context, bool as_client, int socket, const Plan& plan) {
  Count count;
  const SslPtr ssl(SSL_new(context));
  SSL_set_fd(ssl.get(), socket);
  SSL_set_msg_callback(ssl.get(), look);
  SSL_set_msg_callback_arg(ssl.get(), &count);
  if ((as_client ? SSL_connect : SSL_accept)(ssl.get()) != 1) return EXIT_FAILURE;
  const bool good = heard_all(ssl.get(), plan.records);
  SSL_shutdown(ssl.get());
  std::printf("%s: %llu records, %llu KeyUpdate, %llu to %llu records under a key%s\n",
              plan.ours_is_server ? "server" : "client", static_cast<unsigned long long>(plan.records),
              static_cast<unsigned long long>(count.updates), static_cast<unsigned long long>(count.least),
              static_cast<unsigned long long>(count.most), good ? "" : ": NOT what was said");
  // The KeyUpdate is the last record of its key, so each key carries one number fewer.
  const std::uint64_t due = (plan.records - 1) / (plan.records_per_key - 1);
  const bool in_time =
      count.updates >= due && count.most == plan.records_per_key && count.least == plan.records_per_key;
  return good && in_time ? EXIT_SUCCESS : EXIT_FAILURE;
}

// ── Both ────────────────────────────────────────────────────────────────────────────────────────────────────────────

int run(const Plan& plan) {
  const testing::Authority authority;
  const Issued leaf = testing::must_issue(testing::leaf_request({"DNS:server.example"}), &authority.issued);
  const testing::PlainServer plain(testing::pem_of(leaf), testing::key_pem_of(leaf));
  const SslContextPtr plain_client(SSL_CTX_new(TLS_client_method()));
  const Sockets sockets = connected();
  const pid_t child = ::fork();
  FAIRLEAD_ASSERT(child >= 0);
  if (child == 0) {
    ::close(sockets.ours);
    SSL_CTX* context = plan.ours_is_server ? plain_client.get() : plain.context.get();
    const int status = be_theirs(context, plan.ours_is_server, sockets.theirs, plan);
    (void)std::fflush(stdout);
    ::_exit(status);
  }
  ::close(sockets.theirs);
  Scratch scratch;
  be_ours(plan.ours_is_server
              ? make_engine(testing::must_build(authority.server()), scratch)
              : make_engine(testing::must_build(authority.client()), scratch, "server.example", nullptr),
          sockets.ours, plan.records);
  int status = 0;
  FAIRLEAD_ASSERT(::waitpid(child, &status, 0) == child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE;
}

}  // namespace
}  // namespace fairlead::tls

int main(int argc, char** argv) {
  constexpr int arguments = 4;
  if (argc != arguments) {
    (void)std::fputs("usage: tls_key_limit server|client RECORDS_PER_KEY RECORDS\n", stderr);
    return EXIT_FAILURE;
  }
  const auto lowered = static_cast<std::uint32_t>(std::strtoul(argv[2], nullptr, 10));
  auto& limit = fairlead::tls::record::records_per_key_unless_a_test_lowers_it;
  if (lowered >= 2) limit = lowered;
  return fairlead::tls::run({.ours_is_server = std::string_view(argv[1]) == "server",
                             .records_per_key = limit,
                             .records = std::strtoull(argv[3], nullptr, 10)});
}
