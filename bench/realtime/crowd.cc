// SPDX-License-Identifier: Apache-2.0
#include "crowd.h"

#include <algorithm>

namespace fairlead::bench {

std::string channel_name(const Options& options, std::size_t number) {
  constexpr std::size_t digits = 6;
  std::string name = std::to_string(number);
  if (name.size() < digits) name.insert(0, digits - name.size(), '0');
  return options.channel + name;
}

Crowd::Crowd(const Options& options)
    : options_(options),
      network_(loop_, options_),
      dialect_(make_dialect(options_.speech)),
      payloads_(options_.size_bytes),
      company_{network_, *dialect_, payloads_, *this} {
  for (std::size_t i = 0; i < options_.clients; ++i) {
    const std::size_t channel = i % options_.channels;
    clients_.push_back(std::make_unique<Client>(company_, channel_name(options_, channel), channel));
  }
}

void Crowd::open_all() {
  std::size_t started = 0;
  ready_ = 0;
  wait("opening the connections", [&] {
    // The first one alone: its TLS session is what the others resume.
    const std::size_t at_once = ready_ == 0 && !options_.full_handshakes ? 1 : options_.at_once;
    while (started < clients_.size() && started - ready_ < at_once) clients_[started++]->connect();
    return ready_ == clients_.size();
  });
}

std::size_t Crowd::clients_of(std::size_t channel) const noexcept {
  return options_.clients / options_.channels + (channel < options_.clients % options_.channels ? 1 : 0);
}

void Crowd::describe_tls(Outcome& outcome) const {
  outcome.clients = clients_.size();
  outcome.tls_version = clients_.front()->tls_version();
  outcome.tls_cipher = clients_.front()->tls_cipher();
}

void Crowd::pass(double seconds) {
  const auto limit = Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  loop_.run_until(limit, [&] { return !trouble_.empty(); });
  if (!trouble_.empty()) throw Trouble(trouble_);
}

void Crowd::on_trouble(const std::string& what) {
  if (trouble_.empty()) trouble_ = what;
}

}  // namespace fairlead::bench
