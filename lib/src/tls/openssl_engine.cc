// SPDX-License-Identifier: Apache-2.0
#include "tls/openssl_engine.h"

#include <algorithm>
#include <ctime>
#include <string_view>

#include "base/assert.h"
#include "tls/concat.h"
#include "tls/context_body.h"
#include "tls/key_schedule.h"
#include "tls/record_engine.h"
#include "tls/x509.h"

namespace fairlead::tls {
namespace {

constexpr std::size_t record_bytes = SSL3_RT_MAX_PLAIN_LENGTH;  // RFC 8446 5.1: 2^14
constexpr std::string_view http_answer = "HTTP/";

int verify_peer(X509_STORE_CTX* store, void* /*argument*/) {
  const auto* ssl = static_cast<const SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  return OpensslEngine::of(ssl).verify(store) ? 1 : 0;
}

// Called for each step of a handshake, for handshake messages that come after it, and for alerts; never for data.
void note_state(const SSL* ssl, int where, int /*result*/) {
  const bool message = (static_cast<unsigned>(where) & static_cast<unsigned>(SSL_CB_LOOP)) != 0;
  const bool alert = (static_cast<unsigned>(where) & static_cast<unsigned>(SSL_CB_ALERT)) != 0;
  // One message takes several steps: the others find OpenSSL at rest, or busy with its own answer.
  const OSSL_HANDSHAKE_STATE state = SSL_get_state(ssl);
  const bool theirs = state != TLS_ST_OK && state != TLS_ST_SW_KEY_UPDATE && state != TLS_ST_CW_KEY_UPDATE;
  if (alert || (message && theirs)) OpensslEngine::of(ssl).note_message();
}

// Called with each handshake message once it is whole, and with much else.
void note_bytes(int written, int /*version*/, int content, const void* /*bytes*/, std::size_t size, SSL* ssl,
                void* /*argument*/) {
  if (written == 0 && content == SSL3_RT_HANDSHAKE) OpensslEngine::of(ssl).note_whole_message(size);
}

// RFC 6066 4: the client asked for records of 512 to 4,096 bytes, and OpenSSL agrees to that by itself.
bool agreed_on_short_records(const SSL* ssl) {
  const std::uint8_t mode = SSL_SESSION_get_max_fragment_length(SSL_get_session(ssl));
  return mode != TLSEXT_max_fragment_length_DISABLED && mode != TLSEXT_max_fragment_length_UNSPECIFIED;
}

// OpenSSL keeps the keys of the key exchange for as long as the connection, although nothing asks for them once the
// secrets are derived. SSL_get_tmp_key and SSL_get_peer_tmp_key give a reference: what it refers to is emptied.
void forget_key_exchange(SSL* ssl) {
  for (const int which : {SSL_CTRL_GET_TMP_KEY, SSL_CTRL_GET_PEER_TMP_KEY}) {
    EVP_PKEY* key = nullptr;
    if (SSL_ctrl(ssl, which, 0, static_cast<void*>(&key)) != 1) continue;
    EVP_PKEY_set_type(key, EVP_PKEY_NONE);  // wipes what the key was, and then fails: there is no such type
    EVP_PKEY_free(key);
  }
  ERR_clear_error();
}

int keep_new_session(SSL* ssl, SSL_SESSION* session) { return OpensslEngine::of(ssl).keep_session(session) ? 1 : 0; }

}  // namespace

void call_engines(SSL_CTX* context) {
  SSL_CTX_set_cert_verify_callback(context, verify_peer, nullptr);
  SSL_CTX_sess_set_new_cb(context, keep_new_session);
  SSL_CTX_set_info_callback(context, note_state);
}

// OpenSSL reads and writes through the loop's one BIO, which serves the engine whose call is running.
class OpensslEngine::Active {
 public:
  explicit Active(OpensslEngine& engine) : engine_(engine) {
    FAIRLEAD_ASSERT(engine.scratch_.active == nullptr);
    engine.scratch_.active = &engine;
    engine.scratch_.unread = engine.unread_;
    engine.scratch_.starved = false;
  }
  Active(const Active&) = delete;
  Active& operator=(const Active&) = delete;
  ~Active() {
    engine_.unread_ = engine_.scratch_.unread;
    engine_.scratch_.unread = {};
    engine_.scratch_.active = nullptr;
    if (engine_.unread_.empty() && !engine_.retained_.empty()) std::vector<std::byte>().swap(engine_.retained_);
  }

 private:
  OpensslEngine& engine_;
};

OpensslEngine& OpensslEngine::of(const SSL* ssl) {
  auto* scratch = static_cast<Scratch*>(BIO_get_data(SSL_get_rbio(ssl)));
  FAIRLEAD_ASSERT(scratch->active != nullptr && scratch->active->ssl_.get() == ssl);
  return *scratch->active;
}

OpensslEngine::OpensslEngine(std::shared_ptr<const ServerContext> context, SslPtr ssl, Scratch& scratch,
                             Records records)
    : scratch_(scratch), server_(std::move(context)), ssl_(std::move(ssl)), records_(records) {
  start(ssl_.get());
  SSL_set_accept_state(ssl_.get());
}

OpensslEngine::OpensslEngine(ClientPart client, SslPtr ssl, Scratch& scratch, Records records)
    : scratch_(scratch),
      client_(std::make_unique<ClientPart>(std::move(client))),
      ssl_(std::move(ssl)),
      records_(records) {
  start(ssl_.get());
  SSL_set_connect_state(ssl_.get());
}

OpensslEngine::~OpensslEngine() {
  FAIRLEAD_ASSERT(scratch_.active != this);
  // OpenSSL would spoil the session of a connection that ends without close_notify; RFC 8446 keeps it good.
  if (phase_ != Phase::failed) SSL_set_shutdown(ssl_.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  if (scratch_.writer != this) return;
  scratch_.cipher.clear();  // nobody will send it
  scratch_.writer = nullptr;
}

void OpensslEngine::start(SSL* ssl) const {
  BIO_up_ref(scratch_.bio);  // one reference serves both directions when they are the same BIO
  SSL_set_bio(ssl, scratch_.bio, scratch_.bio);
}

// ── Ciphertext in ───────────────────────────────────────────────────────────────────────────────────────────────────

void OpensslEngine::receive(Bytes ciphertext) {
  if (phase_ == Phase::handshaking && client_ && head_bytes_ < http_answer.size()) note_plaintext_answer(ciphertext);
  if (phase_ == Phase::failed || phase_ == Phase::peer_closed) return;  // RFC 8446 6.1: data after it is ignored
  drained_ = false;
  if (unread_.empty()) {
    unread_ = ciphertext;
    return;
  }
  // Only what was retained may still be here: a caller's buffer is read to its end before the next one.
  FAIRLEAD_ASSERT(!retained_.empty());
  retained_.erase(retained_.begin(), retained_.end() - static_cast<std::ptrdiff_t>(unread_.size()));
  retained_.insert(retained_.end(), ciphertext.begin(), ciphertext.end());
  unread_ = retained_;
}

// OpenSSL tells a server about a cleartext request, but not a client about a cleartext answer.
void OpensslEngine::note_plaintext_answer(Bytes ciphertext) {
  constexpr std::uint8_t not_http = 0xff;
  for (const char c : as_text(ciphertext)) {
    if (head_bytes_ >= http_answer.size()) return;
    head_bytes_ = c == http_answer[head_bytes_] ? static_cast<std::uint8_t>(head_bytes_ + 1) : not_http;
  }
}

void OpensslEngine::retain() {
  if (unread_.empty() || !retained_.empty()) return;
  retained_.assign(unread_.begin(), unread_.end());
  unread_ = retained_;
}

record::Reader OpensslEngine::take_unread() {
  record::Reader reader;
  reader.receive(std::exchange(unread_, {}));
  if (!retained_.empty()) reader.retain();
  std::vector<std::byte>().swap(retained_);
  return reader;
}

void OpensslEngine::begin_with(record::Reader unread) {
  const std::unique_ptr<Buffer> all = unread.take_all();
  if (all == nullptr) return;
  receive(all->readable());
  retain();
}

void OpensslEngine::receive_end() { end_received_ = true; }

std::optional<Event> OpensslEngine::next_event() {
  if (error_ && phase_ != Phase::failed) {
    if (error_->code == Errc::tls_message_rate_exceeded) close();
    return fail_with(std::move(*error_));
  }
  switch (phase_) {
    case Phase::handshaking:
      return handshake();
    case Phase::open:
      return read();
    case Phase::peer_closed:
      if (!peer_closed_unsaid_) return std::nullopt;
      peer_closed_unsaid_ = false;
      return PeerClosed{};
    case Phase::failed:
      return std::nullopt;
  }
  return std::nullopt;
}

Event OpensslEngine::fail_with(Error error) {
  phase_ = Phase::failed;
  unread_ = {};
  retained_.clear();
  unsealed_.reset();
  return Failed{std::move(error)};
}

Error OpensslEngine::failure() {
  if (error_) {  // the verdict on a certificate says more than the alert that it caused
    Error verdict = std::move(*error_);
    error_.reset();
    ERR_clear_error();
    return verdict;
  }
  Error error = explain_failure(side(), phase_ == Phase::handshaking);
  if (client_ && head_bytes_ == http_answer.size()) {
    return {.code = Errc::tls_plaintext_received,
            .detail = "the server answered in cleartext HTTP: it speaks no TLS there"};
  }
  return error;
}

// ── Handshake ───────────────────────────────────────────────────────────────────────────────────────────────────────

std::optional<Event> OpensslEngine::handshake() {
  int done = 0;
  bool waiting = false;
  {
    const Active active(*this);
    handshake_output_bytes_ = scratch_.cipher.size();
    if (records_ == Records::ours && !secrets_) secrets_ = std::make_unique<TrafficSecrets>();
    const Overhearing overhearing(secrets_.get());
    done = SSL_do_handshake(ssl_.get());
    // SSL_want_read is also true after some fatal errors, and SSL_get_error wants an empty error queue before each
    // call.
    waiting = done != 1 && scratch_.starved;
  }
  if (done == 1) return established();
  if (!waiting) return fail_with(failure());
  if (end_received_)
    return fail_with({.code = Errc::unexpected_eof, .detail = "the peer left during the TLS handshake"});
  return std::nullopt;
}

Event OpensslEngine::established() {
  phase_ = Phase::open;
  keep_resumed_session();
  if (records_ == Records::openssl) keep_records();
  ERR_clear_error();  // a handshake that succeeds may leave entries, and `settle_read` looks at the newest
  return HandshakeDone{};
}

// TLS 1.2 has no ticket that is used once: a server need not send another one when it resumes, and RFC 5077 3.3 lets a
// client go on with the one it has, but not beyond its life: then the next handshake is a full one, which looks at the
// certificate again. Observers saw it already when it came.
void OpensslEngine::keep_resumed_session() {
  if (!awaits_session() || SSL_session_reused(ssl_.get()) == 0 || SSL_version(ssl_.get()) != TLS1_2_VERSION) return;
  SSL_SESSION* session = SSL_get1_session(ssl_.get());
  const auto hint = static_cast<long>(SSL_SESSION_get_ticket_lifetime_hint(session));
  const long own = SSL_SESSION_get_timeout(session);
  const long age = static_cast<long>(std::time(nullptr)) - SSL_SESSION_get_time(session);
  const bool over = age >= (hint > 0 ? std::min(hint, own) : own);
  if (over || !keep_session(session)) SSL_SESSION_free(session);
}

// With read-ahead, one call instead of two per record.
void OpensslEngine::keep_records() {
  SSL_set_read_ahead(ssl_.get(), 1);
  forget_key_exchange(ssl_.get());
  secrets_.reset();
}

void OpensslEngine::count_messages() { SSL_set_msg_callback(ssl_.get(), note_bytes); }

bool OpensslEngine::can_be_replaced() const noexcept {
  return !agreed_on_short_records(ssl_.get()) && phase_ == Phase::open && secrets_ && secrets_->complete() &&
         !keys_changed_ && !close_sent_ && !error_ && !unsealed_ && SSL_is_init_finished(ssl_.get()) == 1 &&
         SSL_has_pending(ssl_.get()) == 0;
}

bool OpensslEngine::verify(X509_STORE_CTX* store) {
  const ContextSettings& settings = settings_of(SSL_get_SSL_CTX(ssl_.get()));
  if (settings.verify_peer && X509_verify_cert(store) != 1) {
    error_ = std::make_unique<Error>(explain_verification(store, client_ ? client_->host : std::string()));
    return false;
  }
  if (!settings.pins.empty() && !pins_match(store)) {
    X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
    error_ = std::make_unique<Error>(Error{
        .code = Errc::tls_pin_mismatch,
        .detail =
            concat("the server's key is ", spki_sha256(X509_STORE_CTX_get0_cert(store)), ", which is not pinned")});
    return false;
  }
  return true;
}

bool OpensslEngine::pins_match(X509_STORE_CTX* store) const {
  const ContextSettings& settings = settings_of(SSL_get_SSL_CTX(ssl_.get()));
  const auto pinned = [&settings](X509* certificate) {
    return std::ranges::find(settings.pins, spki_sha256(certificate)) != settings.pins.end();
  };
  // Without verification the chain proves nothing: only the key that signed this handshake counts.
  if (!settings.verify_peer) return pinned(X509_STORE_CTX_get0_cert(store));
  const STACK_OF(X509)* chain = X509_STORE_CTX_get0_chain(store);
  for (int at = 0; at < sk_X509_num(chain); ++at) {
    if (pinned(sk_X509_value(chain, at))) return true;
  }
  return false;
}

bool OpensslEngine::keep_session(SSL_SESSION* session) {
  if (!client_ || !client_->session) return false;
  client_->session->put(client_->context, client_->host, session);
  session_kept_ = true;
  return true;
}

// ── Records in ──────────────────────────────────────────────────────────────────────────────────────────────────────

std::optional<Event> OpensslEngine::read() {
  if (drained_) return ended();
  const std::size_t size = read_burst();
  if (size > 0) return Plaintext{scratch_.plain().first(size)};
  if (error_ || phase_ != Phase::open) return next_event();
  return ended();
}

std::optional<Event> OpensslEngine::ended() {
  if (!end_received_) return std::nullopt;
  return fail_with(
      {.code = Errc::unexpected_eof, .detail = "the stream ended without close_notify: it may be cut short"});
}

// Fills the scratch with the plaintext of as many records as there are.
std::size_t OpensslEngine::read_burst() {
  const Active active(*this);
  const MutableBytes plain = scratch_.plain();
  std::size_t filled = 0;
  reading_ = true;
  while (filled < plain.size() && !error_) {
    std::size_t size = 0;
    if (SSL_read_ex(ssl_.get(), plain.data() + filled, plain.size() - filled, &size) != 1) {
      settle_read();
      break;
    }
    if (error_) break;  // a flood of messages: what lies behind it is not read
    filled += size;
    // Asking OpenSSL again only to hear that there is no more would cost a tenth of a small echo.
    if (scratch_.unread.empty() && SSL_has_pending(ssl_.get()) == 0) {
      drained_ = true;
      break;
    }
  }
  reading_ = false;
  if (error_) drained_ = true;
  if (unsealed_) seal_waiting();
  // With read-ahead OpenSSL keeps its buffer in some cases where SSL_MODE_RELEASE_BUFFERS would free it.
  if (drained_) SSL_free_buffers(ssl_.get());
  return filled;
}

// Each costs a key derivation or an allocation for a few dozen bytes on the wire, and OpenSSL would go on for as long
// as they come (RFC 8446 4.6.3 sets no limit).
void OpensslEngine::note_message() {
  const OSSL_HANDSHAKE_STATE state = SSL_get_state(ssl_.get());
  if (state == TLS_ST_SR_KEY_UPDATE || state == TLS_ST_CR_KEY_UPDATE) keys_changed_ = true;
  if (!reading_ || phase_ != Phase::open || error_) return;
  if (message_rate_.take(messages_per_second_, scratch_.clock())) return;
  error_ = std::make_unique<Error>(Error{.code = Errc::tls_message_rate_exceeded,
                                         .detail = "too many TLS handshake messages (KeyUpdate) or alerts per second"});
  scratch_.unread = {};
  SSL_clear_mode(ssl_.get(), SSL_MODE_AUTO_RETRY);  // OpenSSL returns behind this message instead of taking the next
}

// Why SSL_read gave nothing.
void OpensslEngine::settle_read() {
  drained_ = true;
  if (scratch_.starved) return;
  const bool shut =
      (static_cast<unsigned>(SSL_get_shutdown(ssl_.get())) & static_cast<unsigned>(SSL_RECEIVED_SHUTDOWN)) != 0;
  if (shut && !failed_by_alert()) {
    phase_ = Phase::peer_closed;
    peer_closed_unsaid_ = true;
    return;
  }
  error_ = std::make_unique<Error>(failure());
}

// ── Records out ─────────────────────────────────────────────────────────────────────────────────────────────────────

void OpensslEngine::seal(Bytes plaintext) {
  if (phase_ == Phase::failed || error_ || plaintext.empty()) return;
  FAIRLEAD_ASSERT(phase_ != Phase::handshaking && !close_sent_);
  if (unsealed_) {
    if (unsealed_->size() + plaintext.size() <= unsealed_limit_bytes) {
      unsealed_->append(plaintext);
      return;
    }
    error_ = std::make_unique<Error>(
        Error{.code = Errc::tls_protocol_error, .detail = "the peer stopped in the middle of a TLS handshake message"});
    return;
  }
  const Active active(*this);
  renew_key_if_due(plaintext.size());
  if (write(plaintext)) return;
  // A peer may split a NewSessionTicket or KeyUpdate over records, and OpenSSL seals nothing until it has the rest.
  unsealed_ = std::make_unique<Buffer>();
  unsealed_->append(plaintext);
}

// False when it has to wait for the peer. The BIO takes everything, so a write is never partial.
bool OpensslEngine::write(Bytes plaintext) {
  std::size_t written = 0;
  if (SSL_write_ex(ssl_.get(), plaintext.data(), plaintext.size(), &written) == 1) return true;
  if (scratch_.starved) return false;
  error_ = std::make_unique<Error>(failure());
  return true;
}

void OpensslEngine::seal_waiting() {
  if (!write(unsealed_->readable())) return;
  unsealed_.reset();
}

// RFC 8446 5.5: a KeyUpdate before the limit of a key is reached.
void OpensslEngine::renew_key_if_due(std::size_t bytes) {
  const std::size_t records = (bytes + record_bytes - 1) / record_bytes;
  if (records <= records_left_) {
    records_left_ -= static_cast<std::uint32_t>(records);
    return;
  }
  records_left_ = records_each_key_;
  if (SSL_version(ssl_.get()) != TLS1_3_VERSION) return;  // 1.2 has no KeyUpdate
  SSL_key_update(ssl_.get(), SSL_KEY_UPDATE_NOT_REQUESTED);
  keys_changed_ = true;
}

void OpensslEngine::close() {
  if (phase_ == Phase::handshaking || phase_ == Phase::failed || close_sent_) return;
  close_sent_ = true;
  const Active active(*this);
  if (SSL_shutdown(ssl_.get()) < 0) ERR_clear_error();
}

Bytes OpensslEngine::output() const { return scratch_.writer == this ? scratch_.cipher.readable() : Bytes{}; }

void OpensslEngine::consume(std::size_t bytes) {
  if (bytes == 0) return;
  FAIRLEAD_ASSERT(scratch_.writer == this);
  scratch_.consume(bytes);
}

// ── Facts ───────────────────────────────────────────────────────────────────────────────────────────────────────────

TlsInfo OpensslEngine::info() const {
  TlsInfo info = negotiated();
  if (peer_is_verified()) {
    info.peer_certificate = std::make_shared<const CertificateInfo>(describe(SSL_get0_peer_certificate(ssl_.get())));
  }
  return info;
}

bool OpensslEngine::peer_is_verified() const {
  return SSL_get0_peer_certificate(ssl_.get()) != nullptr && settings_of(SSL_get_SSL_CTX(ssl_.get())).verify_peer &&
         SSL_get_verify_result(ssl_.get()) == X509_V_OK;
}

TlsInfo OpensslEngine::negotiated() const {
  FAIRLEAD_ASSERT(phase_ != Phase::handshaking);
  SSL* ssl = ssl_.get();
  TlsInfo info;
  info.version = SSL_get_version(ssl);
  info.cipher = SSL_get_cipher_name(ssl);
  // The plain macro: its result is a NID, or a private number for groups that have none.
  const char* group = SSL_group_to_name(ssl, static_cast<int>(SSL_get_negotiated_group(ssl)));
  info.group = group != nullptr ? group : "";
  const unsigned char* protocol = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl, &protocol, &size);
  info.alpn.assign(reinterpret_cast<const char*>(protocol), size);  // NOLINT: bytes are bytes
  const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  info.server_name = name != nullptr ? name : "";
  info.resumed = SSL_session_reused(ssl) == 1;
  return info;
}

std::vector<X509*> OpensslEngine::presented() const {
  FAIRLEAD_ASSERT(phase_ != Phase::handshaking);
  std::vector<X509*> presented;
  // On a server OpenSSL leaves the peer's own certificate out of the chain.
  if (server_ != nullptr) {
    if (X509* peer = SSL_get0_peer_certificate(ssl_.get())) presented.push_back(peer);
  }
  const STACK_OF(X509)* chain = SSL_get_peer_cert_chain(ssl_.get());
  for (int at = 0; at < sk_X509_num(chain); ++at) presented.push_back(sk_X509_value(chain, at));
  return presented;
}

std::vector<CertificateDetails> OpensslEngine::presented_chain() const {
  std::vector<CertificateDetails> described;
  for (X509* certificate : presented()) described.push_back(describe_details(certificate));
  return described;
}

// ── Making engines ──────────────────────────────────────────────────────────────────────────────────────────────────

namespace {

bool is_ip_literal(const std::string& host) {
  ASN1_OCTET_STRING* address = a2i_IPADDRESS(host.c_str());
  ERR_clear_error();
  ASN1_OCTET_STRING_free(address);
  return address != nullptr;
}

std::string host_to_verify(const ClientContext& context, std::string_view host) {
  std::string name =
      bare_host(context.body().server_name.empty() ? host : std::string_view(context.body().server_name));
  FAIRLEAD_ASSERT(!name.empty());  // OpenSSL would take it for "any name"; URLs and options are checked
  return name;
}

void expect_host(SSL* ssl, const std::string& host) {
  X509_VERIFY_PARAM* rules = SSL_get0_param(ssl);
  if (is_ip_literal(host)) {  // RFC 6066 3: literal addresses are not permitted in SNI
    FAIRLEAD_ASSERT(X509_VERIFY_PARAM_set1_ip_asc(rules, host.c_str()) == 1);
    return;
  }
  X509_VERIFY_PARAM_set_hostflags(rules, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  FAIRLEAD_ASSERT(X509_VERIFY_PARAM_set1_host(rules, host.data(), host.size()) == 1);
  SSL_set_tlsext_host_name(ssl, host.c_str());
}

}  // namespace

std::unique_ptr<Engine> make_engine(std::shared_ptr<const ServerContext> context, Scratch& scratch) {
  const bool ours = context->body().settings.our_records;
  SslPtr ssl(SSL_new(context->body().entries.front().context.get()));
  FAIRLEAD_ASSERT(ssl != nullptr);
  auto engine = std::make_unique<OpensslEngine>(std::move(context), std::move(ssl), scratch,
                                                ours ? Records::ours : Records::openssl);
  if (!ours) return engine;
  return std::make_unique<RecordEngine>(std::move(engine), Side::server, scratch);
}

std::unique_ptr<Engine> make_engine(std::shared_ptr<const ClientContext> context, Scratch& scratch,
                                    std::string_view host, std::shared_ptr<ClientSession> session) {
  const ClientContext::Body& body = context->body();
  const bool ours = body.settings.our_records;
  SslPtr ssl(SSL_new(body.context.get()));
  FAIRLEAD_ASSERT(ssl != nullptr);
  const std::string name = host_to_verify(*context, host);
  expect_host(ssl.get(), name);
  if (!body.settings.resume) session.reset();
  if (session) {
    const SessionPtr last(session->take(*context, name));
    if (last) SSL_set_session(ssl.get(), last.get());
  }
  OpensslEngine::ClientPart client{.context = std::move(context), .session = std::move(session), .host = name};
  auto engine = std::make_unique<OpensslEngine>(std::move(client), std::move(ssl), scratch,
                                                ours ? Records::ours : Records::openssl);
  if (!ours) return engine;
  return std::make_unique<RecordEngine>(std::move(engine), Side::client, scratch);
}

}  // namespace fairlead::tls
