// SPDX-License-Identifier: Apache-2.0
#include "api/http_transfer.h"

#include <algorithm>
#include <utility>

namespace fairlead::server {
namespace {

constexpr std::chrono::milliseconds longest_connect{5'000};

HttpFailure failure_of(CURLcode code) {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
      return HttpFailure::resolve;
    case CURLE_COULDNT_CONNECT:
      return HttpFailure::connect;
    case CURLE_OPERATION_TIMEDOUT:
      return HttpFailure::timed_out;
    case CURLE_WRITE_ERROR:
    case CURLE_FILESIZE_EXCEEDED:
      return HttpFailure::too_large;
    case CURLE_PEER_FAILED_VERIFICATION:
      return HttpFailure::certificate;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
      return HttpFailure::tls;
    case CURLE_FAILED_INIT:
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return HttpFailure::invalid;
    default:
      return HttpFailure::broken;
  }
}

}  // namespace

void initialise_curl() {
  static const CURLcode result = curl_global_init(CURL_GLOBAL_DEFAULT);
  static_cast<void>(result);
}

std::size_t HttpTransfer::take(char* bytes, std::size_t size, std::size_t count, void* transfer) {
  auto& self = *static_cast<HttpTransfer*>(transfer);
  const std::size_t length = size * count;
  if (length > self.exchange.response_bytes - self.body_.size()) {
    self.too_large_ = true;
    return 0;  // ends the transfer
  }
  self.body_.append(bytes, length);
  return length;
}

std::size_t HttpTransfer::give(char* bytes, std::size_t size, std::size_t count, void* transfer) {
  auto& self = *static_cast<HttpTransfer*>(transfer);
  const std::size_t length = self.exchange.post->copy(bytes, size * count, self.given_);
  self.given_ += length;
  return length;
}

void HttpTransfer::add_fields(CURL* easy) {
  for (const auto& [name, value] : exchange.headers) {
    // "Name;" is how curl is told of a field without a value.
    const std::string field = value.empty() ? name + ";" : name + ": " + value;
    if (auto* const longer = curl_slist_append(fields_, field.c_str())) fields_ = longer;
  }
  // A body above a kilobyte would else wait a second for a "100 Continue" that few servers send.
  if (auto* const longer = curl_slist_append(fields_, "Expect:")) fields_ = longer;
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, fields_);
}

void HttpTransfer::restrict(CURL* easy) const {
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy, CURLOPT_PROXY, "");  // also not from the environment
  curl_easy_setopt(easy, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
  curl_easy_setopt(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
}

// Reading the system's authorities takes some 20 ms. libcurl keeps what it has read of one file for a day, but only
// when no directory is to be looked at as well, and one file's at a time. A file of one's own is short, and what it
// says now counts: it is read for each new connection, and none resumes a session that another content had let in.
void HttpTransfer::trust(CURL* easy) const {
  curl_easy_setopt(easy, CURLOPT_CAPATH, nullptr);
  if (exchange.tls_ca_file.empty()) return;
  curl_easy_setopt(easy, CURLOPT_CAINFO, exchange.tls_ca_file.c_str());
  curl_easy_setopt(easy, CURLOPT_CA_CACHE_TIMEOUT, 0L);
  curl_easy_setopt(easy, CURLOPT_SSL_SESSIONID_CACHE, 0L);
}

void HttpTransfer::set_body(CURL* easy) {
  if (!exchange.post) return;
  curl_easy_setopt(easy, CURLOPT_POST, 1L);
  curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(exchange.post->size()));
  if (exchange.repeatable) {
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, exchange.post->data());
  } else {
    // A body that is read by a callback without a way back cannot be sent a second time: that is wanted here.
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, &HttpTransfer::give);
    curl_easy_setopt(easy, CURLOPT_READDATA, this);
  }
}

void HttpTransfer::prepare(CURL* easy, std::chrono::milliseconds limit) {
  limit = std::max(limit, std::chrono::milliseconds(1));
  curl_easy_setopt(easy, CURLOPT_URL, exchange.url.c_str());
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  // An exchange that is over does not wait for the thread that resolves its name: that would stand still for as long as
  // a name server does.
  curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(limit.count()));
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(std::min(limit, longest_connect).count()));
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &HttpTransfer::take);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set_body(easy);
  restrict(easy);
  trust(easy);
  add_fields(easy);
}

HttpAnswer HttpTransfer::answer(CURL* easy, CURLcode code) {
  long status = 0;
  long sent_bytes = 0;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(easy, CURLINFO_REQUEST_SIZE, &sent_bytes);
  if (code == CURLE_OK) return {static_cast<int>(status), std::move(body_), {}, {}};
  if (too_large_) return {0, {}, HttpFailure::too_large, curl_easy_strerror(code)};
  if (code == CURLE_UNSUPPORTED_PROTOCOL && sent_bytes != 0) {  // so libcurl says it of an answer
    return {0, {}, HttpFailure::broken, "what answers there does not speak HTTP"};
  }
  // Late before a byte of the request has left, on whatever connection.
  const bool never_asked = code == CURLE_OPERATION_TIMEDOUT && sent_bytes == 0;
  return {0, {}, never_asked ? HttpFailure::connect : failure_of(code), curl_easy_strerror(code)};
}

}  // namespace fairlead::server
