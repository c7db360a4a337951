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

void Batch::run(std::size_t index, std::function<void()> then) {
  const auto& command = commands_[index];
  const auto answered = [self = shared_from_this(), index, then = std::move(then)](const Answer<std::string>& answer) {
    self->replies_[index] = self->format_(self->commands_[index], answer);
    then();
  };
  if (command.refused) return answered(std::unexpected(*command.refused));
  const auto* const method = find_method(command.method);
  if (method == nullptr) return answered(std::unexpected(client_error::method_not_found));
  method->run(control_, command.params, answered);
}

// An answer may come within the call or later on another thread. Whoever comes second of the two, this loop or the
// answer, goes on: so answers that come at once cost no stack, and later ones no waiting.
void Batch::run_in_order() {
  while (next_ < commands_.size()) {
    auto met = std::make_shared<std::atomic<bool>>(false);
    run(next_, [self = shared_from_this(), met] {
      ++self->next_;
      if (met->exchange(true, std::memory_order_acq_rel)) self->run_in_order();
    });
    if (!met->exchange(true, std::memory_order_acq_rel)) return;
  }
  finish();
}

void Batch::run_at_once() {
  if (commands_.empty()) return finish();
  const auto self = shared_from_this();
  for (std::size_t i = 0; i < commands_.size(); ++i) {
    run(i, [self] {
      if (self->open_.fetch_sub(1, std::memory_order_acq_rel) == 1) self->finish();
    });
  }
}

}  // namespace fairlead::server
