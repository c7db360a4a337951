// SPDX-License-Identifier: Apache-2.0
// One WebSocket client of the server: gets in, subscribes to its one channel, and checks everything that comes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "dialect.h"
#include "link.h"
#include "payload.h"

namespace fairlead::bench {

class Client;

// Whose clients they are.
class Owner {
 public:
  virtual ~Owner() = default;
  virtual void on_welcome(Client& client) = 0;
  virtual void on_subscribed(Client&) {}  // what was missed follows
  virtual void on_unsubscribed(Client&) {}
  virtual void on_accepted(Client&) {}  // a publication
  // In order and undamaged, or it would have been trouble.
  virtual void on_publication(Client&, std::uint64_t) {}
  virtual void on_trouble(const std::string& what) = 0;
};

// What the clients of one run have in common.
struct Company {
  Network& network;
  const Dialect& dialect;
  Payloads& payloads;
  Owner& owner;
};

class Client final : public Link, private Ear {
 public:
  Client(Company& company, std::string channel, std::size_t channel_number)
      : Link(company.network), company_(company), channel_(std::move(channel)), channel_number_(channel_number) {}

  void subscribe();
  void subscribe_since(const Subscribed& since);
  void unsubscribe();
  void publish(std::string_view channel, std::string_view payload);

  [[nodiscard]] const std::string& channel() const noexcept { return channel_; }
  [[nodiscard]] std::size_t channel_number() const noexcept { return channel_number_; }
  // How many publications it has got, which is the number of the next one.
  [[nodiscard]] std::uint64_t next() const noexcept { return next_; }
  // Of the last subscription.
  [[nodiscard]] bool recovered() const noexcept { return recovered_; }
  [[nodiscard]] std::uint64_t offset() const noexcept { return offset_; }
  [[nodiscard]] const std::string& epoch() const noexcept { return epoch_; }

 private:
  enum class Phase : std::uint8_t { upgrading, greeting, idle, subscribing, subscribed, unsubscribing };

  void on_open() override;
  std::size_t on_bytes(std::string_view bytes) override;
  void on_end(const std::string& why) override;
  std::size_t read_upgrade(std::string_view bytes);
  std::size_t read_frames(std::string_view bytes);
  void read_message(std::string_view message);
  void control(const Frame& frame);
  void say(const std::string& payload);
  void receive(std::string_view payload);

  void on_greeting() override;
  void on_welcome() override;
  void on_subscribed(const Subscribed& what) override;
  void on_unsubscribed() override;
  void on_accepted() override;
  void on_publication(std::string_view payload) override;
  void on_missed(std::string_view payload) override;
  void on_ping() override;
  void on_nonsense(std::string_view message) override;

  Company& company_;
  std::string channel_;
  std::size_t channel_number_;
  Phase phase_ = Phase::upgrading;
  bool recovered_ = false;
  std::uint64_t next_ = 0, offset_ = 0;
  std::string epoch_;
  std::string rest_;  // of a dialect that is a stream
};

}  // namespace fairlead::bench
