// SPDX-License-Identifier: Apache-2.0
#include "auth/rpc.h"

#include <algorithm>
#include <utility>

namespace fairlead::server {
namespace {

bool answers_anything(const RpcSettings& settings) {
  const auto on = [](const auto& one) { return one.second.proxy_enabled; };
  return settings.without_namespace.proxy_enabled || std::ranges::any_of(settings.namespaces, on);
}

}  // namespace

// An empty boundary in the settings switches namespaces off.
const RpcOptions* rpc_options_of(std::string_view method, const RpcSettings& settings) {
  const std::string& boundary = settings.namespace_boundary;
  const std::size_t at = boundary.empty() ? std::string_view::npos : method.find(boundary);
  if (at == std::string_view::npos) return &settings.without_namespace;
  const auto found = settings.namespaces.find(method.substr(0, at));
  return found == settings.namespaces.end() ? nullptr : &found->second;
}

void ask_rpc(const RpcSettings& settings, Backend* backend, RpcQuestion question, Judged<RpcAnswer> judged) {
  if (settings.ping_enabled && question.method == settings.ping_method) return judged(RpcAnswer{});
  if (backend == nullptr || !answers_anything(settings)) return judged(client_error::not_available);
  const RpcOptions* options = rpc_options_of(question.method, settings);
  if (options == nullptr) return judged(client_error::method_not_found);
  if (!options->proxy_enabled) return judged(client_error::not_available);
  backend->rpc(proxy_name(options->proxy_name, "rpc"), std::move(question), std::move(judged));
}

}  // namespace fairlead::server
