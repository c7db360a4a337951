// SPDX-License-Identifier: Apache-2.0
// The client's side of the Centrifuge protocol, in JSON, as far as `fairlead subscribe` needs it: connects, subscribes,
// recovers what it missed, answers pings. Sans-I/O: frames go in, frames and publications come out.
#pragma once

#include <fairlead/time.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/json.h"
#include "exit_status.h"
#include "stream_position.h"

namespace fairlead::cli {

struct SubscriberOptions {
  std::vector<std::string> channels;
  std::optional<Position> recover;  // of the first connection
  int history = 0;                  // so many of the newest first, on the first connection
};

// What comes out. The views are valid during the call.
struct SubscriberEvents {
  // `publication`: the JSON object as it came. False: enough, nothing more is wanted.
  std::function<bool(const std::string& channel, std::string_view publication)> publication;
  std::function<void(const std::string& sentence)> remark;
};

class Subscriber {
 public:
  enum class Next : std::uint8_t {
    go_on,
    again,  // close, and connect again after a while
    end,    // `status` and `complaint` say why
  };

  Subscriber(SubscriberOptions options, SubscriberEvents events);

  // The first frame of a new connection: connecting and all subscriptions at once.
  [[nodiscard]] std::string opening(const std::string& token);
  // One frame of the server. `answer`: what to send, perhaps nothing.
  [[nodiscard]] Next receive(std::string_view frame, std::string& answer);

  // Nothing for so long: the connection is dead.
  [[nodiscard]] Duration patience() const noexcept { return patience_; }
  [[nodiscard]] ExitStatus status() const noexcept { return status_; }
  [[nodiscard]] const std::string& complaint() const noexcept { return complaint_; }

 private:
  struct Channel {
    std::string name;
    std::optional<Position> position;  // of the last publication that came out
    bool subscribed = false;
    bool waits_for_history = false;
    std::vector<std::string> held{};  // publications that came meanwhile
  };
  using Object = std::vector<server::JsonMember>;

  Next end(ExitStatus status, std::string complaint);
  Next refused(std::string_view what, const server::JsonValue& error);
  Next message(const server::JsonValue& message, std::string& answer);
  Next reply(const Object& message, std::uint64_t id, std::string& answer);
  Next pushed(const Object& push);
  Next connected(const Object& message);
  Next subscribed(Channel& channel, const Object& message, std::string& answer);
  Next history_came(Channel& channel, const Object& message);
  Next unsubscribed(Channel& channel, const Object& unsubscribe);
  Next take(Channel& channel, std::string_view publication);
  Next take_list(Channel& channel, const server::JsonValue* list, bool reverse);
  [[nodiscard]] std::string subscribe_command(const Channel& channel, std::size_t index) const;
  [[nodiscard]] Channel* channel_named(std::string_view name);

  SubscriberOptions options_;
  SubscriberEvents events_;
  std::vector<Channel> channels_;
  bool pong_ = false;
  bool first_ = true;  // no subscription has been made yet
  Duration patience_;
  ExitStatus status_ = ExitStatus::ok;
  std::string complaint_;
};

// Whether a client comes back after this close code, as every SDK of the protocol decides it.
[[nodiscard]] bool comes_back_after(CloseCode code) noexcept;

}  // namespace fairlead::cli
