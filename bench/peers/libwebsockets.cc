// SPDX-License-Identifier: Apache-2.0
// The peer `libwebsockets`: its event loop and callbacks, with the behaviour that every peer has: /echo answers each
// message as its own kind, /fanout sends each message to all connections on that path.
#include <libwebsockets.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <memory>
#include <string>
#include <unordered_set>
#include <utility>

#include "options.h"

namespace {

// libwebsockets writes its frame header in front of the payload, so each receiver needs its own copy.
struct Outgoing {
  bool text;
  std::string bytes;  // LWS_PRE bytes of room, then the payload

  unsigned char* payload() { return reinterpret_cast<unsigned char*>(bytes.data()) + LWS_PRE; }
  std::size_t size() const { return bytes.size() - LWS_PRE; }
};

struct Session {
  bool fanout = false;
  std::string incoming = std::string(LWS_PRE, '\0');
  std::deque<Outgoing> queue;
};

constexpr int writes_per_turn = 16;
constexpr std::size_t receive_buffer_bytes = 16 * 1024;

std::unordered_set<lws*> subscribers;

Session*& session_of(void* user) { return *static_cast<Session**>(user); }

void open(lws* wsi, void* user) {
  char path[32] = {};
  lws_hdr_copy(wsi, path, sizeof path, WSI_TOKEN_GET_URI);
  session_of(user) = new Session;
  session_of(user)->fanout = std::strcmp(path, "/fanout") == 0;
  if (session_of(user)->fanout) subscribers.insert(wsi);
}

void close(lws* wsi, void* user) {
  subscribers.erase(wsi);
  delete session_of(user);
  session_of(user) = nullptr;
}

void broadcast(const Outgoing& message) {
  for (lws* subscriber : subscribers) {
    session_of(lws_wsi_user(subscriber))->queue.push_back(message);
    lws_callback_on_writable(subscriber);
  }
}

void receive(lws* wsi, Session& session, const char* data, std::size_t size) {
  session.incoming.append(data, size);
  if (lws_remaining_packet_payload(wsi) > 0 || !lws_is_final_fragment(wsi)) return;
  Outgoing message{lws_frame_is_binary(wsi) == 0, std::exchange(session.incoming, std::string(LWS_PRE, '\0'))};
  if (session.fanout) {
    broadcast(message);
    return;
  }
  session.queue.push_back(std::move(message));
  lws_callback_on_writable(wsi);
}

int write_queue(lws* wsi, Session& session) {
  for (int written = 0; written < writes_per_turn && !session.queue.empty(); ++written) {
    if (written > 0 && lws_send_pipe_choked(wsi) != 0) break;
    Outgoing& message = session.queue.front();
    const auto kind = message.text ? LWS_WRITE_TEXT : LWS_WRITE_BINARY;
    if (lws_write(wsi, message.payload(), message.size(), kind) < 0) return -1;
    session.queue.pop_front();
  }
  if (!session.queue.empty()) lws_callback_on_writable(wsi);
  return 0;
}

int on_event(lws* wsi, lws_callback_reasons reason, void* user, void* in, size_t size) {
  switch (reason) {
    case LWS_CALLBACK_ESTABLISHED:
      open(wsi, user);
      return 0;
    case LWS_CALLBACK_CLOSED:
      close(wsi, user);
      return 0;
    case LWS_CALLBACK_RECEIVE:
      receive(wsi, *session_of(user), static_cast<const char*>(in), size);
      return 0;
    case LWS_CALLBACK_SERVER_WRITEABLE:
      return write_queue(wsi, *session_of(user));
    default:
      return lws_callback_http_dummy(wsi, reason, user, in, size);
  }
}

const lws_protocols protocols[] = {{"", on_event, sizeof(Session*), receive_buffer_bytes, 0, nullptr, 0},
                                   {nullptr, nullptr, 0, 0, 0, nullptr, 0}};
const lws_extension extensions[] = {{"permessage-deflate", lws_extension_callback_pm_deflate, "permessage-deflate"},
                                    {nullptr, nullptr, nullptr}};

}  // namespace

int main(int argc, char** argv) {
  const auto options = fairlead::bench::parse_options(argc, argv);
  lws_set_log_level(LLL_ERR, nullptr);
  lws_context_creation_info info{};
  info.port = options.port;
  info.iface = "lo";
  info.protocols = protocols;
  info.extensions = options.compress ? extensions : nullptr;
  info.options = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT | LWS_SERVER_OPTION_DISABLE_IPV6;
  info.ssl_cert_filepath = options.cert.c_str();
  info.ssl_private_key_filepath = options.key.c_str();
  info.tls1_3_plus_cipher_list = "TLS_AES_128_GCM_SHA256";
  info.count_threads = 1;
  info.fd_limit_per_thread = 0;
  info.keepalive_timeout = 60;
  info.pt_serv_buf_size = 32 * 1024;
  lws_context* context = lws_create_context(&info);
  if (context == nullptr) return 1;
  fairlead::bench::announce(lws_get_vhost_listen_port(lws_get_vhost_by_name(context, "default")));
  while (lws_service(context, 0) >= 0) {
  }
  lws_context_destroy(context);
}
