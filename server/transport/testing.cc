// SPDX-License-Identifier: Apache-2.0
#include "transport/testing.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <future>
#include <stdexcept>
#include <thread>
#include <utility>

namespace fairlead::server::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::string_view wrapped = R"({"id":1,"connect":)";
// Command{id: 1, connect: …} as the transport writes it in Protobuf, behind its length.
constexpr std::string_view wrapped_protobuf = "\x08\x01\x22";

ConnectRequest connect_with(std::string_view data) {
  ConnectRequest request;
  request.data = data;
  return request;
}

std::optional<Command> command_of(std::string_view line) {
  Command command{.id = 1, .body = {}};
  if (line.empty()) return Command{};
  if (line.starts_with(wrapped)) {
    command.body = connect_with(line.substr(wrapped.size(), line.size() - wrapped.size() - 1));
  } else if (line.size() > 4 && line.substr(1, 3) == wrapped_protobuf) {
    command.body = connect_with(line.substr(5));
  } else if (line == "connect") {
    command.body = ConnectRequest{};
  } else if (line.starts_with("rpc ")) {
    command.body = RpcRequest{.data = std::string(line.substr(4)), .method = {}};
  } else {
    return std::nullopt;
  }
  return command;
}

}  // namespace

// ── The codec ───────────────────────────────────────────────────────────────────────────────────────────────────────

std::expected<std::vector<Command>, DisconnectReason> FakeCodec::decode(Bytes frame) const {
  std::vector<Command> commands;
  std::string_view rest = as_text(frame);
  while (true) {
    const std::size_t end = rest.find('\n');
    auto command = command_of(rest.substr(0, end));
    if (!command) return std::unexpected(disconnect_reason::bad_request);
    commands.push_back(std::move(*command));
    if (end == std::string_view::npos) return commands;
    rest.remove_prefix(end + 1);
  }
}

std::expected<EmulationRequest, DisconnectReason> FakeCodec::decode_emulation(Bytes body) const {
  const std::string_view text = as_text(body);
  const std::size_t node = text.find(' ');
  const std::size_t session = text.find(' ', node + 1);
  if (node == std::string_view::npos || session == std::string_view::npos) {
    return std::unexpected(disconnect_reason::bad_request);
  }
  return EmulationRequest{.node = std::string(text.substr(0, node)),
                          .session = std::string(text.substr(node + 1, session - node - 1)),
                          .data = std::string(text.substr(session + 1))};
}

void FakeCodec::encode(const Reply& reply, std::string& out) const {
  if (const auto* error = std::get_if<ClientError>(&reply.body)) out += "error:" + std::to_string(error->code);
  if (const auto* connected = std::get_if<ConnectResult>(&reply.body)) out += "reply:connected " + connected->session;
  if (const auto* answer = std::get_if<RpcResult>(&reply.body)) out += "reply:" + answer->data;
}

void FakeCodec::encode(const Push& push, Envelope envelope, std::string& out) const {
  out += envelope == Envelope::bare ? "bare:" : "push:";
  if (const auto* message = std::get_if<MessagePush>(&push.body)) out += message->data;
  if (const auto* connect = std::get_if<ConnectPush>(&push.body)) out += "connected " + connect->result.client;
  if (const auto* end = std::get_if<DisconnectReason>(&push.body)) {
    out += "disconnect " + std::to_string(end->code) + " " + end->reason;
  }
}

SharedMessage FakeEncoder::encode(const Delivery& delivery, const WireForm& form) const {
  const std::string text = (form.envelope == Envelope::bare ? "bare:" : "push:") + delivery.publication().data;
  return form.format == WireFormat::json ? SharedMessage::text(text) : SharedMessage::binary(as_bytes(text));
}

// ── The session ─────────────────────────────────────────────────────────────────────────────────────────────────────

FakeSession::FakeSession(FakeHost& host, Outbox& outbox, Caller caller, Options options, std::string secret)
    : host_(host), outbox_(outbox), caller_(std::move(caller)), options_(options), secret_(std::move(secret)) {}

void FakeSession::receive(std::vector<Command> commands, TimePoint now) {
  for (const Command& command : commands) handle(command, now);
}

void FakeSession::handle(const Command& command, TimePoint now) {
  if (command.is_pong()) return host_.note("pong");
  if (const auto* connect = std::get_if<ConnectRequest>(&command.body)) {
    host_.note("connect<" + connect->data + ">");
    ConnectResult result;
    result.client = result.session = secret_;
    if (options_.unidirectional) return outbox_.push({.channel = {}, .id = 0, .body = ConnectPush{std::move(result)}});
    return outbox_.reply({.id = 1, .body = std::move(result)});
  }
  if (const auto* rpc = std::get_if<RpcRequest>(&command.body)) obey(command.id, rpc->data, now);
}

void FakeSession::obey(std::uint32_t id, const std::string& word, TimePoint now) {
  host_.note("rpc<" + word.substr(0, 20) + ">");
  if (word == "busy") busy_ = true;
  if (word == "bye") return disconnect(disconnect_reason::force_disconnect, now);
  if (word == "refuse") return outbox_.reply({.id = id, .body = client_error::permission_denied});
  if (word == "ping soon") deadline_ = now + milliseconds(20);
  if (word == "mixed") {
    publish("first");
    outbox_.reply({.id = id, .body = RpcResult{"between"}});
    return publish("last");
  }
  outbox_.reply({.id = id, .body = RpcResult{word}});
}

void FakeSession::on_deadline(TimePoint /*now*/) {
  deadline_.reset();
  outbox_.ping();
}

void FakeSession::on_drained(TimePoint /*now*/) { host_.note("drained"); }

void FakeSession::closed(TimePoint /*now*/) {
  host_.note("closed<" + secret_ + ">");
  ++host_.closed;
}

void FakeSession::send(const Payload& data) { outbox_.push({.channel = {}, .id = 0, .body = MessagePush{data}}); }

void FakeSession::disconnect(const DisconnectReason& reason, TimePoint /*now*/) {
  host_.note("disconnect<" + std::to_string(reason.code) + ">");
  outbox_.disconnect(reason);
}

void FakeSession::become_free() {
  busy_ = false;
  outbox_.session_changed();
}

void FakeSession::publish(const std::string& text) {
  auto publication = std::make_shared<Publication>();
  publication->data = text;
  const Delivery delivery(host_.encoder, "channel", 1, publication, {}, nullptr);
  outbox_.publication(delivery, {.format = outbox_.format(), .envelope = outbox_.envelope()});
}

// ── The host ────────────────────────────────────────────────────────────────────────────────────────────────────────

std::shared_ptr<Session> FakeHost::open_session(Outbox& outbox, Caller caller, Session::Options options) {
  if (full) return nullptr;
  const std::scoped_lock lock(mutex_);
  auto session =
      std::make_shared<FakeSession>(*this, outbox, caller, options, "secret-" + std::to_string(opened_.size() + 1));
  opened_.push_back({session, LoopHandle::current(), std::move(caller), options});
  return session;
}

void FakeHost::note(const std::string& what) {
  const std::scoped_lock lock(mutex_);
  notes_ += what + "\n";
}

std::string FakeHost::notes() {
  const std::scoped_lock lock(mutex_);
  return notes_;
}

bool FakeHost::saw(std::string_view what) {
  for (int i = 0; i < 2'000; ++i) {
    if (notes().find(what) != std::string::npos) return true;
    std::this_thread::sleep_for(milliseconds(5));
  }
  return false;
}

std::optional<FakeHost::Opened> FakeHost::last() {
  const std::scoped_lock lock(mutex_);
  if (opened_.empty()) return std::nullopt;
  return opened_.back();
}

bool FakeHost::with_last(const std::function<void(FakeSession&)>& work) {
  const auto opened = last();
  if (!opened) return false;
  std::promise<bool> done;
  const bool posted = opened->loop.post([&] {
    const auto session = opened->session.lock();
    if (session != nullptr) work(*session);
    done.set_value(session != nullptr);
  });
  auto ran = done.get_future();
  return posted && ran.wait_for(seconds(10)) == std::future_status::ready && ran.get();
}

// ── Server and peer ─────────────────────────────────────────────────────────────────────────────────────────────────

TransportSettings TransportServer::all_endpoints() {
  TransportSettings settings;
  for (auto* endpoint :
       {&settings.http_stream, &settings.sse, &settings.uni_websocket, &settings.uni_sse, &settings.uni_http_stream}) {
    endpoint->disabled = false;
  }
  return settings;
}

TransportServer::TransportServer(const TransportSettings& settings, std::size_t queue_max, unsigned threads) {
  host_.queue_max = queue_max;
  server_ = std::make_unique<Server>(ServerOptions{.threads = threads});
  endpoints_ = add_transports(*server_, settings, host_);
  const auto listening = server_->dangerously_listen_without_tls("127.0.0.1:0");
  if (!listening) throw std::runtime_error(to_string(listening.error()));
  port_ = listening->port;
  if (auto started = server_->start(); !started) throw std::runtime_error(to_string(started.error()));
}

std::string TransportServer::url(std::string_view path) const {
  return "ws://127.0.0.1:" + std::to_string(port_) + std::string(path);
}

ClientOptions client_options() {
  ClientOptions options;
  options.dangerously_allow_cleartext = true;
  return options;
}

RawPeer::RawPeer(std::uint16_t port) : descriptor_(::socket(AF_INET, SOCK_STREAM, 0)) {
  const timeval limit{.tv_sec = 10, .tv_usec = 0};
  ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): the socket API's own idiom.
  if (::connect(descriptor_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
    throw std::runtime_error("cannot connect");
  }
}

RawPeer::~RawPeer() { ::close(descriptor_); }

void RawPeer::send(std::string_view bytes) const {
  if (::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(bytes.size())) {
    throw std::runtime_error("cannot send");
  }
}

bool RawPeer::read_some() {
  std::array<char, 16'384> piece{};
  const ssize_t got = ::recv(descriptor_, piece.data(), piece.size(), 0);
  ended_ = got == 0;
  if (got <= 0) return false;
  seen_.append(piece.data(), static_cast<std::size_t>(got));
  return true;
}

const std::string& RawPeer::read_until(std::string_view wanted) {
  while (seen_.find(wanted) == std::string::npos) {
    if (!read_some()) break;
  }
  return seen_;
}

const std::string& RawPeer::read_to_end() {
  while (true) {
    if (!read_some()) return seen_;
  }
}

std::string get_of(std::string_view target, std::string_view fields) {
  return "GET " + std::string(target) + " HTTP/1.1\r\nHost: 127.0.0.1\r\n" + std::string(fields) + "\r\n";
}

std::string post_of(std::string_view target, std::string_view body, std::string_view fields) {
  return "POST " + std::string(target) + " HTTP/1.1\r\nHost: 127.0.0.1\r\n" + std::string(fields) +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

std::string body_of(std::string_view answer) {
  const std::size_t head = answer.find("\r\n\r\n");
  std::string_view rest = head == std::string_view::npos ? "" : answer.substr(head + 4);
  std::string body;
  while (!rest.empty()) {
    const std::size_t line = rest.find("\r\n");
    if (line == std::string_view::npos) break;
    const auto size = std::strtoul(std::string(rest.substr(0, line)).c_str(), nullptr, 16);
    if (size == 0 || rest.size() < line + 2 + size) break;
    body.append(rest.substr(line + 2, size));
    rest.remove_prefix(std::min(rest.size(), line + 2 + size + 2));
  }
  return body;
}

std::string ask(std::uint16_t port, const std::string& request) {
  RawPeer peer(port);
  const std::size_t line = request.find("\r\n") + 2;
  peer.send(request.substr(0, line) + "Connection: close\r\n" + request.substr(line));
  return peer.read_to_end();
}

}  // namespace fairlead::server::testing
