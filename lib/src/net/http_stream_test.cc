// SPDX-License-Identifier: Apache-2.0
// Streamed HTTP answers, body limits of routes and inherited listeners, byte by byte over loopback.
#include "net/raw_peer_testing.h"
#include "net/testing.h"
#include "tls/context.h"
#include "tls/engine.h"
#include "tls/scratch.h"

#include <fairlead/loop.h>
#include <fairlead/server.h>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace fairlead {
namespace {

using net::testing::PlainServer;
using net::testing::RawPeer;
using net::testing::soon;
using net::testing::TestServer;
using std::chrono::milliseconds;
using std::chrono::seconds;

// Runs `work` on the server's loop and waits for it.
void on_loop(Server& server, const std::function<void()>& work) {
  std::promise<void> done;
  ASSERT_TRUE(server.loops().front().post([&] {
    work();
    done.set_value();
  }));
  ASSERT_EQ(done.get_future().wait_for(seconds(10)), std::future_status::ready);
}

constexpr std::string_view get = "GET /s HTTP/1.1\r\nHost: x\r\n\r\n";

Response three_pieces() {
  return Response::stream(200, {{"Content-Type", "text/plain"}}, [](ResponseStream out) {
    EXPECT_EQ(out.send("one"), SendResult::sent);
    out.send("");
    out.send("two two two two two");
    out.send(as_bytes("3"));
    out.end();
    EXPECT_EQ(out.send("late"), SendResult::closed);
    EXPECT_FALSE(out.open());
  });
}

TEST(StreamedAnswer, IsChunkedAndTheConnectionServesTheNextRequest) {
  PlainServer server([](Server& s) { s.http("/s", [](const Request&) { return three_pieces(); }); });
  RawPeer peer(server.port());
  for (int round = 0; round < 2; ++round) {
    ASSERT_TRUE(peer.send(get));
    const std::string answer = peer.read_until("0\r\n\r\n");
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n")) << answer;
    EXPECT_NE(answer.find("Transfer-Encoding: chunked\r\n"), std::string::npos);
    EXPECT_EQ(answer.find("Content-Length"), std::string::npos);
    EXPECT_TRUE(answer.ends_with("\r\n\r\n3\r\none\r\n13\r\ntwo two two two two\r\n1\r\n3\r\n0\r\n\r\n")) << answer;
    peer.forget();
  }
}

TEST(StreamedAnswer, ToHttp10EndsWithItsConnection) {
  PlainServer server([](Server& s) { s.http("/s", [](const Request&) { return three_pieces(); }); });
  RawPeer peer(server.port());
  ASSERT_TRUE(peer.send("GET /s HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
  const std::string answer = peer.read_to_end();
  EXPECT_TRUE(peer.ended());
  EXPECT_EQ(answer.find("chunked"), std::string::npos);
  EXPECT_TRUE(answer.ends_with("\r\n\r\nonetwo two two two two3")) << answer;
}

TEST(StreamedAnswer, ToHeadIsItsHeadAlone) {
  std::atomic<bool> begun = false;
  PlainServer server([&](Server& s) {
    s.http("/s", [&](const Request&) { return Response::stream(200, {}, [&](ResponseStream) { begun = true; }); });
  });
  RawPeer peer(server.port());
  ASSERT_TRUE(peer.send("HEAD /s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
  EXPECT_TRUE(peer.read_to_end().ends_with("\r\n\r\n"));
  EXPECT_FALSE(begun);
}

TEST(StreamedAnswer, ComesWhenAnAsynchronousHandlerAnswers) {
  PlainServer server([](Server& s) {
    s.http_async("/s", [](const Request&) -> Task<Response> {
      static_cast<void>(co_await sleep_for(milliseconds(5)));
      co_return three_pieces();
    });
  });
  RawPeer peer(server.port());
  ASSERT_TRUE(peer.send(get));
  EXPECT_NE(peer.read_until("0\r\n\r\n").find("3\r\none\r\n"), std::string::npos);
}

// A stream that the test holds on to.
struct Held {
  ResponseStream stream;  // loop's thread
  std::atomic<bool> open = false, closed = false;
  std::atomic<int> drained = 0;

  Response answer() {
    return Response::stream(200, {}, [this](ResponseStream out) {
      out.on_close([this] { closed = true; });
      out.on_drain([this] { ++drained; });
      stream = std::move(out);
      open = true;
    });
  }
};

TEST(StreamedAnswer, OutlivesIdleTimesAndCarriesLaterPieces) {
  Held held;
  PlainServer server([&](Server& s) { s.http("/s", [&](const Request&) { return held.answer(); }); },
                     {.limits = {.http_head_time = milliseconds(50),
                                 .http_idle_time = milliseconds(50),
                                 .accept_time = milliseconds(50),
                                 .idle_time = milliseconds(50),
                                 .write_stall_time = milliseconds(50)}});
  RawPeer peer(server.port());
  ASSERT_TRUE(peer.send(get));
  ASSERT_TRUE(soon([&] { return held.open.load(); }));
  EXPECT_TRUE(peer.read_until("\r\n\r\n").ends_with("\r\n\r\n")) << "the head leaves before the first piece";
  std::this_thread::sleep_for(milliseconds(250));
  on_loop(server.server(), [&] {
    EXPECT_EQ(held.stream.send("still here"), SendResult::sent);
    held.stream.end();
  });
  EXPECT_TRUE(peer.read_until("0\r\n\r\n").ends_with("a\r\nstill here\r\n0\r\n\r\n"));
  EXPECT_FALSE(held.closed) << "its own end is no news";
}

TEST(StreamedAnswer, IsToldThatThePeerHasGone) {
  Held held;
  PlainServer server([&](Server& s) { s.http("/s", [&](const Request&) { return held.answer(); }); });
  {
    RawPeer peer(server.port());
    ASSERT_TRUE(peer.send(get));
    ASSERT_TRUE(soon([&] { return held.open.load(); }));
  }
  EXPECT_TRUE(soon([&] { return held.closed.load(); }));
  on_loop(server.server(), [&] {
    EXPECT_EQ(held.stream.send("nobody"), SendResult::closed);
    EXPECT_EQ(held.stream.queued_bytes(), 0U);
    held.stream.end();
  });
  EXPECT_TRUE(soon([&] { return server.server().stats().connections == 0; }));
}

TEST(StreamedAnswer, IsCutWhenNobodyCanEndItAnyMore) {
  PlainServer server([&](Server& s) {
    s.http("/s",
           [](const Request&) { return Response::stream(200, {}, [](ResponseStream out) { out.send("part"); }); });
  });
  RawPeer peer(server.port());
  ASSERT_TRUE(peer.send(get));
  const std::string answer = peer.read_to_end();
  EXPECT_TRUE(peer.ended());
  EXPECT_EQ(answer.find("0\r\n\r\n"), std::string::npos) << "the peer can tell that it is not whole";
}

TEST(StreamedAnswer, IsCutWhenItsBeginningThrows) {
  PlainServer server([&](Server& s) {
    s.http("/s", [](const Request&) {
      return Response::stream(200, {}, [](const ResponseStream&) { throw std::runtime_error("no"); });
    });
  });
  RawPeer peer(server.port());
  ASSERT_TRUE(peer.send(get));
  peer.read_to_end();
  EXPECT_TRUE(peer.ended());
}

TEST(StreamedAnswer, IsCutWhenItsBeginningThrowsWhateverItIs) {
  PlainServer server([&](Server& s) {
    s.http("/s", [](const Request&) { return Response::stream(200, {}, [](const ResponseStream&) { throw 1; }); });
  });
  for (int round = 0; round < 2; ++round) {  // the server lives
    RawPeer peer(server.port());
    ASSERT_TRUE(peer.send(get));
    EXPECT_EQ(peer.read_to_end().find("0\r\n\r\n"), std::string::npos);
    EXPECT_TRUE(peer.ended());
  }
  EXPECT_TRUE(soon([&] { return server.server().stats().failed(Errc::system) == 2; }));
}

TEST(StreamedAnswer, WhoThrowsWhenItEndsDoesNotEndTheServer) {
  ResponseStream kept;
  PlainServer server([&](Server& s) {
    s.http("/s", [&](const Request&) {
      return Response::stream(200, {}, [&](ResponseStream out) {
        out.on_close([] { throw 1; });
        kept = std::move(out);
      });
    });
  });
  {
    RawPeer peer(server.port());
    ASSERT_TRUE(peer.send(get));
    EXPECT_TRUE(peer.read_until("\r\n\r\n").ends_with("\r\n\r\n"));
  }
  EXPECT_TRUE(soon([&] { return server.server().stats().failed(Errc::system) == 1; }));
  RawPeer next(server.port());
  ASSERT_TRUE(next.send(get));
  EXPECT_TRUE(next.read_until("\r\n\r\n").starts_with("HTTP/1.1 200"));
  on_loop(server.server(), [&] { kept = {}; });
}

TEST(StreamedAnswer, ASlowPeerIsBoundedAndCut) {
  Held held;
  constexpr std::size_t limit = 64 * 1024;
  PlainServer server(
      [&](Server& s) { s.http("/s", [&](const Request&) { return held.answer(); }, {.outgoing_queue_bytes = limit}); });
  RawPeer peer(server.port(), 4'096);
  ASSERT_TRUE(peer.send(get));
  ASSERT_TRUE(soon([&] { return held.open.load(); }));
  std::atomic<bool> over = false;
  std::size_t most = 0;
  for (int i = 0; i < 2'000 && !over; ++i) {
    on_loop(server.server(), [&] {
      over = held.stream.send(std::string(16 * 1024, 'x')) == SendResult::over_limit;
      most = std::max(most, held.stream.queued_bytes());
    });
  }
  EXPECT_TRUE(over);
  EXPECT_LE(most, limit + 64) << "the limit and a chunk's frame";
  EXPECT_TRUE(soon([&] { return held.closed.load(); }));
  EXPECT_EQ(server.server().stats().failed(Errc::outgoing_queue_full), 1U);
}

TEST(StreamedAnswer, APeerThatTakesNothingIsEndedAfterTheStallTime) {
  Held held;
  PlainServer server([&](Server& s) { s.http("/s", [&](const Request&) { return held.answer(); }); },
                     {.limits = {.outgoing_queue_bytes = 64 * 1024 * 1024, .write_stall_time = milliseconds(100)}});
  RawPeer peer(server.port(), 4'096);
  ASSERT_TRUE(peer.send(get));
  ASSERT_TRUE(soon([&] { return held.open.load(); }));
  on_loop(server.server(), [&] { held.stream.send(std::string(16 * 1024 * 1024, 'x')); });
  EXPECT_TRUE(soon([&] { return held.closed.load(); }));
}

TEST(StreamedAnswer, TellsWhenAPeerHasCaughtUp) {
  Held held;
  PlainServer server([&](Server& s) { s.http("/s", [&](const Request&) { return held.answer(); }); },
                     {.limits = {.outgoing_queue_bytes = 8 * 1024 * 1024}});
  RawPeer peer(server.port(), 4'096);
  ASSERT_TRUE(peer.send(get));
  ASSERT_TRUE(soon([&] { return held.open.load(); }));
  on_loop(server.server(), [&] {
    held.stream.send(std::string(7 * 1024 * 1024, 'x'));
    held.stream.send("END");
    EXPECT_EQ(held.drained, 0);
  });
  peer.read_until("END");
  EXPECT_TRUE(soon([&] { return held.drained.load() == 1; }));
}

TEST(StreamedAnswer, LetsAPipelinedRequestWait) {
  Held held;
  PlainServer server([&](Server& s) {
    s.http("/s", [&](const Request&) { return held.answer(); });
    s.http("/next", [](const Request&) { return Response::text(200, "next one"); });
  });
  RawPeer peer(server.port());
  ASSERT_TRUE(peer.send(std::string(get) + "GET /next HTTP/1.1\r\nHost: x\r\n\r\n"));
  ASSERT_TRUE(soon([&] { return held.open.load(); }));
  on_loop(server.server(), [&] {
    held.stream.send("first");
    held.stream.end();
  });
  const std::string& seen = peer.read_until("next one");
  EXPECT_LT(seen.find("first"), seen.find("next one"));
}

TEST(StreamedAnswer, IsCutWhenMoreThanAHeadComesMeanwhile) {
  Held held;
  PlainServer server([&](Server& s) { s.http("/s", [&](const Request&) { return held.answer(); }); });
  RawPeer peer(server.port());
  ASSERT_TRUE(peer.send(get));
  ASSERT_TRUE(soon([&] { return held.open.load(); }));
  ASSERT_TRUE(peer.send(std::string(Limits().http_head_bytes + 1, 'x')));
  peer.read_to_end();
  EXPECT_TRUE(peer.ended());
  on_loop(server.server(), [&] { EXPECT_EQ(held.stream.send("more"), SendResult::closed); });
}

// Speaks TLS, and can send what is no record of its connection.
class TlsPeer {
 public:
  explicit TlsPeer(std::uint16_t port) : raw_(port) {
    auto context = tls::ClientContext::build(net::testing::client_options().tls);
    EXPECT_TRUE(context) << to_string(context.error());
    engine_ = tls::make_engine(*context, scratch_, "localhost");
    for (bool secured = false; !secured;) {
      secured = take_events();
      flush();
      raw_.forget();
      if (!secured && !raw_.read_some()) break;
      engine_->receive(as_bytes(raw_.seen()));
    }
  }
  void send(std::string_view text) {
    engine_->seal(as_bytes(text));
    flush();
  }
  bool send_garbage() const { return raw_.send(std::string("\x17\x03\x03\x00\x20", 5) + std::string(32, 'x')); }

 private:
  bool take_events() {
    bool secured = false;
    while (const auto event = engine_->next_event()) {
      secured = secured || std::holds_alternative<tls::HandshakeDone>(*event);
      EXPECT_FALSE(std::holds_alternative<tls::Failed>(*event));
    }
    return secured;
  }
  void flush() {
    const std::string out(as_text(engine_->output()));
    engine_->consume(out.size());
    EXPECT_TRUE(raw_.send(out));
  }

  RawPeer raw_;
  tls::Scratch scratch_;
  std::unique_ptr<tls::Engine> engine_;
};

// A server whose one answer goes on for as long as `answer` is there, whoever asked for it.
class KeptAnswer {
 public:
  KeptAnswer() {
    TlsPeer peer(server.port());
    peer.send("GET /s HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_TRUE(soon([&] { return begun.load(); }));
    EXPECT_TRUE(peer.send_garbage());
    EXPECT_TRUE(soon([&] { return server.server().stats().failed(Errc::tls_protocol_error) == 1; }));
    on_loop(server.server(), [&] { sent_behind_it = answer.send("more"); });
  }
  KeptAnswer(const KeptAnswer&) = delete;
  KeptAnswer& operator=(const KeptAnswer&) = delete;
  ~KeptAnswer() {
    on_loop(server.server(), [&] { answer = {}; });
  }

  SendResult sent_behind_it = SendResult::sent;
  ResponseStream answer;
  std::atomic<bool> begun = false;
  std::atomic<int> told_of_end = 0;
  TestServer server{[this](Server& s) {
    s.http("/s", [this](const Request&) {
      return Response::stream(200, {}, [this](ResponseStream out) {
        out.on_close([this] { ++told_of_end; });
        out.send("begun");
        answer = std::move(out);
        begun = true;
      });
    });
  }};
};

TEST(StreamedAnswer, WhosePeerBreaksTlsHasEndedForWhoSendsIt) {
  KeptAnswer kept;
  EXPECT_EQ(kept.sent_behind_it, SendResult::closed);
  EXPECT_EQ(kept.told_of_end, 1);
  EXPECT_TRUE(soon([&] { return kept.server.server().stats().connections == 0; }));
  SendResult later = SendResult::sent;
  on_loop(kept.server.server(), [&] { later = kept.answer.send("more"); });
  EXPECT_EQ(later, SendResult::closed) << "nor when the connection has gone";
  EXPECT_EQ(kept.told_of_end, 1);
}

TEST(StreamedAnswer, IsToldWhenTheServerEnds) {
  Held held;
  {
    PlainServer server([&](Server& s) { s.http("/s", [&](const Request&) { return held.answer(); }); });
    RawPeer peer(server.port());
    ASSERT_TRUE(peer.send(get));
    ASSERT_TRUE(soon([&] { return held.open.load(); }));
  }
  EXPECT_TRUE(held.closed);
  EXPECT_FALSE(held.stream.open());
}

std::string post_of(std::string_view path, std::size_t bytes) {
  return "POST " + std::string(path) + " HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(bytes) + "\r\n\r\n" +
         std::string(bytes, 'b');
}

// One that ends its answer may be kept by nothing but the callbacks of that answer.
TEST(StreamedAnswer, MayBeEndedByWhoeverItsCallbacksKeep) {
  struct Owner {
    ResponseStream answer;
    std::string last = "the last words, longer than what a string holds in itself";
    void end() {
      answer.send(last);
      answer.end();
      last += ", and more";  // it is still here
      done = true;
    }
    std::atomic<bool>& done;
  };
  std::atomic<bool> done = false;
  PlainServer server([&](Server& s) {
    s.http("/s", [&](const Request&) {
      return Response::stream(200, {}, [&](ResponseStream out) {
        const auto owner = std::make_shared<Owner>(Owner{.answer = out, .done = done});
        out.on_close([owner] {});
        LoopHandle::current().post([weak = std::weak_ptr(owner)] {
          if (Owner* const raw = weak.lock().get()) raw->end();
        });
      });
    });
  });
  RawPeer peer(server.port());
  ASSERT_TRUE(peer.send(get));
  EXPECT_TRUE(peer.read_until("0\r\n\r\n").ends_with("in itself\r\n0\r\n\r\n"));
  EXPECT_TRUE(done);
}

TEST(Pipelining, KeepsNobodyElseWaiting) {
  constexpr int requests = 2'000;
  std::atomic<int> served = 0;
  std::atomic<int> when_another_had_its_turn = 0;
  PlainServer server([&](Server& s) {
    s.http("/s", [&](const Request&) {
      if (++served == 1) LoopHandle::current().post([&] { when_another_had_its_turn = served.load(); });
      return Response::text(200, "x");
    });
  });
  RawPeer peer(server.port());
  std::string pipeline;
  for (int i = 0; i < requests; ++i) pipeline += get;
  ASSERT_TRUE(peer.send(pipeline));
  peer.end();
  const std::string& answers = peer.read_to_end();
  EXPECT_TRUE(peer.ended());
  EXPECT_EQ(served, requests) << "the end of the peer's direction stands behind them";
  EXPECT_TRUE(answers.ends_with("\r\n\r\nx"));
  EXPECT_LE(when_another_had_its_turn, 2);
}

TEST(BodyLimit, OfAllTogetherIsAShareOfTheMemoryBudget) {
  ServerOptions options;
  options.limits.memory_budget_bytes = std::size_t{1} << 20U;
  PlainServer server([](Server& s) { s.http("/s", [](const Request&) { return Response::text(200, "whole"); }); },
                     std::move(options));
  const std::string half = "POST /s HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n" + std::string(50'000, 'x');
  const auto held = [&] { return server.server().stats().buffer_bytes; };
  {
    std::vector<std::unique_ptr<RawPeer>> slow;
    for (std::size_t i = 1; i <= 5; ++i) {  // 250,000 of the 262,144 bytes that they may have
      slow.push_back(std::make_unique<RawPeer>(server.port()));
      ASSERT_TRUE(slow.back()->send(half));
      ASSERT_TRUE(soon([&] { return held() >= i * 50'000; }));
    }
    RawPeer one_more(server.port());
    ASSERT_TRUE(one_more.send(half));
    EXPECT_TRUE(one_more.read_to_end().starts_with("HTTP/1.1 503 "));
    EXPECT_TRUE(one_more.ended());
    ASSERT_TRUE(slow.front()->send(std::string(10'000, 'x')));
    EXPECT_TRUE(slow.front()->read_until("whole").starts_with("HTTP/1.1 200 "));
  }
  EXPECT_TRUE(soon([&] { return held() < 50'000; }));
  EXPECT_EQ(server.server().stats().failed(Errc::memory_budget_exceeded), 1U);
}

TEST(BodyLimit, OfARouteIsItsOwn) {
  PlainServer server(
      [](Server& s) {
        const auto size = [](const Request& r) {
          return Response::text(200, std::to_string(r.body.size()) + " bytes");
        };
        s.http("/large", size, {.body_bytes = 3'000});
        s.http("/small", size, {.body_bytes = 10});
        s.http("/usual", size);
      },
      {.limits = {.http_body_bytes = 1'000}});
  const auto ask = [&](std::string_view path, std::size_t bytes) {
    RawPeer peer(server.port());
    peer.send(post_of(path, bytes));
    return peer.read_until("\r\n\r\n").substr(9, 3);
  };
  EXPECT_EQ(ask("/large", 2'999), "200");
  EXPECT_EQ(ask("/large", 3'000), "200");
  EXPECT_EQ(ask("/large", 3'001), "413");
  EXPECT_EQ(ask("/small", 10), "200");
  EXPECT_EQ(ask("/small", 11), "413");
  EXPECT_EQ(ask("/usual", 1'000), "200");
  EXPECT_EQ(ask("/usual", 1'001), "413");
  EXPECT_EQ(ask("/nowhere", 1'001), "413");
}

int listening_socket(std::uint32_t address = INADDR_LOOPBACK) {
  const int descriptor = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(address);
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast)
  EXPECT_EQ(::bind(descriptor, reinterpret_cast<const sockaddr*>(&at), sizeof at), 0);
  EXPECT_EQ(::listen(descriptor, 16), 0);
  return descriptor;
}

TEST(InheritedListener, IsServedByAllLoops) {
  Server server({.threads = 2});
  server.http("/", [](const Request&) { return Response::text(200, "here"); });
  const auto listening = server.dangerously_listen_descriptor_without_tls(listening_socket());
  ASSERT_TRUE(listening) << to_string(listening.error());
  EXPECT_EQ(listening->address, "127.0.0.1");
  EXPECT_NE(listening->port, 0);
  ASSERT_TRUE(server.start());
  for (int i = 0; i < 4; ++i) {
    RawPeer peer(listening->port);
    ASSERT_TRUE(peer.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
    EXPECT_TRUE(peer.read_to_end().ends_with("here"));
  }
}

TEST(InheritedListener, ServesTls) {
  Server server({.tls = Tls::development(net::testing::certificate_directory()), .threads = 1});
  server.websocket("/", [](Connection& ws) -> Task<> {
    ws.send("hello");
    co_return;
  });
  const auto listening = server.listen_descriptor(listening_socket());
  ASSERT_TRUE(listening) << to_string(listening.error());
  ASSERT_TRUE(server.start());
  std::string got;
  run([&]() -> Task<> {
    auto ws = co_await connect(listening->url(), net::testing::client_options());
    EXPECT_TRUE(ws);
    if (!ws) co_return;
    const auto message = co_await ws->receive(seconds(10));
    if (message) got = message->payload;
  });
  EXPECT_EQ(got, "hello");
}

TEST(InheritedListener, MustListenAndStayOnTheMachineInCleartext) {
  Server server({.threads = 1});
  EXPECT_FALSE(server.dangerously_listen_descriptor_without_tls(::socket(AF_INET, SOCK_STREAM, 0)));
  EXPECT_FALSE(server.dangerously_listen_descriptor_without_tls(-1));
  EXPECT_FALSE(server.dangerously_listen_descriptor_without_tls(listening_socket(INADDR_ANY)));
  EXPECT_TRUE(server.dangerously_listen_descriptor_without_tls(listening_socket(INADDR_ANY), true));
}

TEST(Refusals, OfAHeadRequestHaveNoBody) {  // RFC 9110 9.3.2
  PlainServer server(
      [](Server& s) {
        s.http_async("/slow", [](const Request&) -> Task<Response> {
          static_cast<void>(co_await sleep_for(seconds(3600)));
          co_return Response::empty(204);
        });
      },
      {.limits = {.accept_time = milliseconds(20)}, .origin = {.hosts = {"here.example"}}});
  for (const std::string target : {"/slow HTTP/1.1\r\nHost: here.example", "/ HTTP/1.1\r\nHost: elsewhere.example"}) {
    RawPeer peer(server.port());
    ASSERT_TRUE(peer.send("HEAD " + target + "\r\n\r\n"));
    const std::string& answer = peer.read_to_end();
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 ")) << answer;
    EXPECT_TRUE(answer.ends_with("\r\n\r\n")) << answer;
  }
}

// A client that ends its direction at once may still read. One that then vanishes must not keep its place for ever.
TEST(LongAnswers, ToAClientThatEndedItsDirectionAndVanishedEnd) {
  PlainServer server([](Server& s) {
    s.http("/s", [](const Request&) { return Response::text(200, std::string(50'000'000, 'x')); });
  });
  {
    RawPeer peer(server.port(), 4'096);
    ASSERT_TRUE(peer.send(get));
    peer.end();
    peer.read_until("xxx");
    peer.reset_at_the_end();
  }
  EXPECT_TRUE(soon([&] { return server.server().stats().connections == 0; }));
}

}  // namespace
}  // namespace fairlead
