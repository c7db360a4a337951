// SPDX-License-Identifier: Apache-2.0
// Which engine a name means.
#pragma once

#include "broker/engine.h"
#include "config/settings.h"
#include "model/done.h"

#include <memory>

namespace fairlead::server {

[[nodiscard]] Outcome<std::unique_ptr<Engine>> make_engine(const EngineSettings& settings);

}  // namespace fairlead::server
