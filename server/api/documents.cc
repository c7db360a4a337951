// SPDX-License-Identifier: Apache-2.0
#include "api/documents.h"

#include <fstream>
#include <iterator>

namespace fairlead::server {
namespace {

constexpr std::string_view file_scheme = "file:";
constexpr int ok_status = 200;

Outcome<std::string> read_file(std::string_view path, std::size_t most_bytes) {
  if (path.starts_with("//")) path.remove_prefix(2);
  std::ifstream file{std::string(path), std::ios::binary};
  if (!file) return std::unexpected(Fault{FaultKind::unavailable, "the file cannot be opened"});
  std::string text(most_bytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > most_bytes) return std::unexpected(Fault{FaultKind::full, "the file is too large"});
  return text;
}

Outcome<std::string> outcome_of(HttpAnswer answer) {
  if (answer.status == ok_status) return std::move(answer.body);
  if (answer.status != 0) {
    return std::unexpected(
        Fault{FaultKind::unavailable, "the server answered with status " + std::to_string(answer.status)});
  }
  const auto kind = answer.failure == HttpFailure::timed_out ? FaultKind::timed_out : FaultKind::unavailable;
  return std::unexpected(Fault{kind, std::move(answer.sentence)});
}

}  // namespace

FetchDocument fetch_documents(HttpClient& client, DocumentSettings settings) {
  return [&client, settings = std::move(settings)](const std::string& url, Done<std::string> done) {
    if (url.starts_with(file_scheme)) {
      return done(read_file(std::string_view(url).substr(file_scheme.size()), settings.most_bytes));
    }
    HttpExchange exchange{.url = url,
                          .post = std::nullopt,
                          .headers = {{"Accept", "application/json"}},
                          .timeout = settings.timeout,
                          .response_bytes = settings.most_bytes,
                          .tls_ca_file = settings.tls_ca_file,
                          .pool = "documents"};
    client.send(std::move(exchange),
                [done = std::move(done)](HttpAnswer answer) { done(outcome_of(std::move(answer))); });
  };
}

}  // namespace fairlead::server
