// SPDX-License-Identifier: Apache-2.0
#include "terminal.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <system_error>

namespace fairlead::cli {
namespace {

std::string_view code_of(Style style) {
  switch (style) {
    case Style::bold:
      return "\x1b[1m";
    case Style::dim:
      return "\x1b[2m";
    case Style::red:
      return "\x1b[31m";
    case Style::green:
      return "\x1b[32m";
    case Style::yellow:
      return "\x1b[33m";
    case Style::cyan:
      return "\x1b[36m";
    case Style::plain:
      break;
  }
  return {};
}

bool is_set(const char* variable) {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): the program never changes its environment.
  const char* value = std::getenv(variable);
  return value != nullptr && *value != '\0';
}

bool is_control(unsigned char c) { return (c < 0x20 && c != '\n' && c != '\t') || c == 0x7f; }

// U+0080–U+009F, the second set of control characters (CSI among them), is C2 80–C2 9F in UTF-8.
bool is_c1(std::string_view text, std::size_t at) {
  if (at + 1 >= text.size() || static_cast<unsigned char>(text[at]) != 0xc2) return false;
  const auto second = static_cast<unsigned char>(text[at + 1]);
  return second >= 0x80 && second <= 0x9f;
}

bool wait_until_writable(int descriptor) {
  pollfd one{.fd = descriptor, .events = POLLOUT, .revents = 0};
  return ::poll(&one, 1, -1) >= 0 || errno == EINTR;
}

}  // namespace

bool wants_colour(int descriptor) {
  if (::isatty(descriptor) == 0 || is_set("NO_COLOR")) return false;
  // NOLINTNEXTLINE(concurrency-mt-unsafe): the program never changes its environment.
  const char* term = std::getenv("TERM");
  return term != nullptr && std::string_view(term) != "dumb";
}

std::string styled(std::string_view text, Style style, bool colour) {
  if (!colour || style == Style::plain) return std::string(text);
  return fmt::format("{}{}\x1b[0m", code_of(style), text);
}

std::string harmless(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (is_control(c)) {
      out += fmt::format("\\x{:02x}", c);
    } else if (is_c1(text, i)) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[++i]));
    } else {
      out += text[i];
    }
  }
  return out;
}

bool write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      // Whoever shares the pipe or terminal with us may have made it non-blocking, for us as well.
      if (errno != EAGAIN || !wait_until_writable(descriptor)) return false;
      continue;
    }
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

bool print_text(std::string_view text) {
  if (write_all(STDOUT_FILENO, text)) return true;
  complain(fmt::format("cannot write the output: {}", std::generic_category().message(errno)));
  return false;
}

bool open_missing_streams() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(descriptor, F_GETFD) >= 0) continue;
    // The other way round, so that using it is an error; the lowest free number is the missing one.
    if (::open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY) != descriptor) return false;
  }
  return true;
}

void complain(std::string_view line) {
  const bool colour = wants_colour(STDERR_FILENO);
  const std::string text = fmt::format("{} {}\n", styled("fairlead:", Style::red, colour), line);
  (void)write_all(STDERR_FILENO, text);
}

}  // namespace fairlead::cli
