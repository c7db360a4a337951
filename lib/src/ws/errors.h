// SPDX-License-Identifier: Apache-2.0
// The one place that says with which close code a broken rule ends a connection (RFC 6455 7.4.1).
#pragma once

#include <fairlead/close.h>
#include <fairlead/error.h>

#include <string_view>

namespace fairlead::ws {

[[nodiscard]] CloseCode close_code_for(Errc code) noexcept;

// A sentence of at most 123 bytes for the close frame and the log. It never quotes what the peer sent.
[[nodiscard]] std::string_view sentence_for(Errc code) noexcept;

}  // namespace fairlead::ws
