// SPDX-License-Identifier: Apache-2.0
// Most changes touch one place: what base and target have in common at both ends is copied first, and only the middle
// is searched, by the hashes of the base's blocks under a window that rolls over the target.
#include "protocol/centrifuge/fossil.h"

#include "model/utf8.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <vector>

namespace fairlead::server::fossil {

namespace {

constexpr std::string_view digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~";
constexpr std::size_t block_bytes = 16;       // the unit in which the base is indexed
constexpr std::size_t candidates_tried = 32;  // per place: bounds the work on repetitive input

void append_number(std::uint64_t value, std::string& out) {
  const std::size_t begin = out.size();
  do out.push_back(digits[value & 63U]);
  while ((value >>= 6U) != 0);
  std::reverse(out.begin() + static_cast<std::ptrdiff_t>(begin), out.end());
}

std::size_t digits_of(std::uint64_t value) noexcept {
  return std::max<std::size_t>(1, (static_cast<std::size_t>(std::bit_width(value)) + 5) / 6);
}

std::size_t common_prefix(std::string_view a, std::string_view b) noexcept {
  return static_cast<std::size_t>(std::ranges::mismatch(a, b).in1 - a.begin());
}

std::size_t common_suffix(std::string_view a, std::string_view b) noexcept {
  const std::size_t most = std::min(a.size(), b.size());
  std::size_t count = 0;
  while (count < most && a[a.size() - 1 - count] == b[b.size() - 1 - count]) ++count;
  return count;
}

// A hash of `block_bytes` bytes that is cheap to move on by one.
class RollingHash {
 public:
  explicit RollingHash(std::string_view window) noexcept {
    for (const char c : window.substr(0, block_bytes)) add(c);
  }
  void roll(char leaving, char entering) noexcept {
    value_ -= leaving_weight * weight(leaving);
    add(entering);
  }
  [[nodiscard]] std::uint32_t value() const noexcept { return value_ ^ (value_ >> 15U); }

 private:
  static constexpr std::uint32_t factor = 0x01000193;
  static constexpr std::uint32_t leaving_weight = [] {
    std::uint32_t product = 1;
    for (std::size_t index = 1; index < block_bytes; ++index) product *= factor;
    return product;
  }();
  static std::uint32_t weight(char c) noexcept { return static_cast<unsigned char>(c) + 1U; }
  void add(char c) noexcept { value_ = value_ * factor + weight(c); }

  std::uint32_t value_ = 0;
};

// Where the blocks of the base are, by their hash.
class BlockIndex {
 public:
  explicit BlockIndex(std::string_view base)
      : heads_(std::bit_ceil(base.size() / block_bytes + 1), none), next_(base.size() / block_bytes, none) {
    for (std::size_t block = 0; block < next_.size(); ++block) {
      auto& head = heads_[slot(RollingHash(base.substr(block * block_bytes)).value())];
      next_[block] = head;
      head = static_cast<std::uint32_t>(block);
    }
  }
  template <class Try>
  void each(std::uint32_t hash, Try&& attempt) const {
    std::size_t tries = candidates_tried;
    for (auto block = heads_[slot(hash)]; block != none && tries-- > 0; block = next_[block])
      attempt(std::size_t{block} * block_bytes);
  }

 private:
  static constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();
  [[nodiscard]] std::size_t slot(std::uint32_t hash) const noexcept { return hash & (heads_.size() - 1); }

  std::vector<std::uint32_t> heads_, next_;
};

struct Match {
  std::size_t base = 0, target = 0, size = 0;
};

class DeltaWriter {
 public:
  DeltaWriter(std::string_view base, std::string_view target, bool whole_characters)
      : base_(base), target_(target), whole_characters_(whole_characters) {}

  std::string write() {
    append_number(target_.size(), out_);
    out_.push_back('\n');
    const std::size_t prefix = common_prefix(base_, target_);
    const std::size_t suffix = common_suffix(base_.substr(prefix), target_.substr(prefix));
    copy({0, 0, prefix});
    search(target_.size() - suffix);
    copy({base_.size() - suffix, target_.size() - suffix, suffix});
    insert_until(target_.size());
    append_number(checksum(target_), out_);
    out_.push_back(';');
    return std::move(out_);
  }

 private:
  // Copies what of the match is worth it; tells whether that was anything.
  bool copy(Match match) {
    if (whole_characters_) align(match);
    const std::size_t gap = match.target - done_;
    const std::size_t cost = digits_of(match.size) + digits_of(match.base) + 2 + (gap > 0 ? digits_of(gap) + 1 : 0);
    if (match.size <= cost) return false;
    insert_until(match.target);
    append_number(match.size, out_);
    out_.push_back('@');
    append_number(match.base, out_);
    out_.push_back(',');
    done_ = match.target + match.size;
    return true;
  }

  // Gives up the parts of characters at both ends. The bytes are the same in base and target, so that whole characters
  // of one are whole characters of the other.
  void align(Match& match) const {
    while (match.size > 0 && is_continuation(target_[match.target])) ++match.base, ++match.target, --match.size;
    const auto cut = [&](std::string_view text, std::size_t at) {
      return at < text.size() && is_continuation(text[at]);
    };
    while (match.size > 0 && cut(target_, match.target + match.size)) --match.size;
  }

  void insert_until(std::size_t end) {
    if (end == done_) return;
    append_number(end - done_, out_);
    out_.push_back(':');
    out_ += target_.substr(done_, end - done_);
    done_ = end;
  }

  void search(std::size_t end) {
    if (end < done_ + block_bytes || base_.size() < block_bytes) return;
    const BlockIndex index(base_);
    std::size_t at = done_;
    RollingHash hash(target_.substr(at));
    while (at + block_bytes <= end) {
      if (copy(longest(index, hash.value(), at, end))) {
        at = done_;
        hash = RollingHash(target_.substr(at));
        continue;
      }
      if (at + block_bytes < end) hash.roll(target_[at], target_[at + block_bytes]);
      ++at;
    }
  }

  [[nodiscard]] Match longest(const BlockIndex& index, std::uint32_t hash, std::size_t at, std::size_t end) const {
    Match best{0, done_, 0};
    index.each(hash, [&](std::size_t block) {
      const std::size_t forward = common_prefix(base_.substr(block), target_.substr(at, end - at));
      if (forward < block_bytes) return;
      const std::size_t backward = common_suffix(base_.substr(0, block), target_.substr(done_, at - done_));
      if (forward + backward > best.size) best = {block - backward, at - backward, forward + backward};
    });
    return best;
  }

  std::string_view base_, target_;
  bool whole_characters_;
  std::size_t done_ = 0;  // bytes of the target that are written
  std::string out_;
};

class DeltaReader {
 public:
  DeltaReader(std::string_view base, std::string_view delta) : base_(base), rest_(delta) {}

  std::optional<std::string> read(std::size_t limit) {
    const auto size = number();
    if (!size || *size > limit || !take('\n')) return std::nullopt;
    std::string out;
    for (;;) {
      const auto value = number();
      if (!value || rest_.empty()) return std::nullopt;
      const char command = rest_.front();
      rest_.remove_prefix(1);
      if (command == ';') return ends_well(out, *size, *value) ? std::optional(std::move(out)) : std::nullopt;
      const auto piece = piece_of(command, *value);
      if (!piece || piece->size() > *size - out.size()) return std::nullopt;
      out += *piece;
    }
  }

 private:
  [[nodiscard]] bool ends_well(std::string_view out, std::uint64_t size, std::uint64_t sum) const {
    return rest_.empty() && out.size() == size && checksum(out) == sum;
  }

  std::optional<std::string_view> piece_of(char command, std::uint64_t count) {
    if (command == '@') {
      const auto offset = number();
      if (!offset || !take(',') || *offset > base_.size() || count > base_.size() - *offset) return std::nullopt;
      return base_.substr(*offset, count);
    }
    if (command != ':' || count > rest_.size()) return std::nullopt;
    const std::string_view piece = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return piece;
  }

  std::optional<std::uint64_t> number() {
    std::uint64_t value = 0;
    std::size_t count = 0;
    for (; count < rest_.size(); ++count) {
      const std::size_t digit = digits.find(rest_[count]);
      if (digit == std::string_view::npos) break;
      if (value >> 32U != 0) return std::nullopt;
      value = (value << 6U) | digit;
    }
    rest_.remove_prefix(count);
    return count > 0 ? std::optional(value) : std::nullopt;
  }

  bool take(char wanted) {
    if (!rest_.starts_with(wanted)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  std::string_view base_, rest_;
};

}  // namespace

std::uint32_t checksum(std::string_view bytes) noexcept {
  std::uint32_t sum = 0;
  for (std::size_t at = 0; at < bytes.size(); ++at)
    sum += static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[at])) << (24U - 8U * (at % 4));
  return sum;
}

std::string create(std::string_view base, std::string_view target) { return DeltaWriter(base, target, false).write(); }

std::optional<std::string> create_utf8(std::string_view base, std::string_view target) {
  if (!is_utf8(base) || !is_utf8(target)) return std::nullopt;
  std::string delta = DeltaWriter(base, target, true).write();
  if (delta.size() >= target.size()) return std::nullopt;
  return delta;
}

std::optional<std::string> apply(std::string_view base, std::string_view delta, std::size_t limit) {
  return DeltaReader(base, delta).read(limit);
}

}  // namespace fairlead::server::fossil
