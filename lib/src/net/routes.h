// SPDX-License-Identifier: Apache-2.0
// What a server answers on which path. Set up before it starts, then read by every loop.
#pragma once

#include "net/channel.h"
#include "net/static_files.h"

#include <fairlead/server.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::net {

struct WebSocketRoute {
  RouteOptions options;
  WebSocketHandler handler;  // coroutine style; empty in handler style
  std::shared_ptr<ChannelSettings> settings;
};

struct HttpRoute {
  HttpHandler handler;
  AsyncHttpHandler async_handler;
  HttpRouteOptions options;
};

// Paths are exact, or prefixes when they end in "/*"; exact ones win, then the longest prefix.
template <class Value>
class PathTable {
 public:
  // False when the path is taken already.
  bool add(std::string path, Value value) {
    for (const Entry& entry : entries_) {
      if (entry.pattern == path) return false;
    }
    const bool prefix = path.ends_with("/*");
    const std::size_t length = prefix ? path.size() - 1 : path.size();
    entries_.push_back({std::move(path), length, prefix, std::move(value)});
    return true;
  }

  [[nodiscard]] const Value* find(std::string_view path) const {
    const Entry* best = nullptr;
    for (const Entry& entry : entries_) {
      if (!entry.matches(path)) continue;
      if (!entry.prefix) return &entry.value;
      if (best == nullptr || entry.length > best->length) best = &entry;
    }
    return best != nullptr ? &best->value : nullptr;
  }

  [[nodiscard]] auto begin() const { return entries_.begin(); }
  [[nodiscard]] auto end() const { return entries_.end(); }

  struct Entry {
    std::string pattern;
    std::size_t length;  // of what is compared
    bool prefix;
    Value value;

    // "/a/*" matches "/a/" and all below it, and "/a" itself.
    [[nodiscard]] bool matches(std::string_view path) const {
      const std::string_view compared = std::string_view(pattern).substr(0, length);
      if (!prefix) return path == compared;
      return path.starts_with(compared) || path == compared.substr(0, length - 1);
    }
  };

 private:
  std::vector<Entry> entries_;
};

struct Routes {
  PathTable<std::shared_ptr<WebSocketRoute>> websockets;
  PathTable<std::shared_ptr<HttpRoute>> http;
  std::optional<StaticFiles> files;
};

}  // namespace fairlead::net
