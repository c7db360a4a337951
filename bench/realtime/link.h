// SPDX-License-Identifier: Apache-2.0
// One TLS connection to the server on a loop: bytes out, bytes in. OpenSSL over memory: one recv for all records that
// have arrived, one send for all that was written.
#pragma once

#include <netinet/in.h>
#include <openssl/ssl.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "loop.h"
#include "options.h"

namespace fairlead::bench {

using WallClock = std::chrono::system_clock;

// What the links of one thread share.
class Network {
 public:
  Network(Loop& loop, const Options& options);
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;
  ~Network();

  [[nodiscard]] Loop& loop() noexcept { return loop_; }
  [[nodiscard]] const sockaddr_in& server() const noexcept { return server_; }
  [[nodiscard]] const sockaddr_in& next_source() noexcept { return sources_[turn_++ % sources_.size()]; }
  [[nodiscard]] SSL* make_ssl();
  // How often one of them has found something to read.
  [[nodiscard]] std::uint64_t reads() const noexcept { return reads_; }
  void count_read() noexcept { ++reads_; }
  [[nodiscard]] std::string& ciphertext() noexcept { return ciphertext_; }
  [[nodiscard]] std::string& plaintext() noexcept { return plaintext_; }

 private:
  static int keep_session(SSL* ssl, SSL_SESSION* session);
  static int verify(X509_STORE_CTX* store, void* self);

  Loop& loop_;
  SSL_CTX* context_;
  X509* expected_;
  SSL_SESSION* session_ = nullptr;  // of the first connection, resumed by the others
  sockaddr_in server_{};
  std::vector<sockaddr_in> sources_;
  std::size_t turn_ = 0;
  std::uint64_t reads_ = 0;
  std::string ciphertext_, plaintext_;
};

class Link : public Watched {
 public:
  explicit Link(Network& network) : network_(network) {}
  ~Link() override;

  void connect();
  void close();  // at once, without a word to the server
  void write(std::string_view plaintext);
  [[nodiscard]] bool open() const noexcept { return phase_ == Phase::open; }
  // Have the kernel note when bytes arrive, however late this thread comes to read them. Before `connect`.
  void want_arrival_times() noexcept { wants_arrival_ = true; }
  [[nodiscard]] WallClock::time_point arrived() const noexcept { return arrived_; }
  [[nodiscard]] std::string tls_version() const { return ssl_ != nullptr ? SSL_get_version(ssl_) : ""; }
  [[nodiscard]] std::string tls_cipher() const { return ssl_ != nullptr ? SSL_get_cipher_name(ssl_) : ""; }

 protected:
  virtual void on_open() = 0;  // TLS is up
  // Returns how much of it is used up; the rest comes again with what follows it.
  virtual std::size_t on_bytes(std::string_view bytes) = 0;
  virtual void on_end(const std::string& why) = 0;

 private:
  enum class Phase : std::uint8_t { closed, connecting, handshake, open };
  void on_ready(std::uint32_t events) final;
  void on_connected();
  bool receive();
  void on_read_end(int error);
  void proceed();
  void take_plaintext();
  void flush();
  void watch_output(bool wanted);
  void fail(const std::string& why);
  static BIO_METHOD* bio_method();
  static int bio_read(BIO* bio, char* out, int size);
  static int bio_write(BIO* bio, const char* data, int size);

  Network& network_;
  SSL* ssl_ = nullptr;
  int socket_ = -1;
  Phase phase_ = Phase::closed;
  bool watches_output_ = false, wants_arrival_ = false;
  std::string_view incoming_;  // ciphertext of this turn
  std::string outgoing_;       // ciphertext that the socket has not taken
  std::string rest_;           // plaintext that `on_bytes` has not used up
  WallClock::time_point arrived_;
};

}  // namespace fairlead::bench
