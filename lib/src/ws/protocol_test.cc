// SPDX-License-Identifier: Apache-2.0
// The public core from handshake to close, over nothing but strings.
#include <fairlead/protocol.h>

#include <gtest/gtest.h>

#include <array>
#include <optional>
#include <span>
#include <string>

namespace fairlead::protocol {
namespace {

const TimePoint now{std::chrono::hours(1)};

template <class Side>
std::string take(Side& side) {
  std::string bytes(as_text(side.output()));
  side.consume(bytes.size());
  return bytes;
}

std::string take(Connection& connection) {
  std::string all;
  std::array<Bytes, 4> views;
  while (const std::size_t count = connection.output(views)) {
    std::size_t taken = 0;
    for (const Bytes view : std::span(views).first(count)) {
      all.append(as_text(view));
      taken += view.size();
    }
    connection.consume(taken);
  }
  return all;
}

std::string last_text(Connection& connection, std::string bytes) {
  std::string text;
  connection.receive(std::as_writable_bytes(std::span<char>(bytes)), now);
  while (const auto event = connection.next_event())
    if (const auto* message = std::get_if<MessageEvent>(&*event)) text = message->message.text();
  connection.retain();
  return text;
}

struct Opened {
  Channel server;
  Channel client;
};

Opened shake(Context& context, const Options& options) {
  ServerHandshake server(context, options, now);
  auto client = ClientHandshake::start(context, options, *parse_url("ws://example.org/chat?x=1"),
                                       {.subprotocols = {"second", "first"}, .origin = {}, .headers = {}}, now);
  EXPECT_TRUE(client.has_value());
  server.receive(as_bytes(take(*client)), now);
  const auto request = server.next_request();
  EXPECT_TRUE(request.has_value() && request->has_value());
  EXPECT_EQ((*request)->path, "/chat");
  EXPECT_FALSE(server.accept({.subprotocol = "never offered", .headers = {}}, now));
  auto accepted = server.accept({.subprotocol = "first", .headers = {}}, now);
  EXPECT_TRUE(accepted.has_value());
  // The server's first message rides behind the 101.
  EXPECT_EQ(accepted->connection.send_text("welcome", now), Sent::accepted);
  client->receive(as_bytes(take(server) + take(accepted->connection)), now);
  auto channel = client->next_channel(now);
  EXPECT_TRUE(channel.has_value() && channel->has_value());
  return {std::move(*accepted), std::move(**channel)};
}

TEST(Protocol, FromHandshakeToClose) {
  Context context;
  Options options;
  options.compression.enabled = true;
  Opened opened = shake(context, options);
  EXPECT_EQ(opened.client.subprotocol, "first");
  EXPECT_EQ(last_text(opened.client.connection, {}), "welcome");
  const std::string text(2000, 'x');
  ASSERT_EQ(opened.client.connection.send_text(text, now), Sent::accepted);
  const std::string wire = take(opened.client.connection);
  EXPECT_LT(wire.size(), 200U) << "compression was agreed on";
  EXPECT_EQ(last_text(opened.server.connection, wire), text);
  ASSERT_TRUE(opened.server.connection.close(close_code::normal, "bye", now));
  last_text(opened.client.connection, take(opened.server.connection));
  last_text(opened.server.connection, take(opened.client.connection));
  EXPECT_TRUE(opened.server.connection.finished());
  EXPECT_TRUE(opened.client.connection.close_info().clean);
  EXPECT_EQ(opened.client.connection.close_info().reason, "bye");
  EXPECT_EQ(context.buffered_bytes(), 0U);
}

TEST(Protocol, ARequestThatIsNoHandshakeIsAnswered) {
  Context context;
  ServerHandshake server(context, {}, now);
  server.receive(as_bytes("GET / HTTP/1.1\r\nHost: example.org\r\n\r\n"), now);
  const auto request = server.next_request();
  ASSERT_TRUE(request.has_value());
  EXPECT_FALSE(request->has_value());
  EXPECT_TRUE(take(server).starts_with("HTTP/1.1 426 "));
  EXPECT_FALSE(server.accept({}, now));
}

TEST(Protocol, AServerMayRefuse) {
  Context context;
  ServerHandshake server(context, {}, now);
  auto client = ClientHandshake::start(context, {}, *parse_url("ws://example.org/"), {}, now);
  ASSERT_TRUE(client.has_value());
  server.receive(as_bytes(take(*client)), now);
  ASSERT_TRUE(server.next_request().has_value());
  server.refuse(Response::text(403, "no"));
  client->receive(as_bytes(take(server)), now);
  const auto channel = client->next_channel(now);
  ASSERT_TRUE(channel.has_value());
  ASSERT_FALSE(channel->has_value());
  EXPECT_EQ(channel->error().code, Errc::handshake_refused);
}

TEST(Protocol, AClientRefusesA101ThatHttpForbids) {
  const auto answered = [](std::string_view from, std::string_view to) {
    Context context;
    ServerHandshake server(context, {}, now);
    auto client = ClientHandshake::start(context, {}, *parse_url("ws://example.org/"), {}, now);
    server.receive(as_bytes(take(*client)), now);
    static_cast<void>(server.next_request());
    EXPECT_TRUE(server.accept({}, now));
    std::string answer = take(server);
    answer.replace(answer.find(from), from.size(), to);
    client->receive(as_bytes(answer), now);
    auto channel = client->next_channel(now);
    return channel && !*channel ? std::optional(channel->error().code) : std::nullopt;
  };
  EXPECT_EQ(answered("HTTP/1.1", "HTTP/1.1"), std::nullopt);
  EXPECT_EQ(answered("HTTP/1.1", "HTTP/1.0"), Errc::http_unsupported_version);
  EXPECT_EQ(answered("\r\n\r\n", "\r\nContent-Length: 0\r\n\r\n"), std::nullopt);
  EXPECT_EQ(answered("\r\n\r\n", "\r\nContent-Length: 4\r\n\r\n"), Errc::http_malformed);
  EXPECT_EQ(answered("\r\n\r\n", "\r\nTransfer-Encoding: chunked\r\n\r\n"), Errc::http_malformed);
}

TEST(Protocol, HandshakesEndInTime) {
  Context context;
  ServerHandshake server(context, {}, now);
  ASSERT_TRUE(server.deadline().has_value());
  server.receive(as_bytes("GET / HT"), now);
  server.on_deadline(*server.deadline());
  const auto request = server.next_request();
  ASSERT_TRUE(request.has_value());
  EXPECT_FALSE(request->has_value());
  auto client = ClientHandshake::start(context, {}, *parse_url("ws://example.org/"), {}, now);
  ASSERT_TRUE(client.has_value());
  client->on_deadline(*client->deadline());
  EXPECT_FALSE(client->next_channel(now).value().has_value());
}

}  // namespace
}  // namespace fairlead::protocol
