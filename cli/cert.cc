// SPDX-License-Identifier: Apache-2.0
// `fairlead cert`: the development certificate, and a look at any other one.
#include <fairlead/certificate.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <chrono>
#include <memory>

#include "cert_show.h"
#include "json.h"
#include "program.h"
#include "terminal.h"

namespace fairlead::cli {
namespace {

// ── fairlead cert dev ───────────────────────────────────────────────────────────────────────────────────────────────

struct DevOptions {
  std::string directory;
  bool print_ca_path = false;
  bool force = false;
  bool json = false;
};

ExitStatus failed(const Error& error) {
  complain(to_string(error));
  return error.code == Errc::system ? ExitStatus::local_io : ExitStatus::tls;
}

// The leaf is made again when it is missing; the CA stays, or whoever trusts it would have to trust a new one.
Result<void> forget_leaf(const std::string& directory) {
  const Result<DevelopmentCertificate> old = ensure_development_certificate(directory);
  if (!old) return std::unexpected(old.error());
  for (const std::string& file : {old->chain_file, old->key_file}) {
    if (::unlink(file.c_str()) != 0) return fail(Errc::system, fmt::format("cannot remove {}", file));
  }
  return {};
}

std::string as_json(const DevelopmentCertificate& made) {
  JsonWriter json;
  json.open('{').member("directory", made.directory).member("ca", made.ca_file).member("cert", made.chain_file);
  json.member("key", made.key_file).member("ca_sha256", made.ca_sha256);
  json.member("ca_created", made.ca_created).member("cert_created", made.leaf_created).close('}');
  return json.text() + "\n";
}

std::string as_text(const DevelopmentCertificate& made) {
  const bool colour = wants_colour(STDOUT_FILENO);
  const auto row = [&](std::string_view name, std::string_view value, bool fresh) {
    return fmt::format("{:<12} {}{}\n", name, styled(value, Style::bold, colour), fresh ? " (new)" : "");
  };
  return row("CA", made.ca_file, made.ca_created) + row("fingerprint", made.ca_sha256, false) +
         row("certificate", made.chain_file, made.leaf_created) + row("key", made.key_file, made.leaf_created) + "\n" +
         trust_instructions(made);
}

ExitStatus cert_dev(const DevOptions& options) {
  if (options.force) {
    if (const Result<void> forgotten = forget_leaf(options.directory); !forgotten) return failed(forgotten.error());
  }
  const Result<DevelopmentCertificate> made = ensure_development_certificate(options.directory);
  if (!made) return failed(made.error());
  const std::string text = options.print_ca_path ? made->ca_file + "\n"
                           : options.json        ? as_json(*made)
                                                 : as_text(*made);
  return print_text(text) ? ExitStatus::ok : ExitStatus::local_io;
}

void add_dev(Program& program, Verb cert) {
  auto options = std::make_shared<DevOptions>();
  const Verb verb = program.verb(
      "dev", "Make a certificate for localhost, and say how to trust it",
      {.paragraphs =
           {"A CA of your own that may sign for localhost, *.localhost, 127.0.0.0/8 and ::1 alone, and a "
            "certificate of 90 days signed by it. Both are reused until they are about to expire. The keys are "
            "readable by you alone."},
       .examples = {{"fairlead cert dev", "make it, and print the commands that make browsers trust it"},
                    {"curl --cacert \"$(fairlead cert dev --print-ca-path)\" https://localhost:8443/",
                     "use it with another "
                     "program"}}},
      &cert);
  verb.option("--dir", options->directory, "Where it is kept, instead of ~/.local/share/fairlead").type_name("DIR");
  verb.flag("--print-ca-path", options->print_ca_path, "Print only the path of the CA");
  verb.flag("--force", options->force, "Make the certificate again; the CA stays");
  verb.flag("--json", options->json, "Print a JSON object");
  program.run(verb, [options] { return cert_dev(*options); });
}

// ── fairlead cert show ──────────────────────────────────────────────────────────────────────────────────────────────

void add_show(Program& program, Verb cert) {
  auto options = std::make_shared<CertShowOptions>();
  const Verb verb = program.verb(
      "show", "Print what a certificate says, of a file or of a server",
      {.paragraphs =
           {"Prints each certificate of the chain: names, issuer, key, dates, fingerprint, and the pin for "
            "`fairlead connect --pin`. Of a server also what the TLS handshake agreed on and whether the chain is "
            "trusted; it is printed also when it is not."},
       .examples = {{"fairlead cert show fullchain.pem", "a file"},
                    {"fairlead cert show wss://example.org", "a server"},
                    {"fairlead cert show example.org:8443 --json", "the same for a program to read"}},
       .exit_statuses = true},
      &cert);
  verb.option("FILE", options->what, "A PEM file, a URL, or HOST:PORT").required();
  verb.option("--ca", options->ca, "Trust this CA alone; `dev` is the development CA of this user").type_name("FILE");
  verb.option("--server-name", options->server_name, "The name that the certificate must hold").type_name("HOST");
  verb.flag("--json", options->json, "Print a JSON object");
  program.run(verb, [options] { return cert_show(*options); });
}

}  // namespace

void add_cert(Program& program) {
  const Verb verb = program.verb("cert", "Make and look at certificates", {});
  add_dev(program, verb);
  add_show(program, verb);
}

}  // namespace fairlead::cli
