// SPDX-License-Identifier: Apache-2.0
// What a loop's clients reuse from one connection to the next: checked TLS options (reading the system's trust store
// takes longer than a handshake) and session tickets.
#pragma once

#include "tls/client_session.h"
#include "tls/context.h"

#include <fairlead/error.h>
#include <fairlead/tls.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace fairlead::net {

// Not thread-safe: one per loop.
class ClientContexts {
 public:
  // The context for these options, built on first use.
  [[nodiscard]] Result<std::shared_ptr<const tls::ClientContext>> find(const TlsClient& options);

  // A ticket holder for a connection to `endpoint` ("host:port"), with a ticket if there is one. Give it back when the
  // connection ends.
  [[nodiscard]] std::shared_ptr<tls::ClientSession> take_session(const tls::ClientContext& context,
                                                                 const std::string& endpoint);
  void give_back(const tls::ClientContext& context, const std::string& endpoint,
                 std::shared_ptr<tls::ClientSession> session);

 private:
  static constexpr std::size_t contexts_kept = 8;
  static constexpr std::size_t sessions_kept = 256;     // of one endpoint
  static constexpr std::size_t endpoints_kept = 1'024;  // with sessions

  struct Idle {
    std::vector<std::shared_ptr<tls::ClientSession>> sessions;  // at least one
    std::uint64_t given_back = 0;                               // the number of the last one
  };
  [[nodiscard]] bool keeps(const tls::ClientContext& context) const noexcept;
  void make_room_for_endpoint();

  std::vector<std::pair<TlsClient, std::shared_ptr<const tls::ClientContext>>> contexts_;
  std::map<std::pair<const tls::ClientContext*, std::string>, Idle> idle_;
  std::uint64_t given_back_ = 0;  // counted
};

}  // namespace fairlead::net
