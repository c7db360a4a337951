// SPDX-License-Identifier: Apache-2.0
#include "log.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <condition_variable>
#include <csignal>
#include <mutex>
#include <thread>
#include <utility>

#include "json.h"
#include "terminal.h"

namespace fairlead::cli {
namespace {

std::string_view name_of(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return "debug";
    case LogLevel::info:
      return "info";
    case LogLevel::warning:
      return "warning";
    case LogLevel::error:
      break;
  }
  return "error";
}

Style style_of(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return Style::dim;
    case LogLevel::info:
      return Style::green;
    case LogLevel::warning:
      return Style::yellow;
    case LogLevel::error:
      break;
  }
  return Style::red;
}

// A line is one line, whatever it tells of.
std::string one_line(std::string_view text) {
  std::string line = harmless(text);
  for (std::size_t at = line.find('\n'); at != std::string::npos; at = line.find('\n', at))
    line.replace(at, 1, "\\x0a");
  return line;
}

struct Looks {
  LogFormat format = LogFormat::text;
  bool colour = false;
};

std::string line(std::chrono::system_clock::time_point now, LogLevel level, std::string_view text, Looks looks) {
  const auto since_1970 = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count();
  const std::string time = fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z",
                                       fmt::gmtime(static_cast<std::time_t>(since_1970 / 1000)), since_1970 % 1000);
  if (looks.format == LogFormat::json) {
    JsonWriter json;
    json.open('{').member("time", time).member("level", name_of(level)).member("message", text);
    return json.close('}').text() + "\n";
  }
  return fmt::format("{} {} {}\n", time, styled(name_of(level), style_of(level), looks.colour), one_line(text));
}

}  // namespace

std::string log_line(std::chrono::system_clock::time_point now, LogLevel level, std::string_view text,
                     LogFormat format) {
  return line(now, level, text, {.format = format, .colour = false});
}

struct LogWriter::State {
  std::mutex mutex;
  std::condition_variable changed;
  std::string waiting;
  std::size_t dropped = 0;  // since the last line that said so
  bool writing = false;
  bool ending = false;

  int descriptor = -1;
  std::size_t queue_bytes = 0;
  Looks looks;

  void run();
  [[nodiscard]] std::string take();
};

LogWriter::LogWriter(int descriptor, std::size_t queue_bytes, LogFormat format) : state_(std::make_shared<State>()) {
  state_->descriptor = descriptor;
  state_->queue_bytes = queue_bytes;
  state_->looks = {.format = format, .colour = wants_colour(descriptor)};
  // Signals are for the threads that wait for them: this one inherits that all are blocked.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread([state = state_] { state->run(); }).detach();
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

LogWriter::~LogWriter() {
  std::unique_lock lock(state_->mutex);
  state_->ending = true;
  state_->changed.notify_all();
  state_->changed.wait_for(lock, farewell, [this] { return state_->waiting.empty() && !state_->writing; });
}

void LogWriter::add(LogLevel level, std::string_view text, std::chrono::system_clock::time_point now) {
  const std::string whole = line(now, level, text, state_->looks);
  const std::lock_guard lock(state_->mutex);
  if (state_->waiting.size() + whole.size() > state_->queue_bytes) {
    ++state_->dropped;
    return;
  }
  state_->waiting += whole;
  state_->changed.notify_all();
}

void LogWriter::State::run() {
  for (std::string lines = take(); !lines.empty(); lines = take()) (void)write_all(descriptor, lines);
}

// What there is to write, empty at the end. That lines are missing is said where they are missing.
std::string LogWriter::State::take() {
  std::unique_lock lock(mutex);
  writing = false;
  changed.notify_all();
  changed.wait(lock, [this] { return ending || !waiting.empty(); });
  writing = !waiting.empty();
  std::string lines = std::exchange(waiting, {});
  if (dropped != 0 && writing) {
    const std::string count = fmt::format("{} log lines dropped: their reader was too slow", std::exchange(dropped, 0));
    lines += line(std::chrono::system_clock::now(), LogLevel::warning, count, looks);
  }
  return lines;
}

LogSink log_to_stderr(LogLevel least, LogFormat format) {
  auto writer = std::make_shared<LogWriter>(STDERR_FILENO, LogWriter::default_queue_bytes, format);
  return [least, writer = std::move(writer)](LogLevel level, std::string_view text) {
    if (level >= least) writer->add(level, text, std::chrono::system_clock::now());
  };
}

}  // namespace fairlead::cli
