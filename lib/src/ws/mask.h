// SPDX-License-Identifier: Apache-2.0
// Masking (RFC 6455 5.3): every octet is combined by XOR with the octet of the key at its index modulo 4. Masking and
// unmasking are the same thing.
#pragma once

#include <fairlead/bytes.h>

#include <array>
#include <cstddef>

namespace fairlead {
class Entropy;
}

namespace fairlead::ws {

using MaskKey = std::array<std::byte, 4>;

// RFC 6455 5.3: the key must be unpredictable; a fresh one for every frame.
[[nodiscard]] MaskKey fresh_mask_key(Entropy& entropy);

// Masks in place. `offset` is the index of the first byte within the frame's payload, for payloads in pieces.
void apply_mask(MutableBytes bytes, MaskKey key, std::size_t offset = 0) noexcept;

// Copies `from` to the front of `to`, masked.
void copy_masked(Bytes from, MutableBytes to, MaskKey key) noexcept;

}  // namespace fairlead::ws
