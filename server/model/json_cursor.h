// SPDX-License-Identifier: Apache-2.0
// Walks once through JSON text (RFC 8259) from left to right, checks all of it and builds nothing but what is asked
// for. The text must be UTF-8; that is checked by the caller, for the whole frame at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fairlead::server {

// Every call reads one value at the place where the cursor stands and says whether it was valid and of the wanted type.
// After a false the cursor is of no more use.
class JsonCursor {
 public:
  JsonCursor(std::string_view text, std::size_t depth_limit) noexcept : text_(text), depth_left_(depth_limit) {}

  [[nodiscard]] bool skip();                            // any value
  [[nodiscard]] std::optional<std::string_view> raw();  // any value, as it is written
  [[nodiscard]] bool string(std::string& out);          // replaces `out`
  [[nodiscard]] bool boolean(bool& out);
  [[nodiscard]] bool integer(std::uint64_t& out);  // no fraction, no exponent
  [[nodiscard]] bool integer(std::int64_t& out);
  // Reads null when it is next; any other value is left to the next call.
  [[nodiscard]] bool null();

  // `member(key)` must read the member's value; `item()` the item. False from them ends the walk.
  template <class Member>
  [[nodiscard]] bool object(Member&& member);
  template <class Item>
  [[nodiscard]] bool array(Item&& item);

  // Only space is left.
  [[nodiscard]] bool at_end();

 private:
  enum class Next : std::uint8_t { entry, end, broken };

  void space() noexcept;
  bool take(char wanted) noexcept;
  bool word(std::string_view wanted) noexcept;
  bool number();
  bool digits() noexcept;
  bool quoted();  // skips a string
  bool escape(std::string* out);
  std::optional<std::uint32_t> hex4() noexcept;
  bool unicode_escape(std::string* out);
  bool key(std::string_view& out, std::string& storage);
  bool open(char bracket) noexcept;
  Next next(bool first, char end) noexcept;
  template <class Entry>
  bool walk(char begin, char end, Entry&& entry);

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t depth_left_;
};

template <class Entry>
bool JsonCursor::walk(char begin, char end, Entry&& entry) {
  if (!open(begin)) return false;
  for (bool first = true;; first = false) {
    const Next what = next(first, end);
    if (what != Next::entry) return what == Next::end;
    if (!entry()) return false;
  }
}

template <class Member>
bool JsonCursor::object(Member&& member) {
  return walk('{', '}', [&] {
    std::string storage;
    std::string_view name;
    return key(name, storage) && take(':') && member(name);
  });
}

template <class Item>
bool JsonCursor::array(Item&& item) {
  return walk('[', ']', item);
}

}  // namespace fairlead::server
