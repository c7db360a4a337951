// SPDX-License-Identifier: Apache-2.0
#include "link.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace fairlead::bench {

namespace {

constexpr std::size_t buffer_bytes = std::size_t{256} * 1024;
constexpr const char* cipher = "TLS_AES_128_GCM_SHA256";  // the one that all servers are measured with

sockaddr_in address_of(const std::string& ip, std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  if (inet_pton(AF_INET, ip.c_str(), &address.sin_addr) != 1) throw std::runtime_error(ip + " is no IPv4 address");
  return address;
}

const sockaddr* generic(const sockaddr_in& address) { return reinterpret_cast<const sockaddr*>(&address); }

X509* read_certificate(const std::string& path) {
  std::FILE* file = std::fopen(path.c_str(), "r");
  X509* certificate = file != nullptr ? PEM_read_X509(file, nullptr, nullptr, nullptr) : nullptr;
  if (file != nullptr) std::fclose(file);
  if (certificate == nullptr) throw std::runtime_error("no certificate can be read from " + path);
  return certificate;
}

void set_option(int socket, int level, int name, int value) {
  if (setsockopt(socket, level, name, &value, sizeof value) != 0) throw std::runtime_error("setsockopt failed");
}

}  // namespace

// ── What links share ────────────────────────────────────────────────────────────────────────────────────────────────
Network::Network(Loop& loop, const Options& options)
    : loop_(loop),
      context_(SSL_CTX_new(TLS_client_method())),
      expected_(read_certificate(options.certificate)),
      server_(address_of(options.host, options.port)),
      ciphertext_(buffer_bytes, '\0'),
      plaintext_(buffer_bytes, '\0') {
  for (const std::string& source : options.sources) sources_.push_back(address_of(source, 0));
  SSL_CTX_set_min_proto_version(context_, TLS1_3_VERSION);
  SSL_CTX_set_ciphersuites(context_, cipher);
  SSL_CTX_set_mode(context_, SSL_MODE_RELEASE_BUFFERS);
  // The very certificate that the server was given, so that nobody else's is believed and no chain is built.
  SSL_CTX_set_verify(context_, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_cert_verify_callback(context_, &Network::verify, this);
  if (options.full_handshakes) return;
  SSL_CTX_set_session_cache_mode(context_, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context_, &Network::keep_session);
}

Network::~Network() {
  SSL_SESSION_free(session_);
  X509_free(expected_);
  SSL_CTX_free(context_);
}

int Network::verify(X509_STORE_CTX* store, void* self) {
  const X509* shown = X509_STORE_CTX_get0_cert(store);
  return shown != nullptr && X509_cmp(shown, static_cast<Network*>(self)->expected_) == 0 ? 1 : 0;
}

int Network::keep_session(SSL* ssl, SSL_SESSION* session) {
  auto* self = static_cast<Network*>(SSL_get_app_data(ssl));
  if (self->session_ != nullptr) return 0;
  self->session_ = session;
  return 1;
}

SSL* Network::make_ssl() {
  SSL* ssl = SSL_new(context_);
  if (ssl == nullptr) throw std::runtime_error("SSL_new failed");
  SSL_set_app_data(ssl, this);
  SSL_set_connect_state(ssl);
  if (session_ != nullptr) SSL_set_session(ssl, session_);
  return ssl;
}

// ── One link ────────────────────────────────────────────────────────────────────────────────────────────────────────
Link::~Link() { close(); }

BIO_METHOD* Link::bio_method() {
  static BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "turn");
    BIO_meth_set_read(made, &Link::bio_read);
    BIO_meth_set_write(made, &Link::bio_write);
    BIO_meth_set_ctrl(made, [](BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1L : 0L; });
    return made;
  }();
  return method;
}

int Link::bio_read(BIO* bio, char* out, int size) {
  auto& incoming = static_cast<Link*>(BIO_get_data(bio))->incoming_;
  BIO_clear_retry_flags(bio);
  if (incoming.empty()) {
    BIO_set_retry_read(bio);
    return -1;
  }
  const std::size_t count = std::min(incoming.size(), static_cast<std::size_t>(size));
  std::memcpy(out, incoming.data(), count);
  incoming.remove_prefix(count);
  return static_cast<int>(count);
}

int Link::bio_write(BIO* bio, const char* data, int size) {
  static_cast<Link*>(BIO_get_data(bio))->outgoing_.append(data, static_cast<std::size_t>(size));
  return size;
}

void Link::connect() {
  const sockaddr_in& source = network_.next_source();
  socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (socket_ < 0) throw std::runtime_error("no socket is left (ulimit -n)");
  set_option(socket_, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
  set_option(socket_, IPPROTO_TCP, TCP_NODELAY, 1);
  if (wants_arrival_) set_option(socket_, SOL_SOCKET, SO_TIMESTAMPNS, 1);
  if (bind(socket_, generic(source), sizeof source) != 0) throw std::runtime_error("bind failed");
  const sockaddr_in& server = network_.server();
  if (::connect(socket_, generic(server), sizeof server) != 0 && errno != EINPROGRESS) return fail("connect failed");
  phase_ = Phase::connecting;
  watches_output_ = true;
  network_.loop().add(socket_, EPOLLIN | EPOLLOUT, *this);
}

void Link::on_connected() {
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(socket_, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) return fail(std::string("cannot connect: ") + std::strerror(error));
  ssl_ = network_.make_ssl();
  BIO* bio = BIO_new(bio_method());
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_, bio, bio);
  phase_ = Phase::handshake;
}

void Link::close() {
  if (socket_ >= 0) ::close(std::exchange(socket_, -1));
  SSL_free(std::exchange(ssl_, nullptr));
  phase_ = Phase::closed;
  outgoing_.clear();
  rest_.clear();
}

void Link::fail(const std::string& why) {
  close();
  on_end(why);
}

void Link::on_ready(std::uint32_t events) {
  if (phase_ == Phase::closed) return;
  if (phase_ == Phase::connecting) {
    on_connected();
  } else if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0 && !receive()) {
    return;
  }
  if (phase_ != Phase::closed) proceed();
  if (phase_ != Phase::closed) flush();
}

// One recv: what does not fit makes the socket ready again.
bool Link::receive() {
  std::string& buffer = network_.ciphertext();
  iovec piece{buffer.data(), buffer.size()};
  alignas(cmsghdr) std::array<char, 128> control{};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  if (wants_arrival_) message.msg_control = control.data(), message.msg_controllen = control.size();
  const ssize_t count = recvmsg(socket_, &message, 0);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return true;
  if (count <= 0) return on_read_end(count < 0 ? errno : 0), false;
  network_.count_read();
  incoming_ = {buffer.data(), static_cast<std::size_t>(count)};
  for (cmsghdr* one = CMSG_FIRSTHDR(&message); one != nullptr; one = CMSG_NXTHDR(&message, one)) {
    if (one->cmsg_level != SOL_SOCKET || one->cmsg_type != SCM_TIMESTAMPNS) continue;
    timespec at{};
    std::memcpy(&at, CMSG_DATA(one), sizeof at);
    arrived_ = WallClock::time_point(std::chrono::seconds(at.tv_sec) + std::chrono::nanoseconds(at.tv_nsec));
  }
  return true;
}

// A reset and an orderly end have different causes, and so have an end before TLS is up and one after it.
void Link::on_read_end(int error) {
  std::string why = "the server ended the connection";
  if (phase_ == Phase::handshake) why += " during the TLS handshake";
  if (error != 0) why.append(": ").append(std::strerror(error));
  fail(why);
}

void Link::proceed() {
  if (phase_ == Phase::handshake) {
    const int done = SSL_do_handshake(ssl_);
    if (done != 1) {
      if (SSL_get_error(ssl_, done) != SSL_ERROR_WANT_READ) fail("the TLS handshake failed");
      ERR_clear_error();
      return;
    }
    phase_ = Phase::open;
    on_open();
  }
  if (phase_ == Phase::open) take_plaintext();
}

// All that has arrived is opened into one buffer and read at once.
void Link::take_plaintext() {
  std::string& buffer = network_.plaintext();
  bool more = true;
  while (more && phase_ == Phase::open) {
    std::size_t filled = rest_.copy(buffer.data(), rest_.size());
    while (filled < buffer.size()) {
      std::size_t count = 0;
      if (SSL_read_ex(ssl_, buffer.data() + filled, buffer.size() - filled, &count) != 1) {
        more = false;
        break;
      }
      filled += count;
    }
    if (!more && SSL_get_error(ssl_, 0) != SSL_ERROR_WANT_READ) return fail("the server ended TLS");
    if (filled == rest_.size()) return;
    rest_.clear();
    const std::size_t used = on_bytes({buffer.data(), filled});
    if (phase_ != Phase::open) return;
    if (used == 0 && filled == buffer.size()) return fail("a message is larger than the buffer");
    rest_.assign(buffer, used, filled - used);
  }
}

// ── Out ─────────────────────────────────────────────────────────────────────────────────────────────────────────────
void Link::write(std::string_view plaintext) {
  if (phase_ != Phase::open || plaintext.empty()) return;
  std::size_t written = 0;
  if (SSL_write_ex(ssl_, plaintext.data(), plaintext.size(), &written) != 1) return fail("TLS does not take a message");
  flush();
}

void Link::flush() {
  while (!outgoing_.empty()) {
    const ssize_t count = ::send(socket_, outgoing_.data(), outgoing_.size(), MSG_NOSIGNAL);
    if (count < 0 && errno != EAGAIN) return fail("the server takes nothing any more");
    if (count < 0) break;
    outgoing_.erase(0, static_cast<std::size_t>(count));
  }
  watch_output(!outgoing_.empty());
}

void Link::watch_output(bool wanted) {
  if (std::exchange(watches_output_, wanted) == wanted) return;
  network_.loop().change(socket_, wanted ? EPOLLIN | EPOLLOUT : EPOLLIN, *this);
}

}  // namespace fairlead::bench
