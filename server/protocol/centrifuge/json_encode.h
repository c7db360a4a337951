// SPDX-License-Identifier: Apache-2.0
// Messages to JSON clients: compact objects without a line break, zero values left out, the field of a result always
// there.
#pragma once

#include "hub/delivery.h"
#include "model/command.h"

#include <string>

namespace fairlead::server::centrifuge {

// Each appends one object.
void encode_json(const Reply& reply, std::string& out);
void encode_json(const Push& push, Envelope envelope, std::string& out);
void encode_json(const Delivery& delivery, const WireForm& form, std::string& out);

}  // namespace fairlead::server::centrifuge
