// SPDX-License-Identifier: Apache-2.0
// How an answer that may take a while comes back: a call that is made exactly once.
#pragma once

#include "model/fault.h"

#include <expected>
#include <functional>

namespace fairlead::server {

template <class T>
using Outcome = std::expected<T, Fault>;

// Called exactly once. On which thread, and whether perhaps before the asking call has returned, the interface says.
template <class T>
using Done = std::function<void(Outcome<T>)>;

}  // namespace fairlead::server
