// SPDX-License-Identifier: Apache-2.0
#include "connect_options.h"

#include <fairlead/certificate.h>
#include <fmt/format.h>

namespace fairlead::cli {
namespace {

void add_input(Verb verb, ConnectOptions& options) {
  const Option binary =
      verb.flag("-b,--binary", options.binary, "Input bytes are binary messages, messages are output bytes");
  const Option chunk = add_bytes(verb, "--chunk-bytes", options.chunk_bytes,
                                 "With --binary: messages of exactly this size; 0 sends what each read gives");
  const Option one = verb.flag("--one-message", options.one_message, "With --binary: all of the input is one message");
  one.needs(binary).excludes(chunk);
  chunk.needs(binary);
  const Option stay =
      verb.flag("--exit-on-close", options.exit_on_close, "Stay after the input ends, until the server closes");
  const Option linger =
      add_seconds(verb, "--linger", options.linger_seconds,
                  "After the input ends, wait for answers until none came for so long; each that comes starts it anew");
  const Option no_wait = verb.flag("--no-wait", options.no_wait, "After the input ends, close at once");
  no_wait.excludes(linger).excludes(stay);
  linger.excludes(stay);
  for (const Option option : {binary, chunk, one, stay, linger, no_wait}) option.group("Input and output");
}

void add_handshake(Verb verb, ConnectOptions& options) {
  const std::string group = "Opening";
  verb.option("-H,--header", options.headers, "Send this field with the request")
      .type_name("'NAME: VALUE'")
      .group(group);
  verb.option("-s,--subprotocol", options.subprotocols, "Offer this subprotocol, best first")
      .type_name("NAME")
      .group(group);
  verb.option("--origin", options.origin, "Send this Origin, as a page of it would").type_name("ORIGIN").group(group);
  const Option compress = verb.flag("--compress", options.compress, "Offer permessage-deflate").group(group);
  verb.flag("--context-takeover", options.context_takeover, "With --compress: keep the window from message to message")
      .needs(compress)
      .group(group);
}

void add_tls(Verb verb, ConnectOptions& options) {
  const std::string group = "TLS";
  const Option ca = verb.option("--ca", options.ca, "Trust this CA alone; `dev` is the development CA of this user");
  const Option insecure = verb.flag("--insecure", options.insecure,
                                    "Accept ANY certificate: whoever sits between reads and changes everything");
  const Option certificate = verb.option("--cert", options.certificate, "Our client certificate, PEM");
  const Option key = verb.option("--key", options.key, "Private key of --cert, PEM");
  ca.type_name("FILE").excludes(insecure);
  certificate.type_name("FILE").needs(key);
  key.type_name("FILE").needs(certificate);
  const Option pin =
      verb.option("--pin", options.pins, "Also require this key: base64 SHA-256, as `fairlead cert show` prints it");
  pin.type_name("PIN");
  const Option name =
      verb.option("--server-name", options.server_name, "The name that the certificate must hold, not the URL's");
  name.type_name("HOST");
  const Option profile = verb.option("--tls-profile", options.profile, "TLS 1.2 and 1.3, or 1.3 alone");
  profile.type_name("intermediate|modern").default_str(options.profile);
  profile.one_of({"intermediate", "modern"});
  const Option layer = add_record_layer(verb, options.record_layer);
  const Option log = verb.option("--key-log", options.key_log, "Write TLS secrets for Wireshark").type_name("FILE");
  const Option cleartext =
      verb.flag("--allow-cleartext", options.cleartext, "Allow ws:// URLs, which everybody between can read");
  for (const Option option : {ca, insecure, certificate, key, pin, name, profile, layer, log, cleartext})
    option.group(group);
}

void add_connection(Verb verb, ConnectOptions& options) {
  const std::string group = "Connection";
  verb.option("--unix", options.unix_path, "Connect to this UNIX socket; the URL still names the certificate")
      .type_name("PATH")
      .group(group);
  add_seconds(verb, "--timeout", options.timeout_seconds, "Give up opening after so long; 0 is 30 s in all")
      .group(group);
  const Option reconnect = verb.flag("--reconnect", options.reconnect, "Open the connection again whenever it breaks");
  reconnect.group(group);
  verb.option("--attempts", options.attempts, "With --reconnect: give up after so many failures in a row; 0 is never")
      .type_name("N")
      .default_str("0")
      .needs(reconnect)
      .group(group);
  add_bytes(verb, "--max-message", options.max_message_bytes, "Longest incoming message, inflated").group(group);
  add_bytes(verb, "--max-fragments", options.max_fragments, "Frames of one incoming message")
      .type_name("N")
      .group(group);
}

Result<Headers> headers_of(const std::vector<std::string>& lines) {
  Headers headers;
  for (const std::string& line : lines) {
    const std::size_t colon = line.find(':');
    const std::string name = line.substr(0, colon);
    if (colon == std::string::npos || !headers.add(name, std::string_view(line).substr(colon + 1))) {
      return fail(Errc::invalid_argument, "--header wants 'Name: value', without control characters");
    }
  }
  return headers;
}

ConnectTimes times_of(double seconds) {
  ConnectTimes times;
  if (seconds > 0) times.total = times.dns = times.tcp = times.tls = times.handshake = milliseconds(seconds);
  return times;
}

Limits limits_of(const ConnectOptions& options) {
  Limits limits;
  limits.message_bytes = limits.frame_bytes = options.max_message_bytes;
  limits.fragments_per_message = options.max_fragments;
  limits.messages_per_second = unlimited;  // we are as slow as our reader, and the server learns of it by TCP
  return limits;
}

}  // namespace

void add_connect_options(Verb verb, ConnectOptions& options) {
  verb.option("URL", options.url, "The server, wss://HOST[:PORT]/PATH").required();
  add_input(verb, options);
  add_handshake(verb, options);
  add_tls(verb, options);
  add_connection(verb, options);
  add_seconds(verb, "--ping", options.ping_seconds,
              "Ping this often and print the round-trip time on stderr; 0 is never");
  verb.flag("--stats", options.stats, "Print counters on stderr at the end");
  verb.flag("-v,--verbose", options.verbose, "Say on stderr what was agreed on and how it ended");
}

Result<PemSource> ca_named(const std::string& name) {
  if (name.empty()) return PemSource{};
  if (name != "dev") return PemSource::from_file(name);
  const Result<DevelopmentCertificate> certificate = ensure_development_certificate();
  if (!certificate) return std::unexpected(certificate.error());
  return PemSource::from_file(certificate->ca_file);
}

Result<ClientOptions> client_options(const ConnectOptions& options) {
  ClientOptions client;
  Result<PemSource> ca = ca_named(options.ca);
  if (!ca) return std::unexpected(ca.error());
  Result<Headers> headers = headers_of(options.headers);
  if (!headers) return std::unexpected(headers.error());
  client.tls.ca = *std::move(ca);
  client.headers = *std::move(headers);
  client.tls.pins = options.pins;
  client.tls.server_name = options.server_name;
  client.tls.key_log_file = options.key_log;
  client.tls.record_layer = options.record_layer;
  client.tls.profile = options.profile == "modern" ? TlsProfile::modern : TlsProfile::intermediate;
  client.tls.dangerously_disable_certificate_verification = options.insecure;
  if (!options.certificate.empty()) {
    client.tls.identity = {.chain = PemSource::from_file(options.certificate),
                           .key = PemSource::from_file(options.key)};
  }
  client.limits = limits_of(options);
  client.subprotocols = options.subprotocols;
  client.origin = options.origin;
  client.compression.enabled = options.compress;
  if (options.context_takeover) client.compression.deflate = DeflateOptions{};
  client.stream_incoming = true;
  client.times = times_of(options.timeout_seconds);
  client.unix_path = options.unix_path;
  client.dangerously_allow_cleartext = options.cleartext;
  return client;
}

LineSplitter splitter_for(const ConnectOptions& options) {
  if (!options.binary) return LineSplitter(Splitting::lines);
  if (options.one_message) return LineSplitter(Splitting::one_message);
  if (options.chunk_bytes > 0) return LineSplitter(Splitting::exact_chunks, options.chunk_bytes);
  return LineSplitter(Splitting::reads);
}

}  // namespace fairlead::cli
