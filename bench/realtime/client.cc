// SPDX-License-Identifier: Apache-2.0
#include "client.h"

#include <utility>

namespace fairlead::bench {

// ── Out ─────────────────────────────────────────────────────────────────────────────────────────────────────────────
void Client::say(const std::string& payload) {
  std::string frame;
  write_frame(company_.dialect.opcode(), payload, frame);
  write(frame);
}

void Client::subscribe() {
  phase_ = Phase::subscribing;
  say(company_.dialect.subscribe(channel_));
}

void Client::subscribe_since(const Subscribed& since) {
  phase_ = Phase::subscribing;
  say(company_.dialect.recover(channel_, since));
}

void Client::unsubscribe() {
  phase_ = Phase::unsubscribing;
  say(company_.dialect.unsubscribe(channel_));
}

void Client::publish(std::string_view channel, std::string_view payload) {
  say(company_.dialect.publish(channel, payload));
}

// ── In ──────────────────────────────────────────────────────────────────────────────────────────────────────────────
void Client::on_open() {
  phase_ = Phase::upgrading;
  rest_.clear();
  write(upgrade_request(company_.dialect.path(), company_.dialect.subprotocol()));
}

void Client::on_end(const std::string& why) { company_.owner.on_trouble(why); }

std::size_t Client::on_bytes(std::string_view bytes) {
  std::size_t used = 0;
  if (phase_ == Phase::upgrading) used = read_upgrade(bytes);
  return phase_ == Phase::upgrading ? used : used + read_frames(bytes.substr(used));
}

std::size_t Client::read_upgrade(std::string_view bytes) {
  const std::size_t end = bytes.find("\r\n\r\n");
  if (end == std::string_view::npos) return 0;
  if (!bytes.starts_with("HTTP/1.1 101 ")) {
    on_nonsense(bytes.substr(0, bytes.find("\r\n")));
    return bytes.size();
  }
  phase_ = Phase::greeting;
  if (!company_.dialect.server_speaks_first()) on_greeting();
  return end + 4;
}

std::size_t Client::read_frames(std::string_view bytes) {
  std::string_view rest = bytes;
  while (const auto frame = read_frame(rest)) {
    if (!open()) break;
    if (frame->opcode >= Opcode::close) {
      control(*frame);
    } else {
      read_message(frame->payload);
    }
  }
  return bytes.size() - rest.size();
}

// Only a dialect that is a stream goes on in the next frame.
void Client::read_message(std::string_view message) {
  const auto read = [this](std::string_view text) {
    return company_.dialect.read(channel_, text, company_.payloads.size(), *this);
  };
  if (rest_.empty()) {
    const std::size_t used = read(message);
    if (used < message.size()) rest_.assign(message.substr(used));
    return;
  }
  rest_.append(message);
  rest_.erase(0, read(rest_));
}

void Client::control(const Frame& frame) {
  if (frame.opcode == Opcode::close) {
    const std::string_view reason = frame.payload.substr(frame.payload.size() < 2 ? frame.payload.size() : 2);
    return company_.owner.on_trouble("the server closed: " + std::string(reason));
  }
  if (frame.opcode != Opcode::ping) return;
  std::string pong;
  write_frame(Opcode::pong, frame.payload, pong);
  write(pong);
}

// ── What was said ───────────────────────────────────────────────────────────────────────────────────────────────────
void Client::on_greeting() { say(company_.dialect.hello()); }

void Client::on_welcome() {
  phase_ = Phase::idle;
  company_.owner.on_welcome(*this);
}

// What was missed follows one by one.
void Client::on_subscribed(const Subscribed& what) {
  phase_ = Phase::subscribed;
  recovered_ = what.recovered;
  offset_ = what.offset;
  epoch_.assign(what.epoch);
  company_.owner.on_subscribed(*this);
}

void Client::on_unsubscribed() {
  phase_ = Phase::idle;
  company_.owner.on_unsubscribed(*this);
}

void Client::on_accepted() {
  if (phase_ == Phase::greeting) return on_welcome();
  if (phase_ == Phase::subscribing) return on_subscribed({});
  if (phase_ == Phase::unsubscribing) return on_unsubscribed();
  company_.owner.on_accepted(*this);
}

void Client::receive(std::string_view payload) {
  const auto number = company_.payloads.number_of(payload);
  if (!number) return on_nonsense(payload);
  if (*number != next_) {
    return company_.owner.on_trouble("publication " + std::to_string(*number) + " of " + channel_ + " came where " +
                                     std::to_string(next_) + " was due");
  }
  ++next_;
  company_.owner.on_publication(*this, *number);
}

void Client::on_publication(std::string_view payload) { receive(payload); }
void Client::on_missed(std::string_view payload) { receive(payload); }

void Client::on_ping() {
  if (const std::string answer = company_.dialect.pong(); !answer.empty()) say(answer);
}

void Client::on_nonsense(std::string_view message) {
  company_.owner.on_trouble("not understood: " + std::string(message.substr(0, 200)));
}

}  // namespace fairlead::bench
