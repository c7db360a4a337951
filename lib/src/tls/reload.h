// SPDX-License-Identifier: Apache-2.0
// Certificates that change while the server runs: the snapshot that new connections use, and when to make a new one.
#pragma once

#include <fairlead/error.h>
#include <fairlead/time.h>
#include <fairlead/tls.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "tls/context.h"

namespace fairlead::tls {

// Says when one of some files became another one: by device, inode, size and time of change, so that a rename over the
// file, a rewrite, and a symbolic link that moves (as certbot and Kubernetes do) are all seen.
class FileWatch {
 public:
  explicit FileWatch(const std::vector<std::string>& paths = {});

  // True once for each change since the last call (or the construction). Only stat, no read.
  [[nodiscard]] bool changed();

 private:
  struct Stamp {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::int64_t size = -1;  // -1: the file cannot be looked at
    std::int64_t changed_ns = 0;
    friend bool operator==(const Stamp&, const Stamp&) = default;
  };
  static Stamp look(const std::string& path);

  std::vector<std::string> paths_;
  std::vector<Stamp> stamps_;
};

// The current server context. New handshakes use the new snapshot, open connections keep theirs; a replacement that
// does not hold is refused as a whole, and the old one stays. Thread-safe.
class ReloadableContext {
 public:
  [[nodiscard]] static Result<std::unique_ptr<ReloadableContext>> open(Tls options);

  // Ask for each new connection (a lock and a count); or keep it per loop and ask again after a reload.
  [[nodiscard]] std::shared_ptr<const ServerContext> current() const;

  // Reads the same files again.
  [[nodiscard]] Result<void> reload();
  // Another set of options. Ticket keys are kept.
  [[nodiscard]] Result<void> replace(Tls options);
  // For a timer (options.watch_interval): reloads when a file has changed, or when the development certificate is due
  // for renewal (with a third of its life left, so no client ever meets an expired one); false: nothing to do. A broken
  // file is reported once, not on each look; a renewal that fails is tried again in an hour.
  [[nodiscard]] Result<bool> reload_if_changed(
      std::chrono::system_clock::time_point now = std::chrono::system_clock::now());
  // For the same timer. True when the ticket keys were rotated.
  bool rotate_tickets_if_due(TimePoint now) const;

 private:
  ReloadableContext(Tls options, FileWatch watch, std::shared_ptr<const ServerContext> context);

  // Builds, then replaces; `reload_mutex_` is held.
  [[nodiscard]] Result<void> swap_in(const Tls& options,
                                     std::chrono::system_clock::time_point now = std::chrono::system_clock::now());
  [[nodiscard]] bool renewal_is_due(std::chrono::system_clock::time_point now) const;

  mutable std::mutex mutex_;  // guards `context_`; never held while files are read
  std::mutex reload_mutex_;   // one reload at a time; guards the rest
  Tls options_;
  FileWatch watch_;
  std::chrono::system_clock::time_point no_renewal_before_{};
  std::shared_ptr<const ServerContext> context_;
};

}  // namespace fairlead::tls
