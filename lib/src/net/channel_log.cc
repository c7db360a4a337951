// SPDX-License-Identifier: Apache-2.0
// What a WebSocket's life looks like in the log: one line for each event, with neither payload nor token nor query.
#include "net/channel.h"
#include "net/log_text.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <utility>

namespace fairlead::net {
namespace {

std::string seconds(Duration duration) {
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
  std::string text = std::to_string(milliseconds / 1'000) + ".";
  const std::string rest = std::to_string(milliseconds % 1'000);
  return text.append(3 - rest.size(), '0').append(rest);
}

}  // namespace

void Channel::log_failure(LogLevel level, std::string_view what, const Error& error) {
  if (!settings_->log || level < settings_->log_from) return;
  std::string line = "websocket ";
  settings_->log(level, line.append(what).append(" peer=" + to_string(request().peer) + " " + to_string(error)));
}

// The policies drop_newest and drop_oldest, and what waited for a streamed message that never ended. Each connection
// says so once: a slow one drops thousands.
void Channel::note_dropped() {
  const std::uint32_t dropped = ws_.take_dropped();
  if (dropped == 0) return;
  context_.counters.messages_dropped.add(dropped);
  if (!ws_.may_send()) undelivered_ = true;  // by the close, and not by a policy
  if (std::exchange(told_of_drops_, true)) return;
  log_failure(LogLevel::info, "drops messages", {Errc::outgoing_queue_full, "they had to wait for too long"});
}

void Channel::log_opened() {
  if (!settings_->log_connections) return;
  context_.logged[this].opened = io::Loop::now();
  const TlsInfo tls = tls_info();
  std::string line = "websocket opened peer=" + to_string(request().peer) + " path=";
  append_logged(line, request().path);
  line.append(" subprotocol=").append(subprotocol().empty() ? "none" : subprotocol());
  settings_->log(LogLevel::debug, line.append(" tls=").append(tls.version.empty() ? "none" : tls.version));
}

void Channel::log_ended(const CloseInfo& info) {
  if (!settings_->log_connections) return;
  const auto found = context_.logged.extract(this);
  if (found.empty()) return;  // it never opened
  const LoopContext::Logged& life = found.mapped();
  std::string line = "websocket ended peer=" + to_string(request().peer) + " path=";
  append_logged(line, request().path);
  line += " code=" + std::to_string(info.code) + " sent_code=" + std::to_string(info.sent_code);
  line += " seconds=" + seconds(io::Loop::now() - life.opened);
  // Of what was handed to the stream. Under TLS what is left counts as it is sealed, some bytes more for each record.
  const std::uint64_t left = std::min<std::uint64_t>(life.bytes_out, stream_->undelivered_bytes());
  line += " bytes_in=" + std::to_string(life.bytes_in) + " bytes_out=" + std::to_string(life.bytes_out - left);
  settings_->log(LogLevel::debug, line);
}

}  // namespace fairlead::net
