// SPDX-License-Identifier: Apache-2.0
// The peer `beast`: Boost.Beast over Asio's ssl::stream, one thread, the way its own asynchronous examples write it,
// with the behaviour that every peer has: /echo answers each message as its own kind, /fanout sends each message to all
// connections on that path.
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/beast/websocket/ssl.hpp>
#include <deque>
#include <memory>
#include <unordered_set>

#include "options.h"

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace websocket = beast::websocket;
using asio::ip::tcp;
using beast::error_code;

constexpr std::size_t message_limit_bytes = std::size_t{16} * 1024 * 1024;

class Session;
using Subscribers = std::unordered_set<Session*>;

struct Broadcast {
  bool text;
  beast::flat_buffer payload;
};

class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(tcp::socket socket, asio::ssl::context& tls, Subscribers& subscribers, bool compress)
      : stream_(std::move(socket), tls), subscribers_(subscribers), compress_(compress) {}
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session() { subscribers_.erase(this); }

  void start() {
    beast::get_lowest_layer(stream_).socket().set_option(tcp::no_delay(true));
    stream_.next_layer().async_handshake(asio::ssl::stream_base::server,
                                         [self = shared_from_this()](error_code failed) {
                                           if (!failed) self->read_upgrade();
                                         });
  }

 private:
  void read_upgrade() {
    http::async_read(stream_.next_layer(), buffer_, request_,
                     [self = shared_from_this()](error_code failed, std::size_t) {
                       if (!failed) self->accept();
                     });
  }

  void accept() {
    stream_.set_option(
        websocket::stream_base::timeout{std::chrono::seconds(30), websocket::stream_base::none(), false});
    stream_.read_message_max(message_limit_bytes);
    stream_.auto_fragment(false);
    websocket::permessage_deflate deflate;
    deflate.server_enable = compress_;
    stream_.set_option(deflate);
    fanout_ = request_.target() == "/fanout";
    stream_.async_accept(request_, [self = shared_from_this()](error_code failed) {
      if (failed) return;
      self->buffer_.consume(self->buffer_.size());
      self->request_ = {};
      if (self->fanout_) self->subscribers_.insert(self.get());
      self->read();
    });
  }

  void read() {
    stream_.async_read(buffer_, [self = shared_from_this()](error_code failed, std::size_t) {
      if (failed) {
        self->subscribers_.erase(self.get());
        return;
      }
      if (self->fanout_)
        self->broadcast();
      else
        self->echo();
    });
  }

  void echo() {
    stream_.text(stream_.got_text());
    stream_.async_write(buffer_.data(), [self = shared_from_this()](error_code failed, std::size_t) {
      if (failed) return;
      self->buffer_.consume(self->buffer_.size());
      self->read();
    });
  }

  void broadcast() {
    auto message = std::make_shared<Broadcast>(Broadcast{stream_.got_text(), std::move(buffer_)});
    buffer_ = {};
    for (Session* subscriber : subscribers_) subscriber->enqueue(message);
    read();
  }

  void enqueue(std::shared_ptr<Broadcast> message) {
    queue_.push_back(std::move(message));
    if (queue_.size() == 1) write_next();
  }

  void write_next() {
    stream_.text(queue_.front()->text);
    stream_.async_write(queue_.front()->payload.cdata(), [self = shared_from_this()](error_code failed, std::size_t) {
      if (failed) return;
      self->queue_.pop_front();
      if (!self->queue_.empty()) self->write_next();
    });
  }

  websocket::stream<beast::ssl_stream<beast::tcp_stream>> stream_;
  Subscribers& subscribers_;
  bool compress_;
  bool fanout_ = false;
  beast::flat_buffer buffer_;
  http::request<http::empty_body> request_;
  std::deque<std::shared_ptr<Broadcast>> queue_;
};

class Listener {
 public:
  Listener(asio::io_context& io, asio::ssl::context& tls, const fairlead::bench::Options& options)
      : acceptor_(io), tls_(tls), compress_(options.compress) {
    const tcp::endpoint local{asio::ip::address_v4::loopback(), static_cast<std::uint16_t>(options.port)};
    acceptor_.open(local.protocol());
    acceptor_.set_option(tcp::acceptor::reuse_address(true));
    acceptor_.bind(local);
    acceptor_.listen(asio::socket_base::max_listen_connections);
  }

  int port() const { return acceptor_.local_endpoint().port(); }

  void accept() {
    acceptor_.async_accept([this](error_code failed, tcp::socket socket) {
      if (!failed) std::make_shared<Session>(std::move(socket), tls_, subscribers_, compress_)->start();
      accept();
    });
  }

 private:
  tcp::acceptor acceptor_;
  asio::ssl::context& tls_;
  Subscribers subscribers_;
  bool compress_;
};

}  // namespace

int main(int argc, char** argv) {
  const auto options = fairlead::bench::parse_options(argc, argv);
  asio::io_context io{1};
  asio::ssl::context tls{asio::ssl::context::tls_server};
  tls.use_certificate_chain_file(options.cert);
  tls.use_private_key_file(options.key, asio::ssl::context::pem);
  SSL_CTX_set_min_proto_version(tls.native_handle(), TLS1_3_VERSION);
  SSL_CTX_set_ciphersuites(tls.native_handle(), "TLS_AES_128_GCM_SHA256");
  SSL_CTX_set_session_id_context(tls.native_handle(), reinterpret_cast<const unsigned char*>("bench"), 5);

  Listener listener{io, tls, options};
  listener.accept();
  fairlead::bench::announce(listener.port());
  io.run();
}
