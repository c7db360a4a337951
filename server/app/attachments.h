// SPDX-License-Identifier: Apache-2.0
// Pictures that belong to messages and are too large for a frame: a client hands them to the backend, and gets them
// from it, through the server's own port.
//
//   POST <prefix>       the bytes as the body                → 201, the backend's answer (JSON that names the picture)
//   GET  <prefix>/<id>  → 200, the bytes, which may be kept for ever; 404 when the backend has no such picture
//
// `Authorization: Bearer <token>` is the token that a client connects with: who may not connect, has no name, or was
// revoked is refused here, too. What is kept where is the backend's business. It is asked as for any rpc, signed and
// with the same breaker: by the method "attachments.put" with the bytes ("b64data"), and by "attachments.get" with
// {"id":"…"}, which it answers with the bytes, or with no data for a picture that there is not.
//
// A picture is what begins like one (model/media_type.h), on its way in and on its way out; nothing else is ever
// served. Refusals are {"error":{"code":…,"message":"…"}}.
#pragma once

#include "api/settings.h"
#include "auth/gatekeeper.h"
#include "transport/origins.h"

#include <fairlead/server.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

namespace fairlead::server {

struct AttachmentEnvironment {
  std::function<std::shared_ptr<Gatekeeper>()> gatekeeper;  // of the loop that calls
  Backend* backend = nullptr;                               // outlives the server
  // What is answered to a page that may not ask and to OPTIONS; and the fields that let a page read the answer (CORS).
  std::function<std::optional<Response>(const Request&, std::string_view methods)> refuse;
  std::function<void(const Request&, Headers&)> add_cors;
};
// Before `listen`; nothing unless it is enabled.
void add_attachments(Server& server, const AttachmentSettings& settings, AttachmentEnvironment environment);

// The longest answer of a backend that sends the largest picture.
[[nodiscard]] std::size_t attachment_answer_bytes(const AttachmentSettings& settings) noexcept;

}  // namespace fairlead::server
