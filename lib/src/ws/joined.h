// SPDX-License-Identifier: Apache-2.0
// Several shared messages as one block of frames, for receivers that get all of them.
#pragma once

#include <fairlead/shared_message.h>

#include <span>

namespace fairlead::ws {

// `messages`: at least one, none of them empty. The frame of the result is their frames, one behind the other, and its
// payload means nothing; it has no compressed form, even where the messages have one. For `Connection::send_joined`.
[[nodiscard]] SharedMessage join(std::span<const SharedMessage> messages);

}  // namespace fairlead::ws
