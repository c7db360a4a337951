// SPDX-License-Identifier: Apache-2.0
// Files of one directory over HTTP: enough for a web page and its assets, safe by construction.
#pragma once

#include <fairlead/error.h>
#include <fairlead/http.h>

#include <filesystem>
#include <memory>
#include <string>

namespace fairlead::net {

struct StaticFilesOptions {
  std::string index = "index.html";        // for a path that ends in '/'
  std::string cache_control = "no-cache";  // ask each time, answered by 304 while unchanged
  Headers headers;                         // with every answer: Content-Security-Policy and the like
};

// Serves GET and HEAD (RFC 9110): strong ETag, Last-Modified, If-None-Match, If-Modified-Since, one Range with
// If-Range. No directory listing, no name that begins with a dot, nothing outside of the root: the kernel itself
// resolves each path beneath the root's descriptor (openat2, RESOLVE_BENEATH, RESOLVE_NO_MAGICLINKS), so neither ".."
// nor a symbolic link leads out. Only regular files. Thread-safe; opens are blocking (local disks).
class StaticFiles {
 public:
  // Opens the directory. `system` when that fails.
  [[nodiscard]] static Result<StaticFiles> open(const std::filesystem::path& root, StaticFilesOptions options = {});

  // `request.path` is the path beneath the root (strip a mount prefix before).
  [[nodiscard]] Response serve(const Request& request) const;

 private:
  StaticFiles(std::shared_ptr<const int> root, StaticFilesOptions options);

  std::shared_ptr<const int> root_;
  StaticFilesOptions options_;
};

}  // namespace fairlead::net
