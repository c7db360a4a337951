// SPDX-License-Identifier: Apache-2.0
// Who answers a call of a client or of the API: the server itself, a backend, or nobody. A method "users:find" belongs
// to the namespace "users" of `rpc.namespaces`, one without ':' to `rpc.without_namespace`.
#pragma once

#include "auth/backend.h"
#include "auth/settings.h"

#include <string_view>

namespace fairlead::server {

// Null: a namespace that there is not.
[[nodiscard]] const RpcOptions* rpc_options_of(std::string_view method, const RpcSettings& settings);

// 108 where nothing answers calls, or none of this namespace; 104 for a method of an unknown namespace.
void ask_rpc(const RpcSettings& settings, Backend* backend, RpcQuestion question, Judged<RpcAnswer> judged);

}  // namespace fairlead::server
