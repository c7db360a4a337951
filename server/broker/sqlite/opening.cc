// SPDX-License-Identifier: Apache-2.0
#include "broker/sqlite/opening.h"

#include "broker/sqlite/schema.h"
#include "broker/sqlite/tables.h"

#include <filesystem>
#include <random>
#include <string>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace fairlead::server::sqlite {

namespace {

std::uint64_t size_of(const std::string& path) {
  struct stat status{};
  return ::stat(path.c_str(), &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
}

std::unexpected<Fault> fault(FaultKind kind, std::string sentence) {
  return std::unexpected(Fault{kind, std::move(sentence)});
}

// Before SQLite sees it, so that nobody else can read it at any moment; its side files take over the mode.
Outcome<void> create_if_missing(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0 && errno == EEXIST) return {};
  if (file < 0) return fault(FaultKind::unavailable, path + " cannot be created");
  ::close(file);
  const std::string folder = std::filesystem::absolute(path).parent_path();
  const int directory = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return {};
  ::fsync(directory);  // or a power failure could take the name away again
  ::close(directory);
  return {};
}

// A file that begins with anything but SQLite's own sixteen bytes is somebody else's: it is not touched.
Outcome<void> check_header(const std::string& path) {
  static constexpr std::string_view expected("SQLite format 3\0", 16);
  std::string header(expected.size(), '\0');
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const ssize_t got = file < 0 ? -1 : ::read(file, header.data(), header.size());
  if (file >= 0) ::close(file);  // SQLite has no lock on it yet
  if (got < 0) return fault(FaultKind::unavailable, path + " cannot be read");
  if (got == 0 || header == expected) return {};
  return fault(FaultKind::corrupt, path + " is no SQLite database, or its beginning is destroyed");
}

Outcome<void> check_owner(Database& database, const std::string& path) {
  const std::int64_t application = database.number("PRAGMA application_id");
  const std::int64_t version = database.number("PRAGMA user_version");
  const std::int64_t tables = database.number("SELECT count(*) FROM sqlite_schema");
  if (database.failed()) return std::unexpected(database.fault());
  if (tables == 0 && application == 0) return {};
  if (application != application_id) return fault(FaultKind::unsupported, path + " belongs to another program");
  if (version == schema_version) return {};
  return fault(FaultKind::unsupported, path + " was written by a newer version of this program");
}

void create_tables(Database& database) {
  database.execute("BEGIN IMMEDIATE");
  database.execute(schema);
  Tables tables(database, 1);
  std::random_device entropy;
  tables.set_number("identity", (std::uint64_t{entropy()} << 32) | entropy());
  tables.set_number("transactions", 0);
  database.execute(("PRAGMA application_id = " + std::to_string(application_id)).c_str());
  database.execute(("PRAGMA user_version = " + std::to_string(schema_version)).c_str());
  database.execute("COMMIT");
}

void configure(Database& database, std::uint64_t size_limit_bytes) {
  database.execute("PRAGMA journal_mode = WAL");
  // Each commit is on the disk before it is acknowledged.
  database.execute("PRAGMA synchronous = FULL");
  database.execute("PRAGMA journal_size_limit = 67108864");
  if (size_limit_bytes == 0) return;
  const auto page = static_cast<std::uint64_t>(database.number("PRAGMA page_size"));
  if (page > 0) database.execute(("PRAGMA max_page_count = " + std::to_string(size_limit_bytes / page)).c_str());
}

void check_contents(Database& database, bool thoroughly) {
  Query check(database, thoroughly ? "PRAGMA integrity_check(1)" : "PRAGMA quick_check(1)");
  if (check.row() && check.bytes(0) != "ok") {
    database.fail(FaultKind::corrupt, "the database file is damaged; restore it from a copy or move it away");
  }
  if (thoroughly && !database.failed()) Tables(database, 1).verify_all();
}

// Compares what the database says with what was acknowledged.
Outcome<Guard::Witness> settle_witness(Database& database, const Guard& guard, const std::string& path, bool fresh) {
  Tables tables(database, 1);
  const auto identity = tables.number("identity");
  const auto transactions = tables.number("transactions");
  if (!identity || !transactions) database.fail(FaultKind::corrupt, path + " lacks what every database of ours has");
  if (database.failed()) return std::unexpected(database.fault());
  const Guard::Witness own{*identity, *transactions};
  const auto seen = guard.read();
  if (seen && seen->identity == own.identity && seen->transactions > own.transactions) {
    return fault(FaultKind::corrupt, path + " has lost acknowledged transactions (it has " +
                                         std::to_string(own.transactions) + " of " +
                                         std::to_string(seen->transactions) +
                                         "); restore it, or remove the file ending in -guard to go on without them");
  }
  // Without a witness this may be an older copy: what clients know of its streams must not fit them any more.
  if (!fresh && (!seen || seen->identity != own.identity)) {
    database.execute("BEGIN IMMEDIATE");
    tables.renew_epochs();
    database.execute("COMMIT");
  }
  if (database.failed()) return std::unexpected(database.fault());
  return own;
}

}  // namespace

Outcome<Opened> open_database(const OpeningSettings& settings, Guard& guard) {
  const std::string& path = settings.path;
  if (auto locked = guard.lock(path); !locked) return std::unexpected(std::move(locked.error()));
  const bool was_there = size_of(path) > 0;
  const bool unclean = size_of(path + "-wal") > 0;
  const bool small = size_of(path) + size_of(path + "-wal") <= settings.always_checked_bytes;
  if (auto created = create_if_missing(path); !created) return std::unexpected(std::move(created.error()));
  if (auto header = check_header(path); !header) return std::unexpected(std::move(header.error()));

  Opened opened;
  auto writer = Database::open(path, Database::Access::write);
  if (!writer) return std::unexpected(std::move(writer.error()));
  opened.writer = std::move(*writer);
  Database& database = *opened.writer;
  if (auto ours = check_owner(database, path); !ours) return std::unexpected(std::move(ours.error()));
  configure(database, settings.size_limit_bytes);
  const bool fresh = database.number("SELECT count(*) FROM sqlite_schema") == 0;
  // A guard that knows of transactions, beside a file without any: the file is not the one that was acknowledged.
  if (fresh && guard.read() && guard.read()->transactions > 0) {
    return fault(FaultKind::corrupt, path + (was_there ? " was emptied" : " is missing") +
                                         "; restore it, or remove the file ending in -guard to begin a new one");
  }
  if (fresh) {
    create_tables(database);
  } else if (unclean || small) {
    check_contents(database, small);
  }
  if (database.failed()) return std::unexpected(database.fault());
  auto witness = settle_witness(database, guard, path, fresh);
  if (!witness) return std::unexpected(std::move(witness.error()));
  opened.witness = *witness;
  guard.write(opened.witness);

  auto reader = Database::open(path, Database::Access::read);
  if (!reader) return std::unexpected(std::move(reader.error()));
  opened.reader = std::move(*reader);
  return opened;
}

}  // namespace fairlead::server::sqlite
