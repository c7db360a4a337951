// SPDX-License-Identifier: Apache-2.0
// A user's backend for tests: the library's own server on loopback, whose answers the test decides.
#pragma once

#include <fairlead/server.h>

#include <gtest/gtest.h>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace fairlead::server::testing {

class BackendServer {
 public:
  using Answering = std::function<Response(const Request&)>;

  explicit BackendServer(Answering answering, Tls tls = {})
      : answering_(std::move(answering)), server_(options(std::move(tls))) {
    server_.http("/*", [this](const Request& request) {
      const std::scoped_lock lock(mutex_);
      requests_.push_back(request);
      return answering_(request);
    });
  }
  // The URL's beginning: "http://127.0.0.1:1234".
  std::string listen() {
    const auto where = server_.dangerously_listen_without_tls("127.0.0.1:0");
    return "http://127.0.0.1:" + std::to_string(begin(where));
  }
  std::string listen_with_tls() { return "https://localhost:" + std::to_string(begin(server_.listen("127.0.0.1:0"))); }
  void stop() { server_.stop(); }
  void answer(Answering answering) {
    const std::scoped_lock lock(mutex_);
    answering_ = std::move(answering);
  }
  std::vector<Request> requests() {
    const std::scoped_lock lock(mutex_);
    return requests_;
  }

 private:
  static ServerOptions options(Tls tls) {
    ServerOptions options;
    options.tls = std::move(tls);
    options.threads = 1;
    return options;
  }
  std::uint16_t begin(const Result<Listening>& where) {
    EXPECT_TRUE(where.has_value()) << (where ? "" : to_string(where.error()));
    const auto started = server_.start();
    EXPECT_TRUE(started.has_value()) << (started ? "" : to_string(started.error()));
    return where ? where->port : std::uint16_t{0};
  }

  std::mutex mutex_;
  Answering answering_;
  std::vector<Request> requests_;
  Server server_;  // last: it ends before what its handler uses
};

// Waits for one value from another thread.
template <class T>
class Arrival {
 public:
  auto setter() {
    return [this](T value) {
      const std::scoped_lock lock(mutex_);
      values_.push_back(std::move(value));
      arrived_.notify_all();
    };
  }
  T wait() {
    std::unique_lock lock(mutex_);
    const bool came = arrived_.wait_for(lock, std::chrono::seconds(20), [this] { return !values_.empty(); });
    EXPECT_TRUE(came) << "no answer came";
    return came ? values_.front() : T{};
  }
  std::size_t count() {
    const std::scoped_lock lock(mutex_);
    return values_.size();
  }

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::vector<T> values_;
};

}  // namespace fairlead::server::testing
