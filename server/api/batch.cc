// SPDX-License-Identifier: Apache-2.0
#include "api/batch.h"

#include <utility>

namespace fairlead::server {

Batch::Batch(Control& control, std::shared_ptr<const std::string> text, std::vector<BatchCommand> commands,
             Format format, Finished finished)
    : control_(control),
      text_(std::move(text)),
      commands_(std::move(commands)),
      format_(format),
      finished_(std::move(finished)),
      replies_(commands_.size()),
      open_(commands_.size()) {}

void Batch::finish() { finished_(std::move(replies_)); }

void Batch::run(std::size_t index, void (Batch::*then)()) {
  const auto& command = commands_[index];
  const auto answered = [self = shared_from_this(), index, then](const Answer<std::string>& answer) {
    self->replies_[index] = self->format_(self->commands_[index], answer);
    (*self.*then)();
  };
  if (command.refused) return answered(std::unexpected(*command.refused));
  const auto* const method = find_method(command.method);
  if (method == nullptr) return answered(std::unexpected(client_error::method_not_found));
  method->run(control_, command.params, answered);
}

// An answer may come within the call or later on another thread. Whoever comes second of the two, this loop or the
// answer, goes on: so answers that come at once cost no stack, and later ones no waiting. The second one also makes
// ready for the next pair, of whom nobody can have come yet.
void Batch::run_in_order() {
  while (next_ < commands_.size()) {
    run(next_, &Batch::answered_in_order);
    if (!comes_second()) return;
  }
  finish();
}

void Batch::answered_in_order() {
  ++next_;
  if (comes_second()) run_in_order();
}

bool Batch::comes_second() noexcept {
  const bool second = met_.exchange(true, std::memory_order_acq_rel);
  if (second) met_.store(false, std::memory_order_relaxed);
  return second;
}

void Batch::run_at_once() {
  if (commands_.empty()) return finish();
  const auto alive = shared_from_this();
  for (std::size_t i = 0; i < commands_.size(); ++i) run(i, &Batch::answered_at_once);
}

void Batch::answered_at_once() {
  if (open_.fetch_sub(1, std::memory_order_acq_rel) == 1) finish();
}

}  // namespace fairlead::server
