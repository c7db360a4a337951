// SPDX-License-Identifier: Apache-2.0
#include "tls/testing.h"

#include <openssl/pem.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/assert.h"
#include "tls/openssl.h"
#include "tls/pem.h"
#include "tls/record_engine.h"

// Its requests cost a few instructions, and do nothing when valgrind does not run the program.
#if __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>
#else
#define VALGRIND_CHECK_MEM_IS_DEFINED(address, bytes) 0  // NOLINT(cppcoreguidelines-macro-usage): valgrind's name
#endif

namespace fairlead::tls::testing {
namespace {

constexpr std::size_t plain_buffer_bytes = 16'384;

template <class T>
T must(Result<T> result) {
  if (!result) std::fprintf(stderr, "%s\n", to_string(result.error()).c_str());
  FAIRLEAD_ASSERT(result.has_value());
  return std::move(*result);
}

ASN1_TIME* asn1_time(int days) {
  return ASN1_TIME_set(nullptr, std::chrono::system_clock::to_time_t(days_from_now(days)));
}

// No byte for the wire that nobody wrote: tests/memcheck runs the tests so that this can fail.
void expect_written(Bytes records) {
  FAIRLEAD_ASSERT(VALGRIND_CHECK_MEM_IS_DEFINED(records.data(), records.size()) == 0);
}

}  // namespace

std::chrono::system_clock::time_point days_from_now(int days) {
  return std::chrono::system_clock::now() + std::chrono::days{days};
}

CertificateRequest leaf_request(std::vector<std::string> names) {
  CertificateRequest request;
  request.common_name = "leaf";
  request.alternative_names = std::move(names);
  request.valid_from = days_from_now(-1);
  request.valid_until = days_from_now(30);
  return request;
}

CertificateRequest ca_request(std::string common_name) {
  CertificateRequest request;
  request.common_name = std::move(common_name);
  request.is_ca = true;
  request.path_length = 2;
  request.valid_from = days_from_now(-10);
  request.valid_until = days_from_now(300);
  return request;
}

Issued must_issue(const CertificateRequest& request, const Issued* issuer) { return must(issue(request, issuer)); }

std::string pem_of(const Issued& issued) { return to_pem(issued.certificate.get()); }
std::string key_pem_of(const Issued& issued) { return to_pem(issued.key.get()); }

Issued must_issue_rsa(const CertificateRequest& request, const Issued* issuer, unsigned bits) {
  return must(issue(request, issuer, KeyPtr(EVP_RSA_gen(bits))));
}

std::string encrypted_key_pem_of(const Issued& issued) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  const std::string_view password = "password";
  FAIRLEAD_ASSERT(PEM_write_bio_PKCS8PrivateKey(bio.get(), issued.key.get(), EVP_aes_128_cbc(), password.data(),
                                                static_cast<int>(password.size()), nullptr, nullptr) == 1);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

Directory::Directory() {
  path_ = (std::filesystem::temp_directory_path() / "fairlead-tls-XXXXXX").string();
  FAIRLEAD_ASSERT(::mkdtemp(path_.data()) != nullptr);
}

Directory::~Directory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string Directory::write(const std::string& name, std::string_view text) const {
  std::ofstream(file(name), std::ios::binary) << text;
  return file(name);
}

std::string crl_of(const Issued& issuer, const std::vector<const Issued*>& revoked) {
  const CrlPtr crl(X509_CRL_new());
  X509_CRL_set_version(crl.get(), X509_CRL_VERSION_2);
  X509_CRL_set_issuer_name(crl.get(), X509_get_subject_name(issuer.certificate.get()));
  ASN1_TIME* yesterday = asn1_time(-1);
  ASN1_TIME* tomorrow = asn1_time(1);
  X509_CRL_set1_lastUpdate(crl.get(), yesterday);
  X509_CRL_set1_nextUpdate(crl.get(), tomorrow);
  for (const Issued* one : revoked) {
    X509_REVOKED* entry = X509_REVOKED_new();
    X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(one->certificate.get()));
    X509_REVOKED_set_revocationDate(entry, yesterday);
    X509_CRL_add0_revoked(crl.get(), entry);
  }
  ASN1_TIME_free(yesterday);
  ASN1_TIME_free(tomorrow);
  X509_CRL_sort(crl.get());
  FAIRLEAD_ASSERT(X509_CRL_sign(crl.get(), issuer.key.get(), EVP_sha256()) > 0);
  const BioPtr bio(BIO_new(BIO_s_mem()));
  FAIRLEAD_ASSERT(PEM_write_bio_X509_CRL(bio.get(), crl.get()) == 1);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string ocsp_of(const Issued& issuer, const Issued& subject, bool good, const Issued* signer) {
  if (signer == nullptr) signer = &issuer;
  const std::unique_ptr<OCSP_BASICRESP, Release<OCSP_BASICRESP_free>> basic(OCSP_BASICRESP_new());
  OCSP_CERTID* id = OCSP_cert_to_id(nullptr, subject.certificate.get(), issuer.certificate.get());
  ASN1_TIME* yesterday = asn1_time(-1);
  ASN1_TIME* tomorrow = asn1_time(1);
  const int status = good ? V_OCSP_CERTSTATUS_GOOD : V_OCSP_CERTSTATUS_REVOKED;
  OCSP_basic_add1_status(basic.get(), id, status, 0, good ? nullptr : yesterday, yesterday, tomorrow);
  OCSP_CERTID_free(id);
  ASN1_TIME_free(yesterday);
  ASN1_TIME_free(tomorrow);
  FAIRLEAD_ASSERT(
      OCSP_basic_sign(basic.get(), signer->certificate.get(), signer->key.get(), EVP_sha256(), nullptr, 0) == 1);
  const std::unique_ptr<OCSP_RESPONSE, Release<OCSP_RESPONSE_free>> response(
      OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic.get()));
  unsigned char* der = nullptr;
  const int size = i2d_OCSP_RESPONSE(response.get(), &der);
  std::string text(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));  // NOLINT: bytes are bytes
  OPENSSL_free(der);
  return text;
}

TlsIdentity Authority::identity(const CertificateRequest& request) const {
  const Issued leaf = must_issue(request, &issued);
  return {.chain = PemSource::from_text(pem_of(leaf)), .key = PemSource::from_text(key_pem_of(leaf))};
}

TlsClient Authority::client() const {
  TlsClient options;
  options.ca = PemSource::from_text(pem());
  return options;
}

// ── Ends ────────────────────────────────────────────────────────────────────────────────────────────────────────────

void End::receive(std::string_view ciphertext) {
  engine->receive(as_bytes(ciphertext));
  settle();
}

void End::receive_end() {
  engine->receive_end();
  settle();
}

void End::send(std::string_view text) {
  engine->seal(as_bytes(text));
  settle();
}

void End::close() {
  engine->close();
  settle();
}

void End::settle() {
  while (auto event = engine->next_event()) {
    if (std::holds_alternative<HandshakeDone>(*event)) handshake_done = true;
    if (std::holds_alternative<PeerClosed>(*event)) peer_closed = true;
    if (const auto* plain = std::get_if<Plaintext>(&*event)) plaintext += as_text(plain->bytes);
    if (auto* failure = std::get_if<Failed>(&*event)) failed = std::move(failure->error);
  }
  expect_written(engine->output());
  outgoing += as_text(engine->output());
  engine->consume(engine->output().size());
}

Pair::Pair(std::shared_ptr<const ServerContext> server_context, std::shared_ptr<const ClientContext> client_context,
           std::string_view host, std::shared_ptr<ClientSession> session) {
  server.engine = make_engine(std::move(server_context), server_scratch);
  client.engine = make_engine(std::move(client_context), client_scratch, host, std::move(session));
  client.settle();
}

void Pair::run(std::size_t chunk_bytes) {
  const auto carry = [chunk_bytes](End& from, End& to) {
    const std::string bytes = std::exchange(from.outgoing, {});
    for (std::size_t at = 0; at < bytes.size(); at += chunk_bytes) {
      to.receive(std::string_view(bytes).substr(at, chunk_bytes));
    }
  };
  while (!client.outgoing.empty() || !server.outgoing.empty()) {
    carry(client, server);
    carry(server, client);
  }
}

PlainClient::PlainClient(const std::shared_ptr<const ServerContext>& server_context)
    : context(SSL_CTX_new(TLS_client_method())) {
  server.engine = make_engine(server_context, server_scratch);
  SSL_CTX_set_security_level(context.get(), 0);
  ssl.reset(SSL_new(context.get()));
  SSL_set_bio(ssl.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  SSL_set_connect_state(ssl.get());
}

void PlainClient::run() {
  std::string buffer(plain_buffer_bytes, '\0');
  for (bool moving = true; moving;) {
    ERR_clear_error();
    if (!done && problem.empty()) {
      const int result = SSL_do_handshake(ssl.get());
      done = result == 1;
      if (!done && SSL_get_error(ssl.get(), result) == SSL_ERROR_SSL) problem = take_openssl_error();
    }
    std::size_t size = 0;
    while (done && SSL_read_ex(ssl.get(), buffer.data(), buffer.size(), &size) == 1) plaintext.append(buffer, 0, size);
    if (done && SSL_get_error(ssl.get(), 0) == SSL_ERROR_SSL) problem = take_openssl_error();
    const int out = BIO_read(SSL_get_wbio(ssl.get()), buffer.data(), static_cast<int>(buffer.size()));
    moving = out > 0 || !server.outgoing.empty();
    if (out > 0) server.receive(std::string_view(buffer).substr(0, static_cast<std::size_t>(out)));
    const std::string answer = std::exchange(server.outgoing, {});
    BIO_write(SSL_get_rbio(ssl.get()), answer.data(), static_cast<int>(answer.size()));
  }
}

PlainServer::PlainServer(const std::string& chain_pem, const std::string& key_pem)
    : context(SSL_CTX_new(TLS_server_method())) {
  const auto chain = must(parse_certificates(chain_pem));
  const auto key = must(parse_key(key_pem));
  SSL_CTX_use_certificate(context.get(), chain.front().get());
  SSL_CTX_use_PrivateKey(context.get(), key.get());
  for (std::size_t at = 1; at < chain.size(); ++at) SSL_CTX_add1_chain_cert(context.get(), chain[at].get());
  start_over();
}

void PlainServer::start_over() {
  done = false;
  ssl.reset(SSL_new(context.get()));
  SSL_set_bio(ssl.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  SSL_set_accept_state(ssl.get());
}

void PlainServer::run(End& client) {
  client.settle();
  for (bool moving = true; moving;) {
    step(std::exchange(client.outgoing, {}));
    const std::string answer = take_output();
    if (!answer.empty()) client.receive(answer);
    moving = !answer.empty() || !client.outgoing.empty();
  }
}

std::string PlainServer::step(std::string_view ciphertext) {
  BIO_write(SSL_get_rbio(ssl.get()), ciphertext.data(), static_cast<int>(ciphertext.size()));
  ERR_clear_error();
  int result = done ? 1 : SSL_do_handshake(ssl.get());
  done = done || result == 1;
  std::string plaintext;
  std::string buffer(plain_buffer_bytes, '\0');
  while (done && (result = SSL_read(ssl.get(), buffer.data(), static_cast<int>(buffer.size()))) > 0) {
    plaintext.append(buffer, 0, static_cast<std::size_t>(result));
  }
  if (result <= 0 && SSL_get_error(ssl.get(), result) == SSL_ERROR_SSL) problem = take_openssl_error();
  return plaintext;
}

std::string PlainServer::take_output() const {
  std::string all;
  std::string buffer(plain_buffer_bytes, '\0');
  for (int size = 0; (size = BIO_read(SSL_get_wbio(ssl.get()), buffer.data(), static_cast<int>(buffer.size()))) > 0;) {
    all.append(buffer, 0, static_cast<std::size_t>(size));
  }
  return all;
}

void PlainClient::send(std::string_view text) const {
  FAIRLEAD_ASSERT(SSL_write(ssl.get(), text.data(), static_cast<int>(text.size())) > 0);
}

namespace {

RecordLayer layer_for(std::string_view role, RecordLayer wanted) {
  static const char* const set = std::getenv("FAIRLEAD_TLS_TEST_OPENSSL");  // NOLINT(concurrency-mt-unsafe)
  const std::string_view roles = set != nullptr ? set : "";
  return roles == "both" || roles == role ? RecordLayer::openssl : wanted;
}

}  // namespace

std::shared_ptr<const ServerContext> must_build(const Tls& options, std::shared_ptr<TicketKeys> tickets) {
  Tls chosen = options;
  chosen.record_layer = layer_for("server", options.record_layer);
  return must(ServerContext::build(chosen, std::move(tickets)));
}
std::shared_ptr<const ClientContext> must_build(const TlsClient& options) {
  TlsClient chosen = options;
  chosen.record_layer = layer_for("client", options.record_layer);
  return must(ClientContext::build(chosen));
}

bool took_over(const Engine& engine) {
  const auto* ours = dynamic_cast<const RecordEngine*>(&engine);
  return ours != nullptr && ours->took_over();
}

void limit_records_per_key(Engine& engine, std::uint32_t records) {
  if (auto* ours = dynamic_cast<RecordEngine*>(&engine)) return ours->limit_records_per_key(records);
  dynamic_cast<OpensslEngine&>(engine).limit_records_per_key(records);
}

std::vector<Record> records_in(std::string_view stream) {
  constexpr std::size_t header_bytes = 5;
  std::vector<Record> records;
  while (stream.size() >= header_bytes) {
    const auto high = static_cast<unsigned char>(stream[3]);
    const auto low = static_cast<unsigned char>(stream[4]);
    const std::size_t length = static_cast<std::size_t>(high) << 8U | low;
    records.push_back({.type = static_cast<unsigned char>(stream[0]), .length = length});
    stream.remove_prefix(std::min(stream.size(), header_bytes + length));
  }
  return records;
}

}  // namespace fairlead::tls::testing
