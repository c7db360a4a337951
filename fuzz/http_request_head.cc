// SPDX-License-Identifier: Apache-2.0
// Requests in pieces: the same outcome for any split, safe paths, and what was read can be written and read again.
#include "http1/request_reader.h"
#include "http1/writer.h"
#include "http_reading.h"

#include <fairlead/error.h>

namespace {

using namespace fairlead;

std::string describe(const Request& request) {
  FAIRLEAD_ASSERT(request.path.starts_with('/') || request.path == "*");
  FAIRLEAD_ASSERT((request.path + "/").find("/../") == std::string::npos);
  FAIRLEAD_ASSERT(request.path.find('\0') == std::string::npos);
  // An absolute target says which Host is meant, also where no field has (RFC 9112 3.2.2): one more than were sent.
  FAIRLEAD_ASSERT(request.body.size() <= 64 && request.headers.size() <= 12 + 1);
  return request.method + " " + request.target + " " + request.path + "?" + request.query + "\n" +
         fuzz::describe(request.headers) + request.body;
}

void expect_rereadable(const Request& request) {
  Buffer wire;
  FAIRLEAD_ASSERT(http1::write_request(request, wire));
  const Limits limits;
  http1::RequestReader reader(limits, TimePoint{});
  reader.receive(wire.readable(), TimePoint{});
  const auto event = reader.next_event();
  FAIRLEAD_ASSERT(event);
  const auto* again = std::get_if<http1::RequestEvent>(&*event);
  FAIRLEAD_ASSERT(again != nullptr && again->request.path == request.path && again->request.body == request.body);
}

struct Reading {
  explicit Reading(const Limits& limits) : reader(limits, TimePoint{}) {}

  void feed(std::string_view piece) {
    reader.receive(as_bytes(piece), TimePoint{});
    while (auto event = reader.next_event()) {
      if (const auto* read = std::get_if<http1::RequestEvent>(&*event)) {
        outcome += describe(read->request) + "\n";
        last = read->request;
        reader.start_next(TimePoint{});
      }
      if (const auto* failed = std::get_if<http1::RequestFailedEvent>(&*event)) outcome += to_string(failed->error);
    }
  }

  http1::RequestReader reader;
  std::string outcome;
  std::optional<Request> last;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::string_view wire(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Limits limits = fuzz::small_limits();
  Reading whole(limits);
  whole.feed(wire);
  Reading split(limits);
  fuzz::in_pieces(wire, data[0], [&](std::string_view piece) { split.feed(piece); });
  FAIRLEAD_ASSERT(whole.outcome == split.outcome);
  FAIRLEAD_ASSERT(whole.reader.deadline() == split.reader.deadline());
  // An absolute target replaced Host, so it would be written beside another one.
  if (whole.last && whole.last->headers.contains("Host") && !whole.last->headers.contains("Transfer-Encoding")) {
    expect_rereadable(*whole.last);
  }
  return 0;
}
