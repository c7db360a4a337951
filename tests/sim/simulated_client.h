// SPDX-License-Identifier: Apache-2.0
// A client as an SDK is one, for the simulation: it reads at its own pace, comes back after every disconnect, recovers
// from where it was, applies the deltas of its frames to what it has, and checks each publication against what was
// really published.
#pragma once

#include "session/session_testing.h"
#include "sim/received.h"

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace fairlead::server::testing {

// What was published, by channel, epoch and offset.
class Truth {
 public:
  struct Entry {
    std::string data, room, key;
    bool json = true;
  };
  void add(const std::string& channel, const StreamPosition& at, Entry entry);
  [[nodiscard]] const Entry* find(const std::string& channel, const StreamPosition& at) const;
  // Of one life of the stream, from offset 1 on.
  [[nodiscard]] const std::vector<Entry>& all(const std::string& channel, const std::string& epoch) const;

 private:
  std::map<std::string, std::map<std::string, std::vector<Entry>>> streams_;
};

struct ChannelKind {
  ChannelOptions options;
  bool strict = true;     // each publication must arrive
  bool filtered = false;  // only those with the tag room=1
  bool delta = false;
  bool server_side = false;
};

class SimulatedClient final : public Outbox {
 public:
  SimulatedClient(World& world, const Truth& truth, const std::map<std::string, ChannelKind>& kinds, WireFormat format,
                  std::function<void(const std::string&)> wrong);
  ~SimulatedClient() override;

  void come();               // connect, and subscribe to everything wanted in the same frame
  void drop(bool read_all);  // the connection breaks
  void toggle(const std::string& channel);
  void read(std::size_t messages);
  void read_all() { read(queue_.size()); }
  void on_time(TimePoint now);
  void reap();  // buries a connection that the server has ended
  [[nodiscard]] std::optional<TimePoint> deadline() const;
  [[nodiscard]] bool away() const noexcept { return !session_; }
  [[nodiscard]] bool waiting() const noexcept { return !queue_.empty(); }
  // When everything has settled: it has what it should have.
  void check_settled(const std::function<StreamPosition(const std::string&)>& top);
  [[nodiscard]] std::size_t live() const;
  [[nodiscard]] std::vector<std::string> live_channels() const;
  std::uint64_t received = 0, recovered = 0, unrecovered = 0, skipped = 0;
  std::uint64_t deltas = 0, recovered_deltas = 0;  // that were applied

  void reply(const Reply& reply) override;
  void push(const Push& push) override;
  void publication(const Delivery& delivery, const WireForm& form) override;
  void ping() override;
  void session_changed() override {}
  void disconnect(const DisconnectReason& reason) override;
  [[nodiscard]] WireFormat format() const noexcept override { return format_; }
  [[nodiscard]] Envelope envelope() const noexcept override { return Envelope::reply; }
  [[nodiscard]] std::size_t queued_bytes() const noexcept override { return queue_.size() * message_bytes; }

  static constexpr std::size_t message_bytes = 100;

 private:
  enum class State : std::uint8_t { idle, subscribing, subscribed };
  struct Subscribed {
    State state = State::idle;
    bool wanted = true;
    bool recoverable = false;
    StreamPosition position;
    std::uint64_t start = 0;                      // of this subscription
    std::optional<std::string> last;              // payload, as it stood or was made by a delta
    std::map<std::string, std::uint64_t> newest;  // offset by key
  };
  struct Arrived {
    std::string channel;
    PublicationPtr publication;
    Received received;
  };
  struct Ping {};
  using Message = std::variant<Reply, Push, Arrived, Ping>;

  [[nodiscard]] SubscribeRequest request_for(const std::string& channel);
  void handle(Message message);
  void handle_reply(const Reply& reply);
  void handle_push(const Push& push);
  void handle_publication(const Arrived& arrived);
  void subscribed(const std::string& channel, const SubscribeResult& result, const std::vector<Received>& on_wire);
  void apply(const std::string& channel, Subscribed& mine, const Publication& publication, const Received& on_wire);
  void take(const std::string& channel, Subscribed& mine, const Publication& publication);
  void resubscribe(const std::string& channel);
  void complain(const std::string& channel, const std::string& what);
  void send(std::vector<Command> commands);

  World& world_;
  const Truth& truth_;
  const std::map<std::string, ChannelKind>& kinds_;
  WireFormat format_;
  std::function<void(const std::string&)> wrong_;
  std::shared_ptr<Session> session_;
  bool connected_ = false, ended_ = false;
  std::deque<Message> queue_;
  bool full_ = false;  // more than half, since it was last drained
  std::map<std::string, Subscribed> subscriptions_;
  std::map<std::uint32_t, std::string> asked_;  // channel by the id of the command
  std::uint32_t next_id_ = 1;
};

}  // namespace fairlead::server::testing
