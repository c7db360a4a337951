// SPDX-License-Identifier: Apache-2.0
// The words that every file of this folder shares with the public header.
#pragma once

#include <fairlead/protocol.h>

namespace fairlead::ws {

using protocol::Compress;
using protocol::DeflateAgreement;
using protocol::Delivery;
using protocol::Role;
using protocol::Sent;

}  // namespace fairlead::ws
