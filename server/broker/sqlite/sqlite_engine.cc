// SPDX-License-Identifier: Apache-2.0
#include "broker/sqlite/sqlite_engine.h"

#include "broker/answers.h"
#include "broker/options.h"
#include "broker/sqlite/opening.h"

#include <functional>
#include <unordered_set>
#include <utility>

namespace fairlead::server {

namespace {

std::size_t bytes_of(const ClientInfo& info) {
  return info.user.size() + info.client.size() + info.conn_info.size() + info.chan_info.size();
}

std::size_t bytes_of(const Publication& publication) {
  std::size_t bytes = publication.data.size() + publication.key.size();
  for (const auto& [name, value] : publication.tags) bytes += name.size() + value.size();
  return bytes + (publication.info ? bytes_of(*publication.info) : 0);
}

PresenceStats count(const Presence& members) {
  std::unordered_set<std::string_view> users;
  for (const auto& [client, info] : members) users.insert(info.user);
  return {static_cast<std::uint32_t>(members.size()), static_cast<std::uint32_t>(users.size())};
}

}  // namespace

SqliteEngine::SqliteEngine(SqliteEngineSettings settings, WallClock clock)
    : settings_(std::move(settings)), clock_(std::move(clock)) {}

Outcome<void> SqliteEngine::start(BrokerEvents& events) {
  events_ = &events;
  auto opened = sqlite::open_database({.path = settings_.path,
                                       .size_limit_bytes = settings_.size_limit_bytes,
                                       .always_checked_bytes = settings_.always_checked_bytes},
                                      guard_);
  if (!opened) {
    guard_.unlock();
    return std::unexpected(named(std::move(opened.error())));
  }
  witness_ = opened->witness;
  const auto failed = [this](const Fault& fault) {
    if (settings_.failed) settings_.failed(named(fault));
  };
  sqlite::WorkerSettings writing{
      .begin = "BEGIN IMMEDIATE", .event_log_size = settings_.event_log_size, .stopping = settings_.stopping};
  writing.resting = [this](sqlite::Tables& tables) { tables.drop_expired(now_ms()); };
  writing.before_commit = [this](sqlite::Tables& tables) {
    tables.set_number("transactions", witness_.transactions + 1);
  };
  writing.after_commit = [this] {
    ++witness_.transactions;
    guard_.write(witness_);
  };
  writing.failed = failed;
  writer_ = std::make_unique<sqlite::Worker>(std::move(opened->writer), std::move(writing));
  sqlite::WorkerSettings reading{.batch_operations = 64, .event_log_size = settings_.event_log_size};
  reading.failed = failed;
  reader_ = std::make_unique<sqlite::Worker>(std::move(opened->reader), std::move(reading));
  gate_.open();
  return {};
}

// Which file it is about, for whoever has several.
Fault SqliteEngine::named(Fault fault) const {
  if (fault.sentence.find(settings_.path) == std::string::npos) fault.sentence = settings_.path + ": " + fault.sentence;
  return fault;
}

void SqliteEngine::stop() {
  gate_.close();
  if (reader_) reader_->stop();  // first: a read may have to write
  if (writer_) writer_->stop();
  reader_.reset();
  writer_.reset();  // the last connection empties the write-ahead log
  guard_.unlock();
}

SqliteEngine::Stripe& SqliteEngine::stripe_of(const std::string& channel) {
  return stripes_[std::hash<std::string>{}(channel) % stripe_count];
}

// Also the writer tells under the stripe's lock, because publications that are not kept are told by their callers.
template <class Tell>
void SqliteEngine::tell(const std::string& channel, Tell tell) {
  Stripe& stripe = stripe_of(channel);
  const std::lock_guard lock(stripe.lock);
  if (stripe.subscribed.contains(channel)) tell(*events_);
}

template <class T, class Work>
// NOLINTNEXTLINE(performance-unnecessary-value-param): callers hand it over
void SqliteEngine::write(Done<T> done, std::size_t bytes, Work work) {
  const Gate::Visit visit(gate_);
  if (!visit) return done(stopped());
  writer_->add({.run = [done, work = std::move(work)](sqlite::Tables& tables) -> std::function<void()> {
                  return [done, answer = work(tables)]() mutable { done(answer()); };
                },
                .fail = [done](const Fault& fault) { done(std::unexpected(fault)); },
                .bytes = bytes});
}

template <class T, class Work>
// NOLINTNEXTLINE(performance-unnecessary-value-param): callers hand it over
void SqliteEngine::query(Done<T> done, Work work) {
  const Gate::Visit visit(gate_);
  if (!visit) return done(stopped());
  reader_->add({.run = [done, work = std::move(work)](sqlite::Tables& tables) -> std::function<void()> {
                  tables.forget();
                  return [done, found = Outcome<T>(work(tables))]() mutable { done(std::move(found)); };
                },
                .fail = [done](const Fault& fault) { done(std::unexpected(fault)); }});
}

void SqliteEngine::subscribe(const std::string& channel, Done<void> done) {
  const Gate::Visit visit(gate_);
  if (!visit) return done(stopped());
  Stripe& stripe = stripe_of(channel);
  std::unique_lock lock(stripe.lock);
  stripe.subscribed.insert(channel);
  lock.unlock();
  done({});
}

void SqliteEngine::unsubscribe(const std::string& channel, Done<void> done) {
  const Gate::Visit visit(gate_);
  if (!visit) return done(stopped());
  Stripe& stripe = stripe_of(channel);
  std::unique_lock lock(stripe.lock);
  stripe.subscribed.erase(channel);
  lock.unlock();
  done({});
}

void SqliteEngine::publish(const std::string& channel, Publication publication, PublishOptions options,
                           Done<PublishOutcome> done) {
  if (!keeps_anything(options)) return pass(channel, std::move(publication), done);
  const std::size_t bytes = channel.size() + bytes_of(publication) + options.idempotency_key.size();
  write<PublishOutcome>(
      std::move(done), bytes,
      [this, channel, publication = std::move(publication), options = std::move(options)](sqlite::Tables& tables) {
        auto published = tables.publish(channel, publication, options, clock_());
        return [this, channel, published = std::move(published)]() mutable -> Outcome<PublishOutcome> {
          if (published.publication) {
            tell(channel, [&](BrokerEvents& events) {
              events.on_publication(channel, std::move(published.publication), published.outcome.position,
                                    std::move(published.previous));
            });
          }
          return std::move(published.outcome);
        };
      });
}

// What is not kept does not wait for those who are.
void SqliteEngine::pass(const std::string& channel, Publication publication, const Done<PublishOutcome>& done) {
  const Gate::Visit visit(gate_);
  if (!visit) return done(stopped());
  publication.offset = 0;
  if (publication.time_ms == 0) publication.time_ms = now_ms();
  auto shared = std::make_shared<const Publication>(std::move(publication));
  tell(channel, [&](BrokerEvents& events) { events.on_publication(channel, std::move(shared), {}, nullptr); });
  done(PublishOutcome{});
}

void SqliteEngine::publish_join(const std::string& channel, ClientInfo info, Done<void> done) {
  const Gate::Visit visit(gate_);
  if (!visit) return done(stopped());
  tell(channel, [&](BrokerEvents& events) { events.on_join(channel, info); });
  done({});
}

void SqliteEngine::publish_leave(const std::string& channel, ClientInfo info, Done<void> done) {
  const Gate::Visit visit(gate_);
  if (!visit) return done(stopped());
  tell(channel, [&](BrokerEvents& events) { events.on_leave(channel, info); });
  done({});
}

void SqliteEngine::history(const std::string& channel, HistoryQuery query, Done<History> done) {
  const Gate::Visit visit(gate_);
  if (!visit) return done(stopped());
  reader_->add({.run = [this, channel, query, done](sqlite::Tables& tables) -> std::function<void()> {
                  tables.forget();
                  auto found = tables.history(channel, query, now_ms());
                  if (!found) return [this, channel, query, done] { begin_stream(channel, query, done); };
                  return [done, found = std::move(found)]() mutable { done(std::move(*found)); };
                },
                .fail = [done](const Fault& fault) { done(std::unexpected(fault)); }});
}

void SqliteEngine::begin_stream(const std::string& channel, const HistoryQuery& query, Done<History> done) {
  write<History>(std::move(done), channel.size(), [this, channel, query](sqlite::Tables& tables) {
    StreamPosition begun = tables.begin_stream(channel, query, clock_());
    // Somebody may have published in the meantime; this transaction sees that.
    auto found = tables.history(channel, query, now_ms());
    if (!found) found = History{.publications = {}, .top = std::move(begun)};
    return [found = std::move(*found)]() mutable -> Outcome<History> { return std::move(found); };
  });
}

void SqliteEngine::remove_history(const std::string& channel, Done<void> done) {
  write<void>(std::move(done), channel.size(), [channel](sqlite::Tables& tables) {
    tables.remove_history(channel);
    return [] { return Outcome<void>{}; };
  });
}

void SqliteEngine::latest(const std::string& channel, Done<PublicationPtr> done) {
  query<PublicationPtr>(std::move(done),
                        [this, channel](sqlite::Tables& tables) { return tables.latest(channel, now_ms()); });
}

void SqliteEngine::add_presence(const std::string& channel, ClientInfo info, std::chrono::milliseconds ttl,
                                Done<void> done) {
  const std::size_t bytes = channel.size() + bytes_of(info);
  write<void>(std::move(done), bytes, [this, channel, info = std::move(info), ttl](sqlite::Tables& tables) {
    const WallTime now = clock_();
    tables.add_member(channel, info, unix_ms(expiry(now, ttl)), unix_ms(now));
    return [] { return Outcome<void>{}; };
  });
}

void SqliteEngine::remove_presence(const std::string& channel, const std::string& client, Done<void> done) {
  write<void>(std::move(done), channel.size() + client.size(), [channel, client](sqlite::Tables& tables) {
    tables.remove_member(channel, client);
    return [] { return Outcome<void>{}; };
  });
}

void SqliteEngine::presence(const std::string& channel, Done<Presence> done) {
  query<Presence>(std::move(done),
                  [this, channel](sqlite::Tables& tables) { return tables.members(channel, now_ms()); });
}

void SqliteEngine::presence_stats(const std::string& channel, Done<PresenceStats> done) {
  query<PresenceStats>(std::move(done),
                       [this, channel](sqlite::Tables& tables) { return count(tables.members(channel, now_ms())); });
}

void SqliteEngine::append_all(std::vector<LifecycleEvent> events, Done<std::uint64_t> done) {
  std::size_t bytes = 0;
  for (const LifecycleEvent& event : events)
    bytes += event.client.size() + event.user.size() + event.channel.size() + event.reason.size();
  write<std::uint64_t>(std::move(done), bytes, [events = std::move(events)](sqlite::Tables& tables) {
    return [sequence = tables.append_events(events)] { return Outcome<std::uint64_t>(sequence); };
  });
}

void SqliteEngine::read(std::uint64_t after, std::size_t limit, Done<LifecycleEvents> done) {
  query<LifecycleEvents>(std::move(done),
                         [after, limit](sqlite::Tables& tables) { return tables.read_events(after, limit); });
}

void SqliteEngine::acknowledge(std::uint64_t sequence, Done<void> done) {
  write<void>(std::move(done), 0, [sequence](sqlite::Tables& tables) {
    return [allowed = tables.acknowledge_events(sequence)] {
      return allowed ? Outcome<void>{} : Outcome<void>{not_acknowledgeable()};
    };
  });
}

void SqliteEngine::put(const std::string& table, const std::string& key, std::string value, WallTime until,
                       Done<void> done) {
  const std::size_t bytes = table.size() + key.size() + value.size();
  write<void>(std::move(done), bytes, [table, key, value = std::move(value), until](sqlite::Tables& tables) {
    tables.put_fact(table, key, value, unix_ms(until));
    return [] { return Outcome<void>{}; };
  });
}

void SqliteEngine::remove(const std::string& table, const std::string& key, Done<void> done) {
  write<void>(std::move(done), table.size() + key.size(), [table, key](sqlite::Tables& tables) {
    tables.remove_fact(table, key);
    return [] { return Outcome<void>{}; };
  });
}

void SqliteEngine::list(const std::string& table, Done<std::map<std::string, std::string>> done) {
  using Facts = std::map<std::string, std::string>;
  query<Facts>(std::move(done), [this, table](sqlite::Tables& tables) { return tables.facts(table, now_ms()); });
}

}  // namespace fairlead::server
