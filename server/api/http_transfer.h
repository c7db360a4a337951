// SPDX-License-Identifier: Apache-2.0
// One exchange as libcurl does it, by whichever of its interfaces: what it is told, and what became of it.
#pragma once

#include "api/http_client.h"

#include <curl/curl.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

namespace fairlead::server {

// libcurl is ready. Once is enough; any thread.
void initialise_curl();

class HttpTransfer {
 public:
  explicit HttpTransfer(HttpExchange asked) : exchange(std::move(asked)) {}
  HttpTransfer(const HttpTransfer&) = delete;
  HttpTransfer& operator=(const HttpTransfer&) = delete;
  ~HttpTransfer() { curl_slist_free_all(fields_); }

  // Tells `easy` all of it, `limit` instead of the exchange's own time. Both stay where they are until it has ended.
  void prepare(CURL* easy, std::chrono::milliseconds limit);
  // Once it has ended.
  [[nodiscard]] HttpAnswer answer(CURL* easy, CURLcode code);

  HttpExchange exchange;

 private:
  static std::size_t take(char* bytes, std::size_t size, std::size_t count, void* transfer);
  static std::size_t give(char* bytes, std::size_t size, std::size_t count, void* transfer);
  void set_body(CURL* easy);
  void add_fields(CURL* easy);
  void restrict(CURL* easy) const;
  void trust(CURL* easy) const;

  std::string body_;
  bool too_large_ = false;
  curl_slist* fields_ = nullptr;
  std::size_t given_ = 0;  // bytes of the body
};

}  // namespace fairlead::server
