// SPDX-License-Identifier: Apache-2.0
// The public connection: the core of this folder with settings and resources of its own.
#include "ws/protocol.h"

#include "ws/connection.h"

namespace fairlead::protocol {

Context::Context() : parts_(std::make_unique<Parts>()) {}
Context::~Context() = default;
std::size_t Context::buffered_bytes() const noexcept { return parts_->buffers.lent_bytes(); }

struct Connection::State {
  State(Role role, Context& context, const Options& options, std::optional<DeflateAgreement> deflate, TimePoint now)
      : settings{.limits = options.limits,
                 .delivery = options.delivery,
                 .compress_from_bytes = options.compression.from_bytes,
                 .compression_level = options.compression.level,
                 .compressor = ws::CompressorUse::shared},
        core(role, settings, context.parts().resources, deflate, now) {}

  ws::Settings settings;
  ws::Connection core;
};

Connection::Connection(Role role, Context& context, const Options& options, std::optional<DeflateAgreement> deflate,
                       TimePoint now)
    : state_(std::make_unique<State>(role, context, options, deflate, now)) {}
Connection::Connection(Connection&& other) noexcept = default;
Connection& Connection::operator=(Connection&& other) noexcept = default;
Connection::~Connection() = default;

void Connection::receive(MutableBytes in, TimePoint now) { state_->core.receive(in, now); }
std::optional<Event> Connection::next_event() { return state_->core.next_event(); }
void Connection::retain() { state_->core.retain(); }
void Connection::receive_end(TimePoint now) { state_->core.receive_end(now); }

std::optional<TimePoint> Connection::deadline() const { return state_->core.deadline(); }
void Connection::on_deadline(TimePoint now) { state_->core.on_deadline(now); }

std::size_t Connection::output(std::span<Bytes> views) const { return state_->core.output(views); }
void Connection::consume(std::size_t bytes) { state_->core.consume(bytes); }
std::size_t Connection::output_bytes() const { return state_->core.output_bytes(); }
std::size_t Connection::queued_bytes() const { return state_->core.queued_bytes(); }

Sent Connection::send(MessageKind kind, Bytes payload, TimePoint now, Compress compress) {
  return state_->core.send(kind, payload, now, compress);
}
Sent Connection::send(const SharedMessage& message, TimePoint now) { return state_->core.send(message, now); }
Sent Connection::send_chunk(MessageKind kind, Bytes payload, bool last, TimePoint now, Compress compress) {
  return state_->core.send_chunk(kind, payload, last, now, compress);
}
Sent Connection::ping(Bytes payload, TimePoint now) { return state_->core.ping(payload, now); }
Result<void> Connection::close(CloseCode code, std::string_view reason, TimePoint now) {
  return state_->core.close(code, reason, now);
}

bool Connection::may_send() const { return state_->core.may_send(); }
bool Connection::finished() const { return state_->core.finished(); }
CloseInfo Connection::close_info() const { return state_->core.close_info(); }

}  // namespace fairlead::protocol
