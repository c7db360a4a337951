// SPDX-License-Identifier: Apache-2.0
// The public Server: sets up routes and hands everything else to net::ServerCore.
#include <fairlead/server.h>

#include "base/finite.h"
#include "net/server_core.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <csignal>
#include <stdexcept>
#include <thread>
#include <utility>

namespace fairlead {
namespace {

constexpr std::chrono::seconds drain_on_signal{1};

std::shared_ptr<net::ChannelSettings> make_settings(const ServerOptions& server, const std::string& path,
                                                    const RouteOptions& options, bool chunks) {
  auto settings = std::make_shared<net::ChannelSettings>();
  settings->role = ws::Role::server;
  settings->ws.limits = finite(options.limits ? *options.limits : server.limits);
  settings->ws.delivery = chunks ? ws::Delivery::chunks : ws::Delivery::messages;
  settings->ws.compress_from_bytes = options.compression.from_bytes;
  settings->ws.compression_level = options.compression.level;
  settings->ws.compressor =
      options.compression.deflate.send_context_takeover ? ws::CompressorUse::dedicated : ws::CompressorUse::shared;
  settings->log = server.log;
  settings->log_from = server.log_from;
  settings->log_exceptions = server.dangerously_log_exceptions;
  settings->log_connections = server.log && server.log_from <= LogLevel::debug;
  settings->path = path;
  return settings;
}

// The path is named in what is thrown: two routes for one path are a mistake in the program.
template <class Route>
void add_route(net::PathTable<std::shared_ptr<Route>>& table, std::string path, std::shared_ptr<Route> route) {
  const std::string shown = path;
  if (!table.add(std::move(path), std::move(route))) throw std::invalid_argument("path taken twice: " + shown);
}

}  // namespace

Decision Decision::accept(std::string subprotocol, Headers headers) {
  Decision decision;
  decision.subprotocol = std::move(subprotocol);
  decision.headers = std::move(headers);
  return decision;
}

Decision Decision::refuse(Response response) {
  Decision decision;
  decision.accepted = false;
  decision.response = std::move(response);
  return decision;
}

Decision Decision::refuse(int status, std::string_view text) {
  return refuse(text.empty() ? Response::empty(status) : Response::text(status, std::string(text)));
}

std::string Listening::url() const {
  const std::string scheme = secure ? "wss://" : "ws://";
  if (port == 0) return "unix:" + address;
  const bool ipv6 = address.find(':') != std::string::npos;
  return scheme + (ipv6 ? "[" + address + "]" : address) + ":" + std::to_string(port) + "/";
}

Server::Server(ServerOptions options) : core_(std::make_unique<net::ServerCore>(std::move(options))) {}
Server::~Server() = default;

Server& Server::websocket(std::string path, WebSocketHandler handler, RouteOptions options) {
  auto route = std::make_shared<net::WebSocketRoute>();
  route->settings = make_settings(core_->options(), path, options, options.stream_incoming);
  route->options = std::move(options);
  route->handler = std::move(handler);
  add_route(core_->routes().websockets, std::move(path), std::move(route));
  return *this;
}

Server& Server::websocket(std::string path, Handlers handlers, RouteOptions options) {
  auto route = std::make_shared<net::WebSocketRoute>();
  route->settings = make_settings(core_->options(), path, options, static_cast<bool>(handlers.chunk));
  route->settings->handler_style = true;
  route->settings->handlers = std::move(handlers);
  route->options = std::move(options);
  add_route(core_->routes().websockets, std::move(path), std::move(route));
  return *this;
}

Server& Server::http(std::string path, HttpHandler handler, HttpRouteOptions options) {
  auto route = std::make_shared<net::HttpRoute>();
  route->options = options;
  route->handler = std::move(handler);
  add_route(core_->routes().http, std::move(path), std::move(route));
  return *this;
}

Server& Server::http_async(std::string path, AsyncHttpHandler handler, HttpRouteOptions options) {
  auto route = std::make_shared<net::HttpRoute>();
  route->options = options;
  route->async_handler = std::move(handler);
  add_route(core_->routes().http, std::move(path), std::move(route));
  return *this;
}

Server& Server::files(const std::string& directory, Headers extra_headers) {
  net::StaticFilesOptions options;
  options.headers = std::move(extra_headers);
  auto opened = net::StaticFiles::open(directory, std::move(options));
  if (!opened) throw std::runtime_error(to_string(opened.error()));
  core_->routes().files = std::move(*opened);
  return *this;
}

Result<Listening> Server::listen(std::string_view where) { return core_->listen(where, true, true); }
Result<Listening> Server::dangerously_listen_without_tls(std::string_view where, bool anywhere) {
  return core_->listen(where, false, anywhere);
}
Result<Listening> Server::listen_descriptor(int descriptor) { return core_->listen_descriptor(descriptor, true, true); }
Result<Listening> Server::dangerously_listen_descriptor_without_tls(int descriptor, bool anywhere) {
  return core_->listen_descriptor(descriptor, false, anywhere);
}
std::vector<LoopHandle> Server::loops() const { return core_->loops(); }
Result<void> Server::start() { return core_->start(); }
void Server::wait() { core_->wait(); }
void Server::stop() { core_->stop(); }

void Server::run(std::string_view where) {
  if (auto listening = listen(where); !listening) throw std::runtime_error(to_string(listening.error()));
  boost::asio::io_context context;
  boost::asio::signal_set signals(context, SIGINT, SIGTERM);
  signals.async_wait([this](const boost::system::error_code& error, int) {
    if (!error) drain(drain_on_signal);
  });
  if (auto started = start(); !started) throw std::runtime_error(to_string(started.error()));
  std::thread signal_thread([&context] { context.run(); });
  wait();
  context.stop();
  signal_thread.join();
}

DrainReport Server::drain(Duration window, CloseCode code) { return core_->drain(window, code); }
Result<void> Server::reload_certificates() { return core_->reload(); }
Result<void> Server::replace_tls(Tls tls) { return core_->replace_tls(std::move(tls)); }
ServerStats Server::stats() const { return core_->stats(); }
void Server::for_each(std::string_view path, std::function<void(Connection&)> visit) {
  core_->for_each(path, std::move(visit));
}

}  // namespace fairlead
