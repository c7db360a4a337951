// SPDX-License-Identifier: Apache-2.0
#include "tls/record/reader.h"

#include <algorithm>

#include "base/assert.h"
#include "tls/record/sealer.h"

namespace fairlead::tls::record {
namespace {

// How long the record is that begins with these five bytes.
std::expected<std::size_t, Fault> record_bytes(Bytes head) {
  // RFC 8446 5: after the handshake everything is protected; change_cipher_spec has had its time.
  if (head[0] != static_cast<std::byte>(ContentType::application_data)) {
    return std::unexpected(Fault{Alert::unexpected_message, "a record is not protected"});
  }
  if (head[1] != std::byte{3} || head[2] != std::byte{3}) {
    return std::unexpected(Fault{Alert::protocol_version, "a record is of another version"});
  }
  const std::size_t sealed = std::to_integer<std::size_t>(head[3]) << 8U | std::to_integer<std::size_t>(head[4]);
  // RFC 8446 5.2 and 5.4: refused by its header, before it is waited for.
  if (sealed > sealed_limit_bytes) {
    return std::unexpected(Fault{Alert::record_overflow, "a record is longer than 2^14 bytes of content"});
  }
  return header_bytes + sealed;
}

}  // namespace

void Reader::receive(Bytes stream) {
  FAIRLEAD_ASSERT(unread_.empty());
  unread_ = stream;
}

void Reader::retain() {
  if (unread_.empty()) return;
  if (kept_ == nullptr) kept_ = std::make_unique<Buffer>();
  kept_->append(unread_);
  unread_ = {};
}

// Moves bytes of the caller behind the kept ones until these are as many; false when there are not enough.
bool Reader::keep_up_to(std::size_t bytes) {
  if (kept_->size() >= bytes) return true;
  const std::size_t moved = std::min(bytes - kept_->size(), unread_.size());
  kept_->append(unread_.first(moved));
  unread_ = unread_.subspan(moved);
  return kept_->size() >= bytes;
}

std::expected<std::optional<Bytes>, Fault> Reader::next() {
  if (kept_ != nullptr && !keep_up_to(header_bytes)) return std::nullopt;
  const Bytes head = kept_ != nullptr ? kept_->readable() : unread_;
  if (head.size() < header_bytes) return keep_rest();
  const auto size = record_bytes(head);
  if (!size) return std::unexpected(size.error());
  if (kept_ == nullptr && unread_.size() < *size) return keep_rest();
  if (kept_ == nullptr) return unread_.first(*size);
  if (!keep_up_to(*size)) return std::nullopt;
  return std::as_const(*kept_).readable().first(*size);
}

// The caller may use its buffer again.
std::nullopt_t Reader::keep_rest() {
  retain();
  return std::nullopt;
}

void Reader::advance() {
  const Bytes head = kept_ != nullptr ? kept_->readable() : unread_;
  const std::size_t size = record_bytes(head).value();
  if (kept_ == nullptr) {
    unread_ = unread_.subspan(size);
    return;
  }
  kept_->consume(size);
  if (kept_->empty()) kept_.reset();
}

void Reader::clear() noexcept {
  unread_ = {};
  kept_.reset();
}

std::unique_ptr<Buffer> Reader::take_all() {
  retain();
  return std::move(kept_);
}

}  // namespace fairlead::tls::record
