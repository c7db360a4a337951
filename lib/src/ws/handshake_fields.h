// SPDX-License-Identifier: Apache-2.0
// What both halves of the opening handshake share.
#pragma once

#include "text/tokens.h"

#include <fairlead/error.h>
#include <fairlead/http.h>

#include <string>
#include <string_view>
#include <vector>

namespace fairlead::ws {

// Sec-WebSocket-Accept for a key: base64 of the SHA-1 of the key and the protocol's GUID (RFC 6455 4.2.2, 1.3).
[[nodiscard]] std::string accept_value(std::string_view key);

// Fields that only the handshake itself may write.
[[nodiscard]] bool is_handshake_field(std::string_view name) noexcept;

// Whether any field of that name lists the token, without case.
[[nodiscard]] bool any_lists(const Headers& headers, std::string_view name, std::string_view token);

// All elements of Sec-WebSocket-Extensions, which may be split over several fields (RFC 6455 9.1). Views point into
// `headers`. handshake_bad_extension when the grammar is broken.
[[nodiscard]] Result<std::vector<text::ExtensionElement>> read_extensions(const Headers& headers);

}  // namespace fairlead::ws
