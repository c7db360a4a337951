// SPDX-License-Identifier: Apache-2.0
// What is configured about the server's own HTTP API and about the backend that is asked: `http_api`, `proxies`,
// `client.proxy.*`, `rpc.*`, `events`, `attachments`.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace fairlead::server {

struct HttpApiSettings {
  std::string key;        // X-API-Key; empty and not insecure: the API answers 401
  bool insecure = false;  // no key is asked for
  bool disabled = false;
  std::string handler_prefix = "/api";
  std::string error_mode{};  // "transport": errors by status; a request may say otherwise
  std::size_t max_body_bytes = 1024 * 1024;
};

struct StatusTransform {
  int status_code = 0;
  std::uint32_t error_code = 0, disconnect_code = 0;  // one of them
  std::string message;
  bool temporary = false;
};
struct ProxySettings {
  std::string name;  // "default", or that of `proxies[]`
  std::string endpoint;
  std::chrono::milliseconds timeout{1'000};
  std::vector<std::string> http_headers;      // of the client's transport, passed on
  std::vector<std::string> emulated_headers;  // of its connect command: untrusted, passed on when named
  std::map<std::string, std::string> static_headers;
  std::vector<StatusTransform> status_to_code_transforms;
  bool include_connection_meta = false;
  bool binary_encoding = false;  // b64data instead of data
  std::string signing_secret;    // X-Fairlead-Signature: HMAC-SHA256 over time and body; empty: unsigned
  std::string tls_ca_file;       // instead of the system's
  unsigned retries = 1;          // of what changes nothing when repeated
  // Opens after so many failures in a row, and asks again after the pause.
  unsigned breaker_failures = 10;
  std::chrono::milliseconds breaker_pause{5'000};
  std::size_t connections = 32;  // kept alive and in flight at most
};

struct BackendSettings {
  ProxySettings connect, refresh;              // empty endpoint: not asked
  std::map<std::string, ProxySettings> named;  // for subscribe, publish, sub_refresh and rpc of namespaces
  std::size_t answer_bytes = 1024 * 1024;      // the longest answer: what lies behind it is not read
};

struct AttachmentSettings {  // `attachments`
  bool enabled = false;
  std::string handler_prefix = "/attachments";
  std::size_t max_bytes = 1024 * 1024;
  std::vector<std::string> types{"image/jpeg", "image/png", "image/webp", "image/gif"};
  std::string proxy_name = "default";  // whom the backend's two methods are asked of; default: `rpc.proxy`
  std::size_t at_a_time = 64, at_a_time_of_user = 8;
};

struct EventDeliverySettings {     // `events`
  bool enabled = false;            // the log is written
  std::string endpoint;            // delivered there; empty: read by API
  std::vector<std::string> kinds;  // empty: all
  std::size_t batch = 100;
  std::chrono::milliseconds retry_delay{1'000}, retry_delay_max{60'000};
  ProxySettings webhook;  // timeout, headers, secret
};

}  // namespace fairlead::server
