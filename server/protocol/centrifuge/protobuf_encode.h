// SPDX-License-Identifier: Apache-2.0
// Messages to Protobuf clients, each with its length before it.
#pragma once

#include "hub/delivery.h"
#include "model/command.h"

#include <string>

namespace fairlead::server::centrifuge {

// Each appends one length and message.
void encode_protobuf(const Reply& reply, std::string& out);
void encode_protobuf(const Push& push, Envelope envelope, std::string& out);
void encode_protobuf(const Delivery& delivery, const WireForm& form, std::string& out);

}  // namespace fairlead::server::centrifuge
