// SPDX-License-Identifier: Apache-2.0
// Which engine a name means.
#pragma once

#include "broker/engine.h"
#include "config/settings.h"
#include "model/done.h"

#include <functional>
#include <memory>

namespace fairlead::server {

// `failed`: the engine could not do what it was asked, once for each call; on any thread, as long as the engine lives.
[[nodiscard]] Outcome<std::unique_ptr<Engine>> make_engine(const EngineSettings& settings,
                                                           std::function<void(const Fault&)> failed);

}  // namespace fairlead::server
