// SPDX-License-Identifier: Apache-2.0
#include "protocol/centrifuge/fossil.h"
#include "protocol/centrifuge/wire_testing.h"
#include "protocol/codec.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace fairlead::server {
namespace {

using centrifuge::wire_testing::bytes;
using centrifuge::wire_testing::delimited;
using centrifuge::wire_testing::entry;
using centrifuge::wire_testing::number;

const auto encoder = make_publication_encoder();

Publication made(std::string data, bool json = true) {
  Publication publication;
  publication.data = std::move(data);
  publication.json = json;
  publication.offset = 2;
  return publication;
}

std::string encoded(const Publication& publication, const WireForm& form, const Publication* previous = nullptr) {
  const auto share = [](const Publication& one) { return std::make_shared<const Publication>(one); };
  const Delivery delivery(*encoder, "news", 7, share(publication), {2, "e"}, previous ? share(*previous) : nullptr);
  const SharedMessage message = encoder->encode(delivery, form);
  EXPECT_TRUE(message);
  if (!message) return "";
  EXPECT_EQ(message.kind(), form.format == WireFormat::json ? MessageKind::text : MessageKind::binary);
  return std::string(as_text(message.payload()));
}

constexpr WireForm json_form(PayloadForm payload, Envelope envelope = Envelope::reply, bool compact = false) {
  return {WireFormat::json, payload, envelope, compact};
}
constexpr WireForm protobuf_form(PayloadForm payload, Envelope envelope = Envelope::reply, bool compact = false) {
  return {WireFormat::protobuf, payload, envelope, compact};
}

TEST(PublicationEncoder, WritesSeveralIntoOneFrameInTheirOrder) {
  std::vector<DeliveryPtr> row;
  std::string lines, messages;
  const WireForm json = json_form(PayloadForm::plain), protobuf = protobuf_form(PayloadForm::plain);
  for (const char* data : {"{}", R"({"a":1})", "[]"}) {
    const Publication publication = made(data);
    row.push_back(std::make_shared<const Delivery>(
        *encoder, "news", 7, std::make_shared<const Publication>(publication), StreamPosition{2, "e"}, nullptr));
    lines += (lines.empty() ? "" : "\n") + encoded(publication, json);
    messages += encoded(publication, protobuf);
  }
  const SharedMessage text = encoder->encode_together(row, json);
  EXPECT_EQ(text.kind(), MessageKind::text);
  EXPECT_EQ(as_text(text.payload()), lines);
  const SharedMessage binary = encoder->encode_together(row, protobuf);
  EXPECT_EQ(binary.kind(), MessageKind::binary);
  EXPECT_EQ(as_text(binary.payload()), messages);
}

TEST(PublicationEncoder, NamesTheChannelOrItsNumber) {
  EXPECT_EQ(encoded(made("{}"), json_form(PayloadForm::plain)),
            R"({"push":{"channel":"news","pub":{"data":{},"offset":2}}})");
  EXPECT_EQ(encoded(made("{}"), json_form(PayloadForm::plain, Envelope::reply, true)),
            R"({"push":{"id":7,"pub":{"data":{},"offset":2}}})");
  EXPECT_EQ(encoded(made("{}"), json_form(PayloadForm::plain, Envelope::bare)),
            R"({"channel":"news","pub":{"data":{},"offset":2}})");
  EXPECT_EQ(encoded(made("{}"), json_form(PayloadForm::plain, Envelope::bare, true)),
            R"({"id":7,"pub":{"data":{},"offset":2}})");
  const std::string pub = bytes(4, bytes(4, "{}") + number(6, 2));
  EXPECT_EQ(encoded(made("{}"), protobuf_form(PayloadForm::plain)), delimited(bytes(4, bytes(2, "news") + pub)));
  EXPECT_EQ(encoded(made("{}"), protobuf_form(PayloadForm::plain, Envelope::reply, true)),
            delimited(bytes(4, number(1, 7) + pub)));
  EXPECT_EQ(encoded(made("{}"), protobuf_form(PayloadForm::plain, Envelope::bare)), delimited(bytes(2, "news") + pub));
  EXPECT_EQ(encoded(made("{}"), protobuf_form(PayloadForm::plain, Envelope::bare, true)),
            delimited(number(1, 7) + pub));
}

TEST(PublicationEncoder, WritesAllThatAClientMaySee) {
  Publication publication = made(R"("x")");
  publication.info = std::make_shared<const ClientInfo>(ClientInfo{"u", "c", "1", "{}"});
  publication.tags = {{"k", "v\""}};
  publication.time_ms = 1700000000000;
  publication.key = "q";
  publication.version = 9;
  EXPECT_EQ(encoded(publication, json_form(PayloadForm::plain, Envelope::bare)),
            R"({"channel":"news","pub":{"data":"x","info":{"user":"u","client":"c","conn_info":1,"chan_info":{}},)"
            R"("offset":2,"tags":{"k":"v\""},"time":1700000000000,"key":"q"}})");
  EXPECT_EQ(
      encoded(publication, protobuf_form(PayloadForm::plain, Envelope::bare)),
      delimited(bytes(2, "news") +
                bytes(4, bytes(4, R"("x")") + bytes(5, bytes(1, "u") + bytes(2, "c") + bytes(3, "1") + bytes(4, "{}")) +
                             number(6, 2) + entry(7, "k", "v\"") + number(9, 1700000000000) + bytes(11, "q"))));
}

TEST(PublicationEncoder, ShowsBinaryToJsonClientsAsBase64) {
  const Publication binary = made(std::string("\0\x01\xFF\xFE", 4), false);
  EXPECT_EQ(encoded(binary, json_form(PayloadForm::plain, Envelope::bare)),
            R"({"channel":"news","pub":{"data":{"b64data":"AAH//g=="},"offset":2}})");
  EXPECT_EQ(encoded(binary, json_form(PayloadForm::delta_base, Envelope::bare)),
            R"({"channel":"news","pub":{"data":"{\"b64data\":\"AAH//g==\"}","offset":2}})");
  EXPECT_EQ(encoded(binary, protobuf_form(PayloadForm::delta_base, Envelope::bare)),
            delimited(bytes(2, "news") + bytes(4, bytes(4, binary.data) + number(6, 2))));
}

TEST(PublicationEncoder, LeavesEmptyDataOut) {
  EXPECT_EQ(encoded(made("", false), json_form(PayloadForm::plain, Envelope::bare)),
            R"({"channel":"news","pub":{"offset":2}})");
}

const Publication before = made(R"({"text":"Съешь же ещё этих мягких булок","n":1})");
const Publication after = made(R"({"text":"Съешь же ещё этих мятких булок","n":1})");

TEST(PublicationEncoder, WritesDeltasOfTextAsText) {
  const auto delta = fossil::create_utf8(before.data, after.data);
  ASSERT_TRUE(delta);
  const std::string frame = encoded(after, json_form(PayloadForm::delta, Envelope::bare), &before);
  std::string escaped = *delta;
  escaped.replace(escaped.find('\n'), 1, "\\n");
  EXPECT_EQ(frame, R"({"channel":"news","pub":{"data":")" + escaped + R"(","offset":2,"delta":true}})");
  EXPECT_EQ(encoded(after, protobuf_form(PayloadForm::delta, Envelope::bare), &before),
            delimited(bytes(2, "news") +
                      bytes(4, bytes(4, fossil::create(before.data, after.data)) + number(6, 2) + number(8, 1))));
}

TEST(PublicationEncoder, FallsBackToTheWholePayload) {
  const Publication other = made("[1]");
  for (const WireFormat format : {WireFormat::json, WireFormat::protobuf}) {
    const WireForm whole{format, PayloadForm::delta_base, Envelope::reply, false};
    const WireForm delta{format, PayloadForm::delta, Envelope::reply, false};
    EXPECT_EQ(encoded(other, delta, &before), encoded(other, whole)) << "not shorter";
    EXPECT_EQ(encoded(after, delta, nullptr), encoded(after, whole)) << "no base";
  }
  EXPECT_EQ(encoded(other, json_form(PayloadForm::delta_base, Envelope::bare)),
            R"({"channel":"news","pub":{"data":"[1]","offset":2}})");
}

TEST(PublicationEncoder, DeltasBetweenBinaryAndTextGoByWhatClientsSee) {
  const Publication binary = made(std::string(300, '\xFF'), false);
  Publication changed = binary;
  changed.data[150] = 'x';
  const std::string frame = encoded(changed, json_form(PayloadForm::delta, Envelope::bare), &binary);
  EXPECT_TRUE(frame.contains(R"("delta":true)")) << frame;
  EXPECT_LT(frame.size(), 150U);
}

TEST(PublicationEncoder, EachFrameIsSharedOnce) {
  const Delivery delivery(*encoder, "news", 7, std::make_shared<const Publication>(after), {2, "e"}, nullptr);
  const SharedMessage& first = delivery.frame(json_form(PayloadForm::plain));
  EXPECT_EQ(&first, &delivery.frame(json_form(PayloadForm::plain)));
  EXPECT_NE(&first, &delivery.frame(protobuf_form(PayloadForm::plain)));
}

}  // namespace
}  // namespace fairlead::server
