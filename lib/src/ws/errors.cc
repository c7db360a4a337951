// SPDX-License-Identifier: Apache-2.0
#include "ws/errors.h"

namespace fairlead::ws {

CloseCode close_code_for(Errc code) noexcept {
  switch (code) {
    case Errc::frame_reserved_bit:
    case Errc::frame_reserved_opcode:
    case Errc::frame_not_masked:
    case Errc::frame_masked:
    case Errc::frame_length_not_minimal:
    case Errc::frame_length_too_large:
    case Errc::control_frame_fragmented:
    case Errc::control_frame_too_long:
    case Errc::continuation_without_start:
    case Errc::message_interrupted:
    case Errc::close_frame_malformed:
    case Errc::close_code_invalid:
      return close_code::protocol_error;
    case Errc::invalid_utf8:
    case Errc::close_reason_not_utf8:
    case Errc::deflate_malformed:
      return close_code::invalid_payload;
    case Errc::too_many_fragments:
    case Errc::control_rate_exceeded:
    case Errc::message_rate_exceeded:
      return close_code::policy_violation;
    case Errc::frame_over_limit:
    case Errc::message_over_limit:
    case Errc::deflate_over_limit:
      return close_code::message_too_big;
    // The peer looks gone and so do we go: clients take 1001 as a reason to reconnect, not as a fault of theirs.
    case Errc::idle_timeout:
    case Errc::draining:
      return close_code::going_away;
    case Errc::outgoing_queue_full:
    case Errc::memory_budget_exceeded:
      return close_code::try_again_later;
    default:
      return close_code::internal_error;
  }
}

std::string_view sentence_for(Errc code) noexcept {
  switch (code) {
    case Errc::frame_reserved_bit:
      return "a reserved bit is set that no negotiated extension gives a meaning";
    case Errc::frame_reserved_opcode:
      return "the opcode is reserved";
    case Errc::frame_not_masked:
      return "a client must mask its frames";
    case Errc::frame_masked:
      return "a server must not mask its frames";
    case Errc::frame_length_not_minimal:
      return "the payload length is not encoded in the fewest bytes";
    case Errc::frame_length_too_large:
      return "the most significant bit of the payload length is set";
    case Errc::frame_over_limit:
      return "the frame is larger than the limit";
    case Errc::control_frame_fragmented:
      return "a control frame must not be fragmented";
    case Errc::control_frame_too_long:
      return "a control frame carries at most 125 bytes";
    case Errc::continuation_without_start:
      return "a continuation frame without a message to continue";
    case Errc::message_interrupted:
      return "a new message began before the fragmented one ended";
    case Errc::message_over_limit:
      return "the message is larger than the limit";
    case Errc::too_many_fragments:
      return "the message has too many fragments";
    case Errc::control_rate_exceeded:
      return "too many control frames per second";
    case Errc::message_rate_exceeded:
      return "too many messages per second";
    case Errc::invalid_utf8:
      return "the text is not UTF-8";
    case Errc::close_frame_malformed:
      return "the body of the close frame is one byte long";
    case Errc::close_code_invalid:
      return "the close code may not be sent";
    case Errc::close_reason_not_utf8:
      return "the close reason is not UTF-8";
    case Errc::deflate_malformed:
      return "the compressed data is malformed";
    case Errc::deflate_over_limit:
      return "the inflated message is larger than the limit";
    case Errc::idle_timeout:
      return "nothing was received for too long";
    case Errc::close_timeout:
      return "the close handshake was not finished in time";
    case Errc::outgoing_queue_full:
      return "the receiver is too slow: the outgoing queue is full";
    case Errc::memory_budget_exceeded:
      return "the server is short of memory";
    case Errc::unexpected_eof:
      return "the stream ended without a close frame";
    default:
      return "";
  }
}

}  // namespace fairlead::ws
