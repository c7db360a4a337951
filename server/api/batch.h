// SPDX-License-Identifier: Apache-2.0
// Several commands in one request: one after the other, or all at once; the replies keep the commands' order.
#pragma once

#include "api/methods.h"

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace fairlead::server {

struct BatchCommand {
  std::string method;
  JsonValue params;                    // views into the batch's text
  std::optional<ClientError> refused;  // it is malformed: answered with this, not run
};

class Batch : public std::enable_shared_from_this<Batch> {
 public:
  // One reply as it stands among the others.
  using Format = std::string (*)(const BatchCommand& command, const Answer<std::string>& answer);
  using Finished = std::function<void(std::vector<std::string>)>;

  // `text` holds what the commands' params are views of.
  Batch(Control& control, std::shared_ptr<const std::string> text, std::vector<BatchCommand> commands, Format format,
        Finished finished);
  void run_in_order();
  void run_at_once();

 private:
  void run(std::size_t index, void (Batch::*then)());  // `then`, once it is answered
  void answered_in_order();
  void answered_at_once();
  [[nodiscard]] bool comes_second() noexcept;
  void finish();

  Control& control_;
  std::shared_ptr<const std::string> text_;
  std::vector<BatchCommand> commands_;
  Format format_;
  Finished finished_;
  std::vector<std::string> replies_;
  std::size_t next_ = 0;           // in order: only by whoever runs the chain
  std::atomic<bool> met_{false};   // in order: the first of the chain and its answer has come
  std::atomic<std::size_t> open_;  // at once: not answered yet
};

}  // namespace fairlead::server
