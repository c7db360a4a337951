// SPDX-License-Identifier: Apache-2.0
// Connections that all get the same messages: the people in a room, the subscribers of a topic, the players of a match.
#pragma once

#include <fairlead/send_result.h>
#include <fairlead/shared_message.h>

#include <cstddef>
#include <memory>
#include <string_view>

namespace fairlead {

class Connection;

namespace net {
class GroupState;
}  // namespace net

// A message is framed once, for all members on all loops. On each loop they get it at the end of its turn, some
// connections at a time, with looks at other sockets in between; who is reached late gets what has come meanwhile along
// with it, in the same TLS record. So a busy group costs a member one write for many messages.
//
// Order: what one thread sends to a group reaches each member in that order (as long as it sends either inside calls of
// its loop or outside of them: from there a message takes a detour). A member's own messages
// (`Connection::send`, `send_chunk`, `close`) keep their place among those that its loop had by then. Between two
// groups there is none. To each member Limits::outgoing_queue_bytes and its policy apply, as if each message had been
// sent to it alone.
//
// Copies name the same group. When the last one has gone, what was sent is still handed out, and nobody is a member any
// more. It may outlive servers and loops.
class Group {
 public:
  // So much may wait by default: thousands of messages while a loop is held up for some milliseconds, and little beside
  // its connections, since the memory budget does not count it.
  static constexpr std::size_t default_waiting_bytes = std::size_t{4} * 1024 * 1024;

  Group();
  // `waiting_bytes`: of the messages that the members of one loop have not all been given yet; each counts with 128
  // bytes more than its payload, and a single one of any size may wait alone.
  explicit Group(std::size_t waiting_bytes);
  Group(const Group&) = default;  // moving copies, too: each object names a group
  Group& operator=(const Group&) = default;
  ~Group() = default;

  // On the loop of the connection. It gets what is sent from now on, and leaves by itself when it closes. False: it has
  // closed already, or this is not its loop. To add a member again changes nothing.
  bool add(Connection& ws);
  // On the loop of the connection. What the loop had for it is sent first. False: it was no member, or this is not its
  // loop.
  bool remove(Connection& ws);

  // Any thread. `queued`; `closed`: there are no members, or their loops have ended; `invalid`: an empty message, such
  // as text that is not UTF-8. `over_limit`: more than `waiting_bytes` is on its way to one of the loops, whose members
  // do not get this message; those of the others do. On the members' own loop what waits is handed out first, so a
  // sender there sees that only inside calls that a member's new room, or its end, has brought about.
  SendResult send(const SharedMessage& message);
  SendResult send(std::string_view text) { return send(SharedMessage::text(text)); }

  // Any thread; members that come and go meanwhile may count or not.
  [[nodiscard]] std::size_t size() const noexcept;

  friend bool operator==(const Group&, const Group&) = default;

 private:
  std::shared_ptr<net::GroupState> state_;
};

}  // namespace fairlead
