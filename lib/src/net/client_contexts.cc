// SPDX-License-Identifier: Apache-2.0
#include "net/client_contexts.h"

#include <algorithm>

namespace fairlead::net {

Result<std::shared_ptr<const tls::ClientContext>> ClientContexts::find(const TlsClient& options) {
  const auto found = std::ranges::find_if(contexts_, [&](const auto& entry) { return entry.first == options; });
  if (found != contexts_.end()) return found->second;
  auto built = tls::ClientContext::build(options);
  if (!built) return built;
  if (contexts_.size() == contexts_kept) {
    std::erase_if(idle_, [&](const auto& entry) { return entry.first.first == contexts_.front().second.get(); });
    contexts_.erase(contexts_.begin());
  }
  contexts_.emplace_back(options, *built);
  return built;
}

std::shared_ptr<tls::ClientSession> ClientContexts::take_session(const tls::ClientContext& context,
                                                                 const std::string& endpoint) {
  const auto found = idle_.find({&context, endpoint});
  if (found == idle_.end()) return std::make_shared<tls::ClientSession>();
  auto& sessions = found->second.sessions;
  auto session = std::move(sessions.back());
  sessions.pop_back();
  if (sessions.empty()) idle_.erase(found);
  return session;
}

// A session holds its context: where that has been pushed out, nobody would ask for the session any more.
void ClientContexts::give_back(const tls::ClientContext& context, const std::string& endpoint,
                               std::shared_ptr<tls::ClientSession> session) {
  if (!session->available() || !keeps(context)) return;
  std::pair key{&context, endpoint};
  if (!idle_.contains(key)) make_room_for_endpoint();
  Idle& idle = idle_[std::move(key)];
  idle.given_back = ++given_back_;
  if (idle.sessions.size() < sessions_kept) idle.sessions.push_back(std::move(session));
}

bool ClientContexts::keeps(const tls::ClientContext& context) const noexcept {
  return std::ranges::any_of(contexts_, [&](const auto& entry) { return entry.second.get() == &context; });
}

// Whoever connects to ever other servers comes back to few of them.
void ClientContexts::make_room_for_endpoint() {
  if (idle_.size() < endpoints_kept) return;
  idle_.erase(std::ranges::min_element(idle_, {}, [](const auto& entry) { return entry.second.given_back; }));
}

}  // namespace fairlead::net
