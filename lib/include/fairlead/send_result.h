// SPDX-License-Identifier: Apache-2.0
// What became of something that was given to be sent: the one answer of connections, their handles and streamed
// answers.
#pragma once

#include <cstdint>

namespace fairlead {

// What became of a message, at once.
enum class SendResult : std::uint8_t {
  sent,        // it leaves with this turn of the loop: nothing was waiting before it
  queued,      // it waits behind bytes that the peer has not taken yet, or behind a streamed message that is open
  over_limit,  // dropped: `Limits::outgoing_queue_bytes` and its policy
  closed,      // the connection is closed or closing: nothing will be sent
  invalid,     // a mistake of the caller, nothing was sent: text that is not UTF-8, a ping over 125 bytes, a
               // close code that may not be sent
};

}  // namespace fairlead
