// SPDX-License-Identifier: Apache-2.0
// The WebSocket core without I/O: a server and a client in one thread, joined by two strings. What a program with its
// own event loop or transport would do with its sockets, this one does with `pipe`.
#include <fairlead/protocol.h>

#include <array>
#include <cstdlib>
#include <iostream>
#include <string>
#include <utility>

namespace {

using namespace fairlead;  // NOLINT(google-build-using-namespace): a program of one file

TimePoint now() { return Clock::now(); }

// Moves what one side wants to send, as a socket would.
template <class Handshake>
void write_handshake(Handshake& from, std::string& pipe) {
  pipe += as_text(from.output());
  from.consume(from.output().size());
}

void write(protocol::Connection& from, std::string& pipe) {
  std::array<Bytes, 8> views;
  while (const std::size_t count = from.output(views)) {
    std::size_t taken = 0;
    for (std::size_t index = 0; index < count; ++index) {
      pipe += as_text(views.at(index));
      taken += views.at(index).size();
    }
    from.consume(taken);
  }
}

// Reads what arrived and hands each text to `on_text`.
template <class OnText>
void read(protocol::Connection& to, std::string& pipe, OnText on_text) {
  to.receive(std::as_writable_bytes(std::span<char>(pipe)), now());
  while (const auto event = to.next_event())
    if (const auto* message = std::get_if<protocol::MessageEvent>(&*event)) on_text(message->message.text());
  to.retain();  // `pipe` is used again
  pipe.clear();
}

int run() {
  protocol::Context context;
  std::string up;
  std::string down;

  // The opening handshake.
  protocol::ServerHandshake server_handshake(context, {}, now());
  auto client_handshake = protocol::ClientHandshake::start(context, {}, *parse_url("ws://pipe/echo"), {}, now());
  if (!client_handshake) return EXIT_FAILURE;
  write_handshake(*client_handshake, up);
  server_handshake.receive(as_bytes(std::exchange(up, {})), now());
  const auto request = server_handshake.next_request();
  if (!request || !*request) return EXIT_FAILURE;
  std::cout << "server: a request for " << (*request)->path << '\n';
  auto server = server_handshake.accept({}, now());
  if (!server) return EXIT_FAILURE;
  write_handshake(server_handshake, down);
  client_handshake->receive(as_bytes(std::exchange(down, {})), now());
  auto client = client_handshake->next_channel(now());
  if (!client || !*client) return EXIT_FAILURE;

  // A message there and back.
  protocol::Connection& ours = (*client)->connection;
  if (ours.send_text("hello through a pipe", now()) != protocol::Sent::accepted) return EXIT_FAILURE;
  write(ours, up);
  read(server->connection, up, [&](std::string_view text) { (void)server->connection.send_text(text, now()); });
  write(server->connection, down);
  read(ours, down, [](std::string_view text) { std::cout << "client: " << text << '\n'; });

  // The close handshake.
  if (!ours.close(close_code::normal, "done", now())) return EXIT_FAILURE;
  write(ours, up);
  read(server->connection, up, [](std::string_view) {});
  write(server->connection, down);
  read(ours, down, [](std::string_view) {});
  const CloseInfo end = ours.close_info();
  std::cout << "closed with " << end.code << (end.clean ? ", clean" : ", not clean") << '\n';
  return end.clean ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace

int main() { return run(); }
