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
    std::erase_if(sessions_, [&](const auto& entry) { return entry.first.first == contexts_.front().second.get(); });
    contexts_.erase(contexts_.begin());
  }
  contexts_.emplace_back(options, *built);
  return built;
}

std::shared_ptr<tls::ClientSession> ClientContexts::take_session(const tls::ClientContext& context,
                                                                 const std::string& endpoint) {
  auto& idle = sessions_[{&context, endpoint}];
  if (idle.empty()) return std::make_shared<tls::ClientSession>();
  auto session = std::move(idle.back());
  idle.pop_back();
  return session;
}

// A session holds its context: where that has been pushed out, nobody would ask for the session any more.
void ClientContexts::give_back(const tls::ClientContext& context, const std::string& endpoint,
                               std::shared_ptr<tls::ClientSession> session) {
  if (!session->available() || !keeps(context)) return;
  auto& idle = sessions_[{&context, endpoint}];
  if (idle.size() < sessions_kept) idle.push_back(std::move(session));
}

bool ClientContexts::keeps(const tls::ClientContext& context) const noexcept {
  return std::ranges::any_of(contexts_, [&](const auto& entry) { return entry.second.get() == &context; });
}

}  // namespace fairlead::net
