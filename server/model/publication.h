// SPDX-License-Identifier: Apache-2.0
// What travels through channels, and who is in them: plain values, immutable once they are shared.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace fairlead::server {

// Opaque bytes of an application. JSON text for JSON clients; a binary one is shown to them as {"b64data":"…"}.
using Payload = std::string;
using WallTime = std::chrono::system_clock::time_point;

// A place in a channel's stream. The epoch names one life of the stream: it changes whenever offsets start again.
struct StreamPosition {
  std::uint64_t offset = 0;
  std::string epoch;
  friend bool operator==(const StreamPosition&, const StreamPosition&) = default;
};

struct ClientInfo {
  std::string user;
  std::string client;  // the connection's id
  Payload conn_info;   // from the connection's token or backend; empty: none
  Payload chan_info;   // from the subscription's token or backend; empty: none
  friend bool operator==(const ClientInfo&, const ClientInfo&) = default;
};

struct Publication {
  Payload data;
  bool json = true;  // `data` is one valid JSON value without raw line breaks: decided once, when it is published
  std::shared_ptr<const ClientInfo> info;  // who published it, when a client did
  std::uint64_t offset = 0;                // 0: not kept in a history
  std::map<std::string, std::string> tags;
  std::int64_t time_ms = 0;  // Unix time of the publishing
  std::string key;           // for conflation: the newest of each key matters
  std::uint64_t version = 0;
};
using PublicationPtr = std::shared_ptr<const Publication>;

using Presence = std::map<std::string, ClientInfo>;  // by client id
struct PresenceStats {
  std::uint32_t clients = 0;
  std::uint32_t users = 0;
  friend bool operator==(const PresenceStats&, const PresenceStats&) = default;
};

}  // namespace fairlead::server
