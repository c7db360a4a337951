// SPDX-License-Identifier: Apache-2.0
// UTF-8 validation of text messages: plain ASCII, as JSON usually is, and text that has a two-byte character now and
// then.
#include <benchmark/benchmark.h>

#include <string>

#include "text/utf8.h"

namespace {

using namespace fairlead;

std::string text_of(std::size_t size, std::string_view pattern) {
  std::string text;
  while (text.size() + pattern.size() <= size) text += pattern;
  return text.append(size - text.size(), ' ');
}

void validate(benchmark::State& state, std::string_view pattern) {
  const std::string text = text_of(static_cast<std::size_t>(state.range(0)), pattern);
  for (auto _ : state) {
    text::Utf8Validator validator;
    benchmark::DoNotOptimize(validator.feed(as_bytes(text)));
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

void bm_utf8_ascii(benchmark::State& state) { validate(state, "plain text "); }
void bm_utf8_european(benchmark::State& state) { validate(state, "Grüße aus Köln "); }
void bm_utf8_japanese(benchmark::State& state) { validate(state, "こんにちは世界"); }
BENCHMARK(bm_utf8_ascii)->Arg(20)->Arg(1024)->Arg(16 * 1024);
BENCHMARK(bm_utf8_european)->Arg(1024);
BENCHMARK(bm_utf8_japanese)->Arg(1024);

}  // namespace
