// SPDX-License-Identifier: Apache-2.0
// A backend that publishes by HTTP: one connection that stays, one request at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "link.h"

namespace fairlead::bench {

class ApiPublisher final : public Link {
 public:
  struct Events {
    std::function<void(ApiPublisher&)> ready;  // for the first request, and after each answer
    std::function<void(const std::string&)> trouble;
  };
  ApiPublisher(Network& network, Speech speech, std::string api_key, Events events)
      : Link(network), speech_(speech), api_key_(std::move(api_key)), events_(std::move(events)) {}

  // A publication with one, a batch with more: begin, add each, send.
  void begin(bool batch);
  void add(std::string_view channel, std::string_view payload);
  void send();

 private:
  void on_open() override { events_.ready(*this); }
  std::size_t on_bytes(std::string_view bytes) override;
  void on_end(const std::string& why) override { events_.trouble(why); }
  [[nodiscard]] bool good(std::string_view head, std::string_view body) const;

  Speech speech_;
  std::string api_key_;
  Events events_;
  std::string body_;
  bool batch_ = false;
};

}  // namespace fairlead::bench
