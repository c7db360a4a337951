// SPDX-License-Identifier: Apache-2.0
#include "protocol/centrifuge/json_decode.h"

#include "model/json_cursor.h"
#include "model/utf8.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace fairlead::server::centrifuge {

namespace {

// Reads one command from one line. The budget of entries is that of the whole frame.
class CommandReader {
 public:
  CommandReader(std::string_view line, std::size_t depth, std::size_t& entries)
      : cursor_(line, depth), entries_left_(entries) {}

  [[nodiscard]] bool read_line(Command& out) { return read(out) && cursor_.at_end(); }
  [[nodiscard]] bool read_line(EmulationRequest& out) { return read(out) && cursor_.at_end(); }

 private:
  // ── Values ────────────────────────────────────────────────────────────────────────────────────────────────────────
  bool value(std::string& out) { return cursor_.null() || cursor_.string(out); }
  bool value(bool& out) { return cursor_.null() || cursor_.boolean(out); }
  bool value(std::uint64_t& out) { return cursor_.null() || cursor_.integer(out); }
  bool value(std::int64_t& out) { return cursor_.null() || cursor_.integer(out); }
  bool value(std::uint32_t& out) { return narrow<std::uint64_t>(out); }
  bool value(std::int32_t& out) { return narrow<std::int64_t>(out); }
  template <class Wide, class Narrow>
  bool narrow(Narrow& out) {
    Wide wide = out;
    if (!value(wide) || !std::in_range<Narrow>(wide)) return false;
    out = static_cast<Narrow>(wide);
    return true;
  }
  template <class Message>
  bool value(std::optional<Message>& out) {
    return cursor_.null() || read(out.emplace());
  }

  // A payload is any value, kept as it is written. The line has no '\n' in it; a '\r' between tokens means nothing.
  bool payload(Payload& out) {
    const auto raw = cursor_.raw();
    if (!raw) return false;
    out.clear();
    if (!raw->contains('\r')) return out.append(*raw), true;
    std::ranges::remove_copy(*raw, std::back_inserter(out), '\r');
    return true;
  }

  bool spend() { return entries_left_ > 0 && entries_left_-- > 0; }

  template <class Value>
  bool list(std::vector<Value>& out) {
    out.clear();
    return cursor_.null() || cursor_.array([&] { return spend() && element(out.emplace_back()); });
  }
  bool element(std::string& out) { return cursor_.string(out); }
  bool element(FilterNode& out) { return read(out); }

  template <class Value>
  bool map(std::map<std::string, Value>& out) {
    out.clear();
    return cursor_.null() || cursor_.object([&](std::string_view key) {
      Value entry;
      if (!spend() || !(cursor_.null() || element(entry))) return false;
      out.insert_or_assign(std::string(key), std::move(entry));
      return true;
    });
  }
  bool element(SubscribeRequest& out) { return read(out); }

  // ── Messages ──────────────────────────────────────────────────────────────────────────────────────────────────────
  bool read(FilterNode& out) {
    return cursor_.object([&](std::string_view key) {
      if (key == "op") return value(out.op);
      if (key == "key") return value(out.key);
      if (key == "cmp") return value(out.cmp);
      if (key == "val") return value(out.val);
      if (key == "vals") return list(out.vals);
      if (key == "nodes") return list(out.nodes);
      return cursor_.skip();
    });
  }
  bool read(StreamPosition& out) {
    return cursor_.object([&](std::string_view key) {
      if (key == "offset") return value(out.offset);
      if (key == "epoch") return value(out.epoch);
      return cursor_.skip();
    });
  }
  bool read(ConnectRequest& out) {
    return cursor_.object([&](std::string_view key) {
      if (key == "token") return value(out.token);
      if (key == "data") return payload(out.data);
      if (key == "subs") return map(out.subs);
      if (key == "name") return value(out.name);
      if (key == "version") return value(out.version);
      if (key == "headers") return map(out.headers);
      if (key == "flag") return value(out.flag);
      return cursor_.skip();
    });
  }
  bool read(SubscribeRequest& out) {
    return cursor_.object([&](std::string_view key) {
      if (key == "channel") return value(out.channel);
      if (key == "token") return value(out.token);
      if (key == "recover") return value(out.recover);
      if (key == "epoch") return value(out.since.epoch);
      if (key == "offset") return value(out.since.offset);
      if (key == "data") return payload(out.data);
      if (key == "positioned") return value(out.positioned);
      if (key == "recoverable") return value(out.recoverable);
      if (key == "join_leave") return value(out.join_leave);
      if (key == "delta") return value(out.delta);
      if (key == "tf") return value(out.filter);
      if (key == "flag") return value(out.flag);
      if (key == "type") return value(out.type);
      return cursor_.skip();
    });
  }
  bool read(UnsubscribeRequest& out) { return channel_only(out.channel); }
  bool read(PresenceRequest& out) { return channel_only(out.channel); }
  bool read(PresenceStatsRequest& out) { return channel_only(out.channel); }
  bool channel_only(std::string& out) {
    return cursor_.object([&](std::string_view key) { return key == "channel" ? value(out) : cursor_.skip(); });
  }
  bool read(PublishRequest& out) {
    return cursor_.object([&](std::string_view key) {
      if (key == "channel") return value(out.channel);
      if (key == "data") return payload(out.data);
      if (key == "type") return value(out.type);
      if (key == "key") return value(out.key);
      return cursor_.skip();
    });
  }
  bool read(HistoryRequest& out) {
    return cursor_.object([&](std::string_view key) {
      if (key == "channel") return value(out.channel);
      if (key == "limit") return value(out.limit);
      if (key == "since") return value(out.since);
      if (key == "reverse") return value(out.reverse);
      return cursor_.skip();
    });
  }
  bool read(PingRequest&) {
    return cursor_.object([&](std::string_view) { return cursor_.skip(); });
  }
  bool read(SendRequest& out) {
    return cursor_.object([&](std::string_view key) { return key == "data" ? payload(out.data) : cursor_.skip(); });
  }
  bool read(RpcRequest& out) {
    return cursor_.object([&](std::string_view key) {
      if (key == "data") return payload(out.data);
      if (key == "method") return value(out.method);
      return cursor_.skip();
    });
  }
  bool read(RefreshRequest& out) {
    return cursor_.object([&](std::string_view key) { return key == "token" ? value(out.token) : cursor_.skip(); });
  }
  bool read(SubRefreshRequest& out) {
    return cursor_.object([&](std::string_view key) {
      if (key == "channel") return value(out.channel);
      if (key == "token") return value(out.token);
      if (key == "type") return value(out.type);
      return cursor_.skip();
    });
  }
  bool read(EmulationRequest& out) {
    return cursor_.object([&](std::string_view key) {
      if (key == "node") return value(out.node);
      if (key == "session") return value(out.session);
      if (key == "data") return value(out.data);
      return cursor_.skip();
    });
  }

  // A client sets one body. When it sets more, the first in the order of the alternatives of Command::body counts,
  // which is the protocol's; the others are only checked.
  template <class Body>
  bool body(Command& command) {
    if (cursor_.null()) return true;
    Body fresh;
    if (!read(fresh)) return false;
    decltype(command.body) candidate(std::move(fresh));
    if (command.body.index() == 0 || candidate.index() <= command.body.index()) command.body = std::move(candidate);
    return true;
  }
  bool read(Command& out) {
    return cursor_.object([&](std::string_view key) {
      if (key == "id") return value(out.id);
      if (key == "connect") return body<ConnectRequest>(out);
      if (key == "subscribe") return body<SubscribeRequest>(out);
      if (key == "unsubscribe") return body<UnsubscribeRequest>(out);
      if (key == "publish") return body<PublishRequest>(out);
      if (key == "presence") return body<PresenceRequest>(out);
      if (key == "presence_stats") return body<PresenceStatsRequest>(out);
      if (key == "history") return body<HistoryRequest>(out);
      if (key == "ping") return body<PingRequest>(out);
      if (key == "send") return body<SendRequest>(out);
      if (key == "rpc") return body<RpcRequest>(out);
      if (key == "refresh") return body<RefreshRequest>(out);
      if (key == "sub_refresh") return body<SubRefreshRequest>(out);
      return cursor_.skip();
    });
  }

  JsonCursor cursor_;
  std::size_t& entries_left_;
};

}  // namespace

std::optional<std::vector<Command>> decode_json(std::string_view frame, const CodecLimits& limits) {
  if (frame.ends_with('\n')) frame.remove_suffix(1);
  if (frame.empty() || !is_utf8(frame)) return std::nullopt;
  const auto lines = static_cast<std::size_t>(std::ranges::count(frame, '\n')) + 1;
  if (lines > limits.commands) return std::nullopt;
  std::vector<Command> commands(lines);
  std::size_t entries = limits.entries;
  for (Command& command : commands) {
    const std::size_t end = std::min(frame.find('\n'), frame.size());
    if (!CommandReader(frame.substr(0, end), limits.depth, entries).read_line(command)) return std::nullopt;
    frame.remove_prefix(std::min(end + 1, frame.size()));
  }
  return commands;
}

std::optional<EmulationRequest> decode_json_emulation(std::string_view body, const CodecLimits& limits) {
  if (!is_utf8(body)) return std::nullopt;
  EmulationRequest request;
  std::size_t entries = limits.entries;
  if (!CommandReader(body, limits.depth, entries).read_line(request)) return std::nullopt;
  return request;
}

}  // namespace fairlead::server::centrifuge
