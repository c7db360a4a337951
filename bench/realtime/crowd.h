// SPDX-License-Identifier: Apache-2.0
// Many clients, opened a few at a time, each subscribed to its channel.
#pragma once

#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "client.h"
#include "options.h"
#include "report.h"

namespace fairlead::bench {

// Something that the server did wrong, or could not do: it ends the run.
class Trouble : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

inline constexpr std::chrono::seconds patience{60};  // for anything that is waited for

// The name of a channel; NATS allows no other characters in them than these.
[[nodiscard]] std::string channel_name(const Options& options, std::size_t number);

class Crowd : public Owner {
 public:
  explicit Crowd(const Options& options);
  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;

 protected:
  // Opens all of them, until each has said `is_ready`.
  void open_all();
  void is_ready() noexcept { ++ready_; }
  void on_welcome(Client& client) override { client.subscribe(); }
  void on_subscribed(Client&) override { is_ready(); }
  void on_trouble(const std::string& what) override;

  // Runs the loop until `done()`. Throws when something went wrong meanwhile, or it takes too long.
  template <class Done>
  void wait(const std::string& what, Done done) {
    if (!loop_.run_until(Clock::now() + patience, [&] { return !trouble_.empty() || done(); })) {
      throw Trouble(what + " took longer than a minute");
    }
    if (!trouble_.empty()) throw Trouble(trouble_);
  }
  // Runs the loop for some time.
  void pass(double seconds);

  [[nodiscard]] const std::vector<std::unique_ptr<Client>>& clients() const noexcept { return clients_; }
  // Of whom each channel is heard by so many.
  [[nodiscard]] std::size_t clients_of(std::size_t channel) const noexcept;
  void describe_tls(Outcome& outcome) const;

  const Options options_;
  Loop loop_;
  Network network_;
  std::unique_ptr<const Dialect> dialect_;
  Payloads payloads_;
  Company company_;

 private:
  std::vector<std::unique_ptr<Client>> clients_;
  std::size_t ready_ = 0;
  std::string trouble_;
};

// One for each mode: does its work, and says what came out.
[[nodiscard]] Outcome run_fanout(const Options& options, Meter& meter);
[[nodiscard]] Outcome run_api(const Options& options, Meter& meter);
[[nodiscard]] Outcome run_subscribe_storm(const Options& options, Meter& meter);
[[nodiscard]] Outcome run_recover_storm(const Options& options, Meter& meter);
[[nodiscard]] Outcome run_memory(const Options& options, Meter& meter);

}  // namespace fairlead::bench
