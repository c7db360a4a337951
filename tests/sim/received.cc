// SPDX-License-Identifier: Apache-2.0
#include "sim/received.h"

#include "protocol/codec.h"

#include <centrifuge_wire/client.pb.h>
#include <openssl/evp.h>
#include <simdjson.h>

#include <stdexcept>

namespace fairlead::server::testing {
namespace {

namespace dom = simdjson::dom;

const PublicationEncoder& encoder() {
  static const auto made = make_publication_encoder();
  return *made;
}
const Codec& codec(WireFormat format) {
  static const auto json = make_codec(WireFormat::json);
  static const auto protobuf = make_codec(WireFormat::protobuf);
  return format == WireFormat::json ? *json : *protobuf;
}

// ── JSON ────────────────────────────────────────────────────────────────────────────────────────────────────────────

// A payload of a subscription with deltas is a string; any other one is a value of its own.
Received of_json(const dom::element& publication) {
  Received received;
  const dom::element data = publication["data"];
  std::string_view text;
  received.data = data.get(text) == simdjson::SUCCESS ? std::string(text) : std::string(simdjson::minify(data));
  // Zero values are left out.
  bool delta = false;
  std::uint64_t offset = 0;
  received.delta = publication["delta"].get(delta) == simdjson::SUCCESS && delta;
  received.offset = publication["offset"].get(offset) == simdjson::SUCCESS ? offset : 0;
  return received;
}

std::vector<Received> of_json_list(const simdjson::simdjson_result<dom::element>& publications) {
  std::vector<Received> all;
  dom::array list;
  if (publications.get(list) != simdjson::SUCCESS) return all;
  for (const dom::element one : list) all.push_back(of_json(one));
  return all;
}

std::map<std::string, std::vector<Received>> recovered_of_json(const std::string& frame) {
  dom::parser parser;
  const dom::element reply = parser.parse(frame);
  std::map<std::string, std::vector<Received>> all;
  all[""] = of_json_list(reply["subscribe"]["publications"]);
  dom::object subs;
  if (reply["connect"]["subs"].get(subs) == simdjson::SUCCESS)
    for (const auto& [channel, sub] : subs) all[std::string(channel)] = of_json_list(sub["publications"]);
  return all;
}

// ── Protobuf ────────────────────────────────────────────────────────────────────────────────────────────────────────

wire::Reply parsed(std::string_view frame) {
  std::size_t at = 0;
  std::size_t length = 0;
  for (unsigned shift = 0;; shift += 7) {
    const auto byte = static_cast<unsigned char>(frame.at(at++));
    length |= static_cast<std::size_t>(byte & 0x7FU) << shift;
    if (byte < 0x80) break;
  }
  wire::Reply reply;
  if (length != frame.size() - at || !reply.ParseFromArray(frame.data() + at, static_cast<int>(length)))
    throw std::runtime_error("a frame is not one message with its length before it");
  return reply;
}

Received of_wire(const wire::Publication& publication) {
  return {publication.data(), publication.delta(), publication.offset()};
}

std::vector<Received> of_wire(const wire::SubscribeResult& result) {
  std::vector<Received> all;
  for (const auto& one : result.publications()) all.push_back(of_wire(one));
  return all;
}

std::map<std::string, std::vector<Received>> recovered_of_wire(const std::string& frame) {
  const wire::Reply reply = parsed(frame);
  std::map<std::string, std::vector<Received>> all;
  all[""] = of_wire(reply.subscribe());
  for (const auto& [channel, sub] : reply.connect().subs()) all[channel] = of_wire(sub);
  return all;
}

std::string base64(const std::string& bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');
  // NOLINTBEGIN(cppcoreguidelines-pro-type-reinterpret-cast): a C library's idea of bytes.
  const int size =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                      reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  // NOLINTEND(cppcoreguidelines-pro-type-reinterpret-cast)
  text.resize(static_cast<std::size_t>(size));
  return text;
}

}  // namespace

Received read_push(const Delivery& delivery, const WireForm& form) {
  const SharedMessage message = encoder().encode(delivery, form);
  const std::string frame(as_text(message.payload()));
  if (form.format == WireFormat::protobuf) return of_wire(parsed(frame).push().pub());
  dom::parser parser;
  return of_json(parser.parse(frame)["push"]["pub"]);
}

std::map<std::string, std::vector<Received>> read_recovered(const Reply& reply, WireFormat format) {
  std::string frame;
  codec(format).encode(reply, frame);
  return format == WireFormat::json ? recovered_of_json(frame) : recovered_of_wire(frame);
}

std::string payload_text(const std::string& data, bool json, WireFormat format) {
  if (json || format == WireFormat::protobuf) return data;
  return R"({"b64data":")" + base64(data) + R"("})";
}

}  // namespace fairlead::server::testing
