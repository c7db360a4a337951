// SPDX-License-Identifier: Apache-2.0
#include "tls/record/sealer.h"

#include <openssl/crypto.h>

#include <array>

#include "base/assert.h"

namespace fairlead::tls::record {
namespace {

// RFC 8446 5.2: opaque_type application_data, legacy_record_version 0x0303.
std::array<std::byte, header_bytes> header_for(std::size_t sealed_bytes) {
  return {static_cast<std::byte>(ContentType::application_data), std::byte{3}, std::byte{3},
          static_cast<std::byte>(sealed_bytes >> 8U), static_cast<std::byte>(sealed_bytes & 0xffU)};
}

}  // namespace

void Direction::update(KeyCache& cache) {
  cache.forget(id);
  keys.update();
  sequence = 0;
  id = cache.next_id();
}

void Sealer::seal(KeyCache& cache, ContentType type, Bytes content, Buffer& out) {
  FAIRLEAD_ASSERT(content.size() <= content_limit_bytes && records_left_ > 0 && !direction_.exhausted());
  const std::size_t sealed_bytes = content.size() + 1 + tag_bytes;
  const auto header = header_for(sealed_bytes);
  const MutableBytes place = out.prepare(header_bytes + sealed_bytes);
  std::ranges::copy(header, place.begin());
  ExpandedKey& key = cache.find(direction_.id, Use::seal, direction_.keys);
  key.seal(direction_.keys.nonce(direction_.sequence), header, content, static_cast<std::byte>(type),
           place.data() + header_bytes);
  out.commit(header_bytes + sealed_bytes);
  ++direction_.sequence;
  --records_left_;
}

void Sealer::update(KeyCache& cache) {
  direction_.update(cache);
  records_left_ = records_each_key_;
}

std::size_t Opener::opened_bytes(Bytes record) noexcept {
  const std::size_t sealed = record.size() - header_bytes;
  return sealed < tag_bytes ? 0 : sealed - tag_bytes;
}

std::expected<Opener::Content, Fault> Opener::open(KeyCache& cache, Bytes record, MutableBytes out) {
  const Bytes sealed = record.subspan(header_bytes);
  const std::size_t inner_bytes = opened_bytes(record);
  FAIRLEAD_ASSERT(out.size() >= inner_bytes);
  if (direction_.exhausted()) return std::unexpected(Fault{Alert::internal_error, "the sequence number would wrap"});
  ExpandedKey& key = cache.find(direction_.id, Use::open, direction_.keys);
  // The header is authenticated as it came.
  if (sealed.size() < tag_bytes ||
      !key.open(direction_.keys.nonce(direction_.sequence), record.first(header_bytes), sealed, out.data())) {
    return std::unexpected(Fault{Alert::bad_record_mac, "a record was forged or damaged (bad_record_mac)"});
  }
  ++direction_.sequence;
  const auto at = find_type(out.first(inner_bytes));
  // RFC 8446 5.4: without a non-zero byte, unexpected_message.
  if (!at) return std::unexpected(Fault{Alert::unexpected_message, "a record holds padding alone"});
  return Content{.type = static_cast<ContentType>(out[*at]), .bytes = *at};
}

}  // namespace fairlead::tls::record
