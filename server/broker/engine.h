// SPDX-License-Identifier: Apache-2.0
// One engine: the three things that one place keeps. Made by the composition root alone.
#pragma once

#include "broker/broker.h"
#include "broker/event_log.h"
#include "broker/store.h"

#include <memory>
#include <string>

namespace fairlead::server {

class Engine {
 public:
  virtual ~Engine() = default;
  virtual Broker& broker() noexcept = 0;
  virtual EventLog& events() noexcept = 0;
  virtual Store& store() noexcept = 0;
};

}  // namespace fairlead::server
