// SPDX-License-Identifier: Apache-2.0
// Bodies of the HTTP API, as any method and as legacy lines, and answers of a backend: each gets exactly one answer,
// which is JSON, and what reaches the node keeps the promises of its type.
#include "api/core.h"
#include "api/methods.h"
#include "api/testing/fake_control.h"
#include "api/webhook_codec.h"
#include "base/assert.h"
#include "input.h"
#include "model/json.h"

namespace {

using namespace fairlead::server;

class CheckedControl : public testing::FakeControl {
 public:
  void publish(const std::string& channel, PublishCall call, Answered<StreamPosition> answered) override {
    FAIRLEAD_ASSERT(!channel.empty());
    check(call);
    FakeControl::publish(channel, std::move(call), std::move(answered));
  }
  void broadcast(std::vector<std::string> channels, PublishCall call,
                 Answered<std::vector<Answer<StreamPosition>>> answered) override {
    FAIRLEAD_ASSERT(!channels.empty() && channels.size() <= api_limits::broadcast_channels);
    check(call);
    FakeControl::broadcast(std::move(channels), std::move(call), std::move(answered));
  }
  void disconnect(DisconnectCall call, Answered<void> answered) override {
    FAIRLEAD_ASSERT(call.reason.code >= 3000 && call.reason.code <= 4999 && call.reason.reason.size() <= 123);
    FakeControl::disconnect(std::move(call), std::move(answered));
  }

 private:
  static void check(const PublishCall& call) {
    FAIRLEAD_ASSERT(!call.data.empty() && call.tags.size() <= api_limits::tags);
    FAIRLEAD_ASSERT(!call.json || (is_json(call.data) && call.data.find_first_of("\r\n") == std::string::npos));
  }
};

template <class T>
void read_answer(const std::string& body) {
  const auto reading = webhook::read<T>({}, 200, body);
  FAIRLEAD_ASSERT(reading.sound == reading.problem.empty());
  const auto* const reason = std::get_if<DisconnectReason>(&reading.verdict);
  FAIRLEAD_ASSERT(reason == nullptr || (reason->code >= 3000 && reason->reason.size() <= 123));
}

void ask(std::string_view method, const std::string& body) {
  CheckedControl control;
  HttpApiSettings settings;
  settings.insecure = true;
  const ApiCore core(control, settings);
  int answers = 0;
  core.handle(method, {}, std::nullopt, body, [&](const ApiReply& reply) {
    ++answers;
    FAIRLEAD_ASSERT(method.empty() || is_json(reply.body));
  });
  FAIRLEAD_ASSERT(answers == 1);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fairlead::fuzzing::Input input(data, size);
  const std::size_t choice = input.byte();
  const std::string body = input.bytes(size);
  const auto all = methods();
  if (choice < all.size()) ask(all[choice].name, body);
  if (choice == all.size()) ask("batch", body);
  if (choice == all.size() + 1) ask("", body);
  if (choice > all.size() + 1) {
    read_answer<ConnectAnswer>(body);
    read_answer<SubscribeAnswer>(body);
    read_answer<PublishAnswer>(body);
    read_answer<RpcAnswer>(body);
    read_answer<RefreshAnswer>(body);
  }
  return 0;
}
