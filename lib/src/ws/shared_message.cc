// SPDX-License-Identifier: Apache-2.0
#include <fairlead/shared_message.h>

#include "base/buffer.h"
#include "text/utf8.h"
#include "ws/deflate.h"
#include "ws/frame.h"
#include "ws/joined.h"

#include <cstring>
#include <memory>
#include <utility>
#include <vector>

namespace fairlead {
namespace {

constexpr int once_level = 6;  // paid once for all receivers
constexpr int once_window_bits = 15;

std::vector<std::byte> frame_of(MessageKind kind, Bytes payload, bool compressed) {
  const ws::FrameHeader header{.payload_bytes = payload.size(),
                               .mask = {},
                               .opcode = kind == MessageKind::text ? ws::Opcode::text : ws::Opcode::binary,
                               .fin = true,
                               .rsv1 = compressed};
  const std::size_t head = ws::header_bytes(payload.size(), false);
  std::vector<std::byte> frame(head + payload.size());
  ws::write_frame_header(header, frame);
  if (!payload.empty()) std::memcpy(frame.data() + head, payload.data(), payload.size());
  return frame;
}

}  // namespace

struct SharedMessage::Block {
  MessageKind kind = MessageKind::text;
  std::size_t payload_bytes = 0;
  std::vector<std::byte> frame;
  std::vector<std::byte> compressed_frame;
};

SharedMessage::SharedMessage(MessageKind kind, Bytes payload, Compression compression) {
  if (kind == MessageKind::text && !text::is_utf8(payload)) return;
  Block block{
      .kind = kind, .payload_bytes = payload.size(), .frame = frame_of(kind, payload, false), .compressed_frame = {}};
  if (compression == Compression::once) {
    Buffer compressed;
    ws::Deflater(once_level, once_window_bits).compress(payload, true, compressed);
    if (compressed.size() < payload.size()) block.compressed_frame = frame_of(kind, compressed.readable(), true);
  }
  block_ = std::make_shared<const Block>(std::move(block));
}

SharedMessage ws::join(std::span<const SharedMessage> messages) {
  SharedMessage::Block block{.kind = messages.front().kind(), .payload_bytes = 0, .frame = {}, .compressed_frame = {}};
  std::size_t size = 0;
  for (const SharedMessage& message : messages) size += message.frame().size();
  block.frame.reserve(size);
  for (const SharedMessage& message : messages) {
    const Bytes frame = message.frame();
    block.frame.insert(block.frame.end(), frame.begin(), frame.end());
  }
  SharedMessage joined;
  joined.block_ = std::make_shared<const SharedMessage::Block>(std::move(block));
  return joined;
}

MessageKind SharedMessage::kind() const noexcept { return block_ == nullptr ? MessageKind::text : block_->kind; }

Bytes SharedMessage::payload() const noexcept {
  return block_ == nullptr ? Bytes() : Bytes(block_->frame).last(block_->payload_bytes);
}

Bytes SharedMessage::frame() const noexcept { return block_ == nullptr ? Bytes() : Bytes(block_->frame); }

Bytes SharedMessage::compressed_frame() const noexcept {
  return block_ == nullptr ? Bytes() : Bytes(block_->compressed_frame);
}

}  // namespace fairlead
