// SPDX-License-Identifier: Apache-2.0
#include "net/static_files.h"

#include "http1/conditions.h"
#include "http1/http_date.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

namespace fairlead::net {
namespace {

// A descriptor until somebody takes it over.
class Descriptor {
 public:
  explicit Descriptor(int descriptor) noexcept : descriptor_(descriptor) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  [[nodiscard]] bool valid() const noexcept { return descriptor_ >= 0; }
  [[nodiscard]] int value() const noexcept { return descriptor_; }
  [[nodiscard]] int release() noexcept { return std::exchange(descriptor_, -1); }

 private:
  int descriptor_;
};

constexpr int open_tries = 8;  // a rename that races with one is over by the next

// The kernel resolves the whole path beneath the root: "..", absolute links and links that lead out end in EXDEV, and
// nobody can swap a directory for a link between a check and the open, since there is no check. O_NONBLOCK: a FIFO or a
// device must not hold the loop before fstat finds it out.
int open_beneath(int root, const std::string& path) noexcept {
  open_how how{};
  how.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  int descriptor = -1;
  for (int tries = 0; tries < open_tries; ++tries) {
    descriptor = static_cast<int>(::syscall(SYS_openat2, root, path.c_str(), &how, sizeof how));
    // openat2(2): EAGAIN is the kernel's answer when a rename elsewhere raced with RESOLVE_BENEATH; but also, as long
    // as that lasts, when another process has a lease on the file.
    if (descriptor >= 0 || (errno != EINTR && errno != EAGAIN)) break;
  }
  return descriptor;
}

bool has_hidden_segment(std::string_view path) { return path.find("/.") != std::string_view::npos; }

// The path below the root, without its first slash; nullopt when nothing of that name is ever served.
std::optional<std::string> relative_path(const Request& request, const StaticFilesOptions& options) {
  const std::string_view path = request.path;
  if (!path.starts_with('/') || path.starts_with("//") || has_hidden_segment(path)) return std::nullopt;
  std::string relative(path.substr(1));
  if (path.ends_with('/')) relative += options.index;
  return relative;
}

http1::FileFacts facts_of(const struct stat& status) {
  char etag[80];  // NOLINT(modernize-avoid-c-arrays): four numbers of at most 16 digits
  // The inode tells a replaced file from the old one, the time and the size one that was written in place.
  const int length = std::snprintf(
      etag, sizeof etag, "\"%llx-%llx.%llx-%llx\"", static_cast<unsigned long long>(status.st_ino),
      static_cast<unsigned long long>(status.st_mtim.tv_sec), static_cast<unsigned long long>(status.st_mtim.tv_nsec),
      static_cast<unsigned long long>(status.st_size));
  return {.size_bytes = static_cast<std::uint64_t>(status.st_size),
          .modified = std::chrono::sys_seconds(std::chrono::seconds(status.st_mtim.tv_sec)),
          .etag = std::string(etag, static_cast<std::size_t>(length))};
}

// A directory's name without its slash: its page's relative links need the slash.
Response redirect_to_directory(const Request& request) {
  // The raw path, so that what was encoded stays encoded; a second slash in front would name another host.
  const auto raw = std::string_view(request.target).substr(0, request.target.find('?'));
  if (!raw.starts_with('/') || raw.starts_with("//")) return Response::text(404, "not found\n");
  return Response::redirect(std::string(raw) + "/" + (request.query.empty() ? "" : "?" + request.query));
}

Response file_response(const Request& request, Descriptor file, const struct stat& status, std::string_view name,
                       const std::string& cache_control) {
  const auto facts = facts_of(status);
  const auto answer = http1::evaluate_conditions(request, facts);
  Response response = Response::empty(answer.status);
  auto& headers = response.headers;
  headers.add("ETag", facts.etag);
  headers.add("Last-Modified", http1::format_http_date(facts.modified));
  headers.add("Cache-Control", cache_control);
  headers.add("Accept-Ranges", "bytes");
  if (answer.status == 206 || answer.status == 416) headers.add("Content-Range", content_range(answer, facts));
  if (answer.status != 200 && answer.status != 206) return response;
  headers.add("Content-Type", http1::media_type(name));
  response.file.emplace(file.release(), answer.offset, answer.length_bytes);
  return response;
}

Response serve_path(int root, const Request& request, const StaticFilesOptions& options) {
  // RFC 9110 15.5.6: a 405 MUST list the methods that are allowed.
  if (request.method != "GET" && request.method != "HEAD") {
    Response refused = Response::text(405, "only GET and HEAD\n");
    refused.headers.add("Allow", "GET, HEAD");
    return refused;
  }
  const auto path = relative_path(request, options);
  if (!path) return Response::text(404, "not found\n");
  Descriptor file(open_beneath(root, *path));
  struct stat status{};
  // Whatever the reason is, outside it is the same: nothing tells what exists beyond the root or is not readable.
  if (!file.valid() || ::fstat(file.value(), &status) != 0) return Response::text(404, "not found\n");
  if (S_ISDIR(status.st_mode) && !request.path.ends_with('/')) return redirect_to_directory(request);
  if (!S_ISREG(status.st_mode)) return Response::text(404, "not found\n");
  return file_response(request, Descriptor(file.release()), status, *path, options.cache_control);
}

}  // namespace

Result<StaticFiles> StaticFiles::open(const std::filesystem::path& root, StaticFilesOptions options) {
  const int descriptor = ::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return fail(Errc::system, "cannot open the directory: " + std::system_category().message(errno));
  std::shared_ptr<const int> owned(new int(descriptor), [](const int* held) {
    ::close(*held);
    delete held;
  });
  return StaticFiles(std::move(owned), std::move(options));
}

StaticFiles::StaticFiles(std::shared_ptr<const int> root, StaticFilesOptions options)
    : root_(std::move(root)), options_(std::move(options)) {}

Response StaticFiles::serve(const Request& request) const {
  Response response = serve_path(*root_, request, options_);
  response.headers.set("X-Content-Type-Options", "nosniff");
  for (const auto& [name, value] : options_.headers) response.headers.set(name, value);
  return response;
}

}  // namespace fairlead::net
