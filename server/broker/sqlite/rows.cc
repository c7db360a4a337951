// SPDX-License-Identifier: Apache-2.0
#include "broker/sqlite/rows.h"

#include "broker/sqlite/sealed.h"

#include <memory>
#include <utility>

namespace fairlead::server::sqlite {

namespace {

std::uint64_t bits(std::int64_t number) { return static_cast<std::uint64_t>(number); }

void add(Sealer& sealer, const ClientInfo& info) {
  sealer.add(info.user).add(info.client).add(info.conn_info).add(info.chan_info);
}

ClientInfo client_info(Unsealer& row) {
  ClientInfo info;
  info.user = row.text();
  info.client = row.text();
  info.conn_info = row.text();
  info.chan_info = row.text();
  return info;
}

}  // namespace

std::string seal(const ChannelRow& row, std::string_view name) {
  Sealer sealer("channel");
  sealer.key(name).add(row.epoch).add(row.top).add(bits(row.position_ends)).add(bits(row.history_ends));
  return sealer.add(std::uint64_t{row.has_latest}).body();
}

std::optional<ChannelRow> open_channel(std::string_view body, std::string_view name) {
  Unsealer sealed("channel");
  if (!sealed.key(name).open(body)) return std::nullopt;
  ChannelRow row;
  row.epoch = sealed.text();
  row.top = sealed.number();
  row.position_ends = static_cast<std::int64_t>(sealed.number());
  row.history_ends = static_cast<std::int64_t>(sealed.number());
  row.has_latest = sealed.number() != 0;
  return row;
}

std::string seal(const Publication& publication, std::string_view place, std::int64_t channel) {
  Sealer sealer(place);
  sealer.key(bits(channel)).add(publication.offset).add(publication.data).add(std::uint64_t{publication.json});
  sealer.add(bits(publication.time_ms)).add(publication.key).add(publication.version);
  sealer.add(std::uint64_t{publication.tags.size()});
  for (const auto& [name, value] : publication.tags) sealer.add(name).add(value);
  sealer.add(std::uint64_t{publication.info != nullptr});
  if (publication.info) add(sealer, *publication.info);
  return sealer.body();
}

PublicationPtr open_publication(std::string_view body, std::string_view place, std::int64_t channel,
                                std::uint64_t offset) {
  Unsealer sealed(place);
  if (!sealed.key(bits(channel)).open(body)) return nullptr;
  auto publication = std::make_shared<Publication>();
  publication->offset = sealed.number();
  publication->data = sealed.text();
  publication->json = sealed.number() != 0;
  publication->time_ms = static_cast<std::int64_t>(sealed.number());
  publication->key = sealed.text();
  publication->version = sealed.number();
  for (std::uint64_t tags = sealed.number(); tags > 0; --tags) {
    std::string name = sealed.text();
    publication->tags.insert_or_assign(std::move(name), sealed.text());
  }
  if (sealed.number() != 0) publication->info = std::make_shared<const ClientInfo>(client_info(sealed));
  if (place == "publication" && publication->offset != offset) return nullptr;
  return publication;
}

std::string seal(const PublishOutcome& outcome, std::int64_t channel, std::string_view key, std::int64_t ends) {
  Sealer sealer("answer");
  sealer.key(bits(channel)).key(key).key(bits(ends));
  return sealer.add(outcome.position.offset).add(outcome.position.epoch).add(std::uint64_t{outcome.stale}).body();
}

std::optional<PublishOutcome> open_answer(std::string_view body, std::int64_t channel, std::string_view key,
                                          std::int64_t ends) {
  Unsealer sealed("answer");
  if (!sealed.key(bits(channel)).key(key).key(bits(ends)).open(body)) return std::nullopt;
  PublishOutcome outcome;
  outcome.position.offset = sealed.number();
  outcome.position.epoch = sealed.text();
  outcome.stale = sealed.number() != 0;
  return outcome;
}

std::string seal_version(std::uint64_t version, std::int64_t channel, std::string_view epoch, std::int64_t ends) {
  return Sealer("version").key(bits(channel)).key(epoch).key(bits(ends)).add(version).body();
}

std::optional<std::uint64_t> open_version(std::string_view body, std::int64_t channel, std::string_view epoch,
                                          std::int64_t ends) {
  Unsealer sealed("version");
  if (!sealed.key(bits(channel)).key(epoch).key(bits(ends)).open(body)) return std::nullopt;
  return sealed.number();
}

std::string seal(const ClientInfo& member, std::int64_t channel, std::int64_t ends) {
  Sealer sealer("member");
  sealer.key(bits(channel)).key(member.client).key(bits(ends));
  add(sealer, member);
  return sealer.body();
}

std::optional<ClientInfo> open_member(std::string_view body, std::int64_t channel, std::string_view client,
                                      std::int64_t ends) {
  Unsealer sealed("member");
  if (!sealed.key(bits(channel)).key(client).key(bits(ends)).open(body)) return std::nullopt;
  return client_info(sealed);
}

std::string seal(const LifecycleEvent& event) {
  Sealer sealer("event");
  sealer.key(event.sequence).add(bits(event.time_ms)).add(event.kind).add(event.client).add(event.user);
  return sealer.add(event.channel).add(std::uint64_t{event.code}).add(event.reason).body();
}

std::optional<LifecycleEvent> open_event(std::string_view body, std::uint64_t sequence) {
  Unsealer sealed("event");
  if (!sealed.key(sequence).open(body)) return std::nullopt;
  LifecycleEvent event;
  event.sequence = sequence;
  event.time_ms = static_cast<std::int64_t>(sealed.number());
  event.kind = sealed.text();
  event.client = sealed.text();
  event.user = sealed.text();
  event.channel = sealed.text();
  event.code = static_cast<std::uint32_t>(sealed.number());
  event.reason = sealed.text();
  return event;
}

std::string seal(const LogState& state) {
  return Sealer("log").add(state.newest).add(state.acknowledged).add(state.first).body();
}

std::optional<LogState> open_log(std::string_view body) {
  Unsealer sealed("log");
  if (!sealed.open(body)) return std::nullopt;
  LogState state;
  state.newest = sealed.number();
  state.acknowledged = sealed.number();
  state.first = sealed.number();
  return state;
}

std::string seal_fact(std::string_view value, std::string_view section, std::string_view key, std::int64_t ends) {
  return Sealer("fact").key(section).key(key).key(bits(ends)).add(value).body();
}

std::optional<std::string> open_fact(std::string_view body, std::string_view section, std::string_view key,
                                     std::int64_t ends) {
  Unsealer sealed("fact");
  if (!sealed.key(section).key(key).key(bits(ends)).open(body)) return std::nullopt;
  return sealed.text();
}

std::string seal_number(std::uint64_t number, std::string_view name) {
  return Sealer("number").key(name).add(number).body();
}

std::optional<std::uint64_t> open_number(std::string_view body, std::string_view name) {
  Unsealer sealed("number");
  if (!sealed.key(name).open(body)) return std::nullopt;
  return sealed.number();
}

}  // namespace fairlead::server::sqlite
