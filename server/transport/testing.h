// SPDX-License-Identifier: Apache-2.0
// What the tests of transports stand on: a codec and a session that can be read at a glance, a server with both, and a
// peer that sees every byte.
#pragma once

#include "transport/endpoints.h"
#include "transport/transports.h"

#include <fairlead/client.h>
#include <fairlead/loop.h>
#include <fairlead/server.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::server::testing {

// One command a line: "connect", "rpc WORD", "" is a pong; {"id":1,"connect":REQUEST} as unidirectional clients have
// it. Replies are "reply:…", pushes "push:…" or, bare, "bare:…". Emulation is "NODE SESSION FRAME".
class FakeCodec final : public Codec {
 public:
  explicit FakeCodec(WireFormat format) : format_(format) {}
  [[nodiscard]] WireFormat format() const noexcept override { return format_; }
  [[nodiscard]] std::expected<std::vector<Command>, DisconnectReason> decode(Bytes frame) const override;
  [[nodiscard]] std::expected<EmulationRequest, DisconnectReason> decode_emulation(Bytes body) const override;
  void encode(const Reply& reply, std::string& out) const override;
  void encode(const Push& push, Envelope envelope, std::string& out) const override;
  void ping(std::string& out) const override { out += "{}"; }
  [[nodiscard]] std::string_view separator() const noexcept override {
    return format_ == WireFormat::json ? std::string_view("\n") : std::string_view("|");
  }

 private:
  WireFormat format_;
};

class FakeHost;

// Does what the words of RPCs say; everything else is noted.
class FakeSession final : public Session {
 public:
  FakeSession(FakeHost& host, Outbox& outbox, Caller caller, Options options, std::string secret);

  void receive(std::vector<Command> commands, TimePoint now) override;
  void on_deadline(TimePoint now) override;
  [[nodiscard]] std::optional<TimePoint> deadline() const override { return deadline_; }
  void on_drained(TimePoint now) override;
  void closed(TimePoint now) override;
  [[nodiscard]] bool busy() const noexcept override { return busy_; }

  void subscribe(const std::string&, ServerSubscription, std::optional<StreamPosition>, TimePoint) override {}
  void unsubscribe(const std::string&, const UnsubscribeReason&, TimePoint) override {}
  void unsubscribe_revoked(const std::function<bool(const TokenIdentity&)>&, TimePoint) override {}
  void refresh(const RefreshAnswer&, TimePoint) override {}
  void send(const Payload& data) override;
  void disconnect(const DisconnectReason& reason, TimePoint now) override;

  [[nodiscard]] const std::string& client() const noexcept override { return secret_; }
  [[nodiscard]] const std::string& user() const noexcept override { return secret_; }
  [[nodiscard]] const std::string& secret() const noexcept override { return secret_; }
  [[nodiscard]] const Admitted* admitted() const noexcept override { return nullptr; }
  [[nodiscard]] std::vector<std::string> channels() const override { return {}; }
  [[nodiscard]] Caller caller() const override { return caller_; }

  void become_free();
  void publish(const std::string& text);
  Outbox& outbox() { return outbox_; }

 private:
  void handle(const Command& command, TimePoint now);
  void obey(std::uint32_t id, const std::string& word, TimePoint now);

  FakeHost& host_;
  Outbox& outbox_;
  Caller caller_;
  Options options_;
  std::string secret_;
  std::optional<TimePoint> deadline_;
  bool busy_ = false;
};

class FakeEncoder final : public PublicationEncoder {
 public:
  [[nodiscard]] SharedMessage encode(const Delivery& delivery, const WireForm& form) const override;
};

class FakeHost final : public TransportHost {
 public:
  std::shared_ptr<Session> open_session(Outbox& outbox, Caller caller, Session::Options options) override;
  [[nodiscard]] TimePoint now() const override { return Clock::now(); }
  [[nodiscard]] const Codec& codec(WireFormat format) const override {
    return format == WireFormat::json ? json_ : protobuf_;
  }
  [[nodiscard]] const std::string& node_id() const override { return node_; }
  [[nodiscard]] std::size_t queue_max_bytes() const override { return queue_max; }

  void note(const std::string& what);
  // Whether `what` was noted, now or within ten seconds.
  [[nodiscard]] bool saw(std::string_view what);
  [[nodiscard]] std::string notes();
  // The session that was opened last, and its loop.
  struct Opened {
    std::weak_ptr<FakeSession> session;
    LoopHandle loop;
    Caller caller;
    Session::Options options;
  };
  [[nodiscard]] std::optional<Opened> last();
  // Runs `work` with the newest session on its loop, and waits for it.
  bool with_last(const std::function<void(FakeSession&)>& work);

  std::size_t queue_max = std::size_t{1024} * 1024;
  std::atomic<bool> full = false;  // takes nobody in
  std::atomic<int> closed = 0;
  FakeEncoder encoder;

 private:
  FakeCodec json_{WireFormat::json};
  FakeCodec protobuf_{WireFormat::protobuf};
  std::string node_ = "node-1";
  std::mutex mutex_;
  std::string notes_;
  std::vector<Opened> opened_;
};

// A server in cleartext on loopback with every endpoint.
class TransportServer {
 public:
  explicit TransportServer(const TransportSettings& settings = all_endpoints(), std::size_t queue_max = 1024 * 1024,
                           unsigned threads = 2);
  [[nodiscard]] static TransportSettings all_endpoints();
  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  [[nodiscard]] std::string url(std::string_view path) const;
  [[nodiscard]] FakeHost& host() noexcept { return host_; }
  void stop() { server_.reset(); }
  void reconfigure(const TransportSettings& settings) { endpoints_->reconfigure(settings); }

 private:
  FakeHost host_;
  std::shared_ptr<Endpoints> endpoints_;
  std::unique_ptr<Server> server_;
  std::uint16_t port_ = 0;
};

[[nodiscard]] ClientOptions client_options();

// A blocking client over a plain socket, every wait bounded.
class RawPeer {
 public:
  explicit RawPeer(std::uint16_t port);
  RawPeer(const RawPeer&) = delete;
  RawPeer& operator=(const RawPeer&) = delete;
  ~RawPeer();

  void send(std::string_view bytes) const;
  // Everything that has come, once it holds `wanted`, or the stream has ended, or time is up.
  const std::string& read_until(std::string_view wanted);
  const std::string& read_to_end();
  [[nodiscard]] bool ended() const noexcept { return ended_; }

 private:
  bool read_some();
  int descriptor_;
  bool ended_ = false;
  std::string seen_;
};

[[nodiscard]] std::string get_of(std::string_view target, std::string_view fields = {});
[[nodiscard]] std::string post_of(std::string_view target, std::string_view body, std::string_view fields = {});
// The head and, chunks taken apart, the body of an answer.
[[nodiscard]] std::string body_of(std::string_view answer);
// One request on a connection of its own; the whole answer.
[[nodiscard]] std::string ask(std::uint16_t port, const std::string& request);

}  // namespace fairlead::server::testing
