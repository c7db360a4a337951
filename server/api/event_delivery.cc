// SPDX-License-Identifier: Apache-2.0
#include "api/event_delivery.h"

#include "api/json_writer.h"
#include "api/results.h"
#include "api/webhook_codec.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <utility>

namespace fairlead::server {
namespace {

// Events that another process (or node) appended are found without being told.
constexpr std::chrono::milliseconds look_again{5'000};

std::int64_t system_seconds() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::string body_of(const std::vector<LifecycleEvent>& events) {
  JsonWriter json;
  json.begin_object().key("events").begin_array();
  for (const auto& event : events) json.raw(results::write(event));
  return json.end_array().end_object().take();
}

}  // namespace

// One round at a time: read → send → acknowledge → read… until the log has nothing new, then it rests.
struct EventDelivery::Core : std::enable_shared_from_this<Core> {
  using SettingsPtr = std::shared_ptr<const EventDeliverySettings>;
  Core(EventDeliverySettings configured, EventLog& event_log, HttpClient& http, EventDeliveryEnvironment surroundings)
      : log(event_log),
        client(http),
        environment(std::move(surroundings)),
        settings(std::make_shared<const EventDeliverySettings>(std::move(configured))) {}

  EventLog& log;
  HttpClient& client;
  const EventDeliveryEnvironment environment;

  mutable std::mutex mutex;  // for all below
  SettingsPtr settings;
  EventDeliveryStats counted;
  bool stopped = false, busy = false, more = false;
  bool pausing = false;  // busy, until the pause of this number is over
  std::uint64_t pauses = 0;
  unsigned failures_in_a_row = 0;
  std::uint64_t lost_until = 0;

  [[nodiscard]] SettingsPtr current() const {
    const std::scoped_lock lock(mutex);
    return settings;
  }
  void wake();
  void read();
  void take(LifecycleEvents read);
  void send(const LifecycleEvents& events);
  void acknowledge(std::uint64_t sequence, std::size_t delivered, std::size_t skipped);
  void rest();
  void failed(const std::string& why);
  void go_on(std::uint64_t after_pause);
  void follow(SettingsPtr next);
  void look_later(std::chrono::milliseconds delay, void (Core::*what)());
  bool note(const LifecycleEvents& events);
};

void EventDelivery::Core::wake() {
  {
    const std::scoped_lock lock(mutex);
    if (stopped) return;
    more = true;
    if (busy) return;
    busy = true;
  }
  read();
}

void EventDelivery::Core::look_later(std::chrono::milliseconds delay, void (Core::*what)()) {
  client.after(delay, [weak = weak_from_this(), what] {
    if (const auto self = weak.lock()) (self.get()->*what)();
  });
}

// False: it was stopped.
bool EventDelivery::Core::note(const LifecycleEvents& events) {
  const std::scoped_lock lock(mutex);
  counted.newest = events.newest;
  counted.acknowledged = events.acknowledged;
  if (events.lost_before > std::max(lost_until, events.acknowledged + 1)) {
    counted.lost += events.lost_before - std::max(lost_until, events.acknowledged + 1);
    lost_until = events.lost_before;
  }
  return !stopped;
}

void EventDelivery::Core::read() {
  std::uint64_t after = 0;
  std::size_t batch = 1;
  {
    const std::scoped_lock lock(mutex);
    if (stopped) return;
    more = false;
    busy = !settings->endpoint.empty();  // without one they are read by API
    if (!busy) return;
    after = counted.acknowledged;
    batch = std::max<std::size_t>(settings->batch, 1);
  }
  log.read(after, batch, [self = shared_from_this()](Outcome<LifecycleEvents> read) {
    if (!read) return self->failed("the events cannot be read: " + read.error().sentence);
    if (self->note(*read)) self->take(std::move(*read));
  });
}

// A log may still hold what was acknowledged before.
void EventDelivery::Core::take(LifecycleEvents read) {
  std::erase_if(read.events, [&read](const auto& event) { return event.sequence <= read.acknowledged; });
  if (!read.events.empty()) return send(read);
  if (read.newest > read.acknowledged) return look_later(std::chrono::milliseconds(0), &Core::read);
  rest();
}

void EventDelivery::Core::rest() {
  {
    const std::scoped_lock lock(mutex);
    if (stopped) return;
    busy = more;  // something came while it read
    if (!busy) return;
  }
  read();
}

void EventDelivery::Core::send(const LifecycleEvents& events) {
  const SettingsPtr configured = current();
  const auto last = events.events.back().sequence;
  std::vector<LifecycleEvent> wanted = events.events;
  if (const auto& kinds = configured->kinds; !kinds.empty()) {
    std::erase_if(wanted, [&kinds](const auto& event) {
      return !is_about_the_stream(event.kind) && std::ranges::find(kinds, event.kind) == kinds.end();
    });
  }
  const std::size_t skipped = events.events.size() - wanted.size();
  if (wanted.empty()) return acknowledge(last, 0, skipped);
  const auto now = environment.unix_seconds ? environment.unix_seconds() : system_seconds();
  std::string body = body_of(wanted);
  const ProxySettings& webhook = configured->webhook;
  HttpExchange exchange{.url = configured->endpoint,
                        .post = {},
                        .headers = webhook::header_fields(webhook, {}, body, now),
                        .timeout = webhook.timeout,
                        .tls_ca_file = webhook.tls_ca_file,
                        .pool = "events",
                        .connections = 1};
  exchange.post = std::move(body);
  client.send(std::move(exchange),
              [self = shared_from_this(), last, count = wanted.size(), skipped](const HttpAnswer& answer) {
                if (answer.status >= 200 && answer.status < 300) return self->acknowledge(last, count, skipped);
                self->failed(answer.status == 0 ? answer.sentence
                                                : "the backend answered with status " + std::to_string(answer.status));
              });
}

void EventDelivery::Core::acknowledge(std::uint64_t sequence, std::size_t delivered, std::size_t skipped) {
  {
    const std::scoped_lock lock(mutex);
    if (stopped) return;
  }
  log.acknowledge(sequence, [self = shared_from_this(), sequence, delivered, skipped](const Outcome<void>& done) {
    // `invalid`: somebody has acknowledged more by the API. The next reading tells how far.
    if (!done && done.error().kind != FaultKind::invalid) {
      return self->failed("the events cannot be acknowledged: " + done.error().sentence);
    }
    {
      const std::scoped_lock lock(self->mutex);
      self->failures_in_a_row = 0;
      self->counted.delivered += delivered;
      self->counted.skipped += skipped;
      self->counted.batches += delivered == 0 ? 0 : 1;
      self->counted.acknowledged = std::max(self->counted.acknowledged, sequence);
    }
    // By way of the client's loop: a log that answers at once would else make the stack grow with every batch.
    self->look_later(std::chrono::milliseconds(0), &Core::read);
  });
}

void EventDelivery::Core::failed(const std::string& why) {
  std::chrono::milliseconds delay{0};
  bool first = false;
  std::uint64_t number = 0;
  {
    const std::scoped_lock lock(mutex);
    if (stopped) return;
    ++counted.failures;
    first = ++failures_in_a_row == 1;
    delay = pause(*settings, failures_in_a_row, environment.random ? environment.random() : 1.0);
    pausing = true;
    number = ++pauses;
  }
  if (first && environment.warn) environment.warn("events are not delivered: " + why);
  client.after(delay, [weak = weak_from_this(), number] {
    if (const auto self = weak.lock()) self->go_on(number);
  });
}

void EventDelivery::Core::go_on(std::uint64_t after_pause) {
  {
    const std::scoped_lock lock(mutex);
    if (after_pause != pauses || !std::exchange(pausing, false)) return;
  }
  read();
}

// A pause was for what was configured before: it is over.
void EventDelivery::Core::follow(SettingsPtr next) {
  std::uint64_t number = 0;
  {
    const std::scoped_lock lock(mutex);
    settings = std::move(next);
    failures_in_a_row = 0;
    number = pauses;
  }
  go_on(number);
  wake();
}

EventDelivery::EventDelivery(EventDeliverySettings settings, EventLog& log, HttpClient& client,
                             EventDeliveryEnvironment environment)
    : core_(std::make_shared<Core>(std::move(settings), log, client, std::move(environment))) {}

EventDelivery::~EventDelivery() {
  const std::scoped_lock lock(core_->mutex);
  core_->stopped = true;
}

void EventDelivery::start() {
  struct Look {
    static void again(const std::shared_ptr<Core>& core) {
      core->wake();
      core->client.after(look_again, [weak = std::weak_ptr(core)] {
        if (const auto self = weak.lock()) again(self);
      });
    }
  };
  Look::again(core_);
}

void EventDelivery::reconfigure(EventDeliverySettings settings) {
  core_->follow(std::make_shared<const EventDeliverySettings>(std::move(settings)));
}

void EventDelivery::appended() { core_->wake(); }

EventDeliveryStats EventDelivery::stats() const {
  const std::scoped_lock lock(core_->mutex);
  return core_->counted;
}

std::vector<MetricFamily> EventDelivery::metrics() const {
  const auto now = stats();
  const auto number = [](std::uint64_t value) { return static_cast<double>(value); };
  return {counter("fairlead_events_delivered_total", "Lifecycle events that the backend took.", number(now.delivered)),
          counter("fairlead_events_failures_total", "Batches that it did not take.", number(now.failures)),
          counter("fairlead_events_lost_total", "Events dropped before it took them.", number(now.lost)),
          gauge("fairlead_events_waiting", "Events that it has not taken yet.",
                number(now.newest - std::min(now.newest, now.acknowledged)))};
}

std::chrono::milliseconds EventDelivery::pause(const EventDeliverySettings& settings, unsigned failures,
                                               double random) {
  constexpr unsigned doublings_most = 16;
  const auto bound =
      std::min(settings.retry_delay_max,
               settings.retry_delay * (1U << std::min(failures == 0 ? 0U : failures - 1, doublings_most)));
  return std::chrono::milliseconds(static_cast<std::int64_t>(static_cast<double>(bound.count()) * random));
}

}  // namespace fairlead::server
