// SPDX-License-Identifier: Apache-2.0
#include "tls/randomness.h"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <new>
#include <string_view>
#include <utility>

#include "tls/dispatch.h"
#include "tls/openssl.h"

namespace fairlead::tls {

// All zeros, as the system leaves it in a child, means that nothing is there.
struct RandomAhead::Page {
  std::atomic<bool> whole;  // not wiped by the system since it was filled
  std::size_t left;
  std::array<std::byte, room> bytes;
};

RandomAhead::RandomAhead() noexcept {
  void* const page = ::mmap(nullptr, sizeof(Page), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return;
  if (::madvise(page, sizeof(Page), MADV_WIPEONFORK) == 0) {
    page_ = new (page) Page{};
  } else {
    ::munmap(page, sizeof(Page));
  }
}

RandomAhead::~RandomAhead() {
  if (page_ == nullptr) return;
  wipe();
  ::munmap(page_, sizeof(Page));
}

void RandomAhead::wipe() noexcept {
  if (page_ == nullptr) return;
  page_->left = 0;
  OPENSSL_cleanse(page_->bytes.data(), page_->bytes.size());
}

Bytes RandomAhead::held() const noexcept { return page_ != nullptr ? Bytes(page_->bytes) : Bytes(); }

bool RandomAhead::take(MutableBytes out, RandomSource& source) {
  if (page_ == nullptr || out.size() > most) return source.fill(out);
  do {
    std::size_t left = page_->left;  // read once: a child of a fork right here would find zero
    const bool enough = page_->whole.load(std::memory_order_relaxed) && left >= out.size();
    if (!enough && !fetch(source)) return false;
    if (!enough) left = room;
    hand_out(out, left);
    std::atomic_signal_fence(std::memory_order_seq_cst);
  } while (!page_->whole.load(std::memory_order_relaxed));  // a signal came, whose handler forked: this is the child
  return true;
}

bool RandomAhead::fetch(RandomSource& source) {
  wipe();
  page_->whole.store(true, std::memory_order_relaxed);
  std::atomic_signal_fence(std::memory_order_seq_cst);
  if (!source.fill(page_->bytes)) {
    wipe();
    return false;
  }
  page_->left = room;
  return true;
}

void RandomAhead::hand_out(MutableBytes out, std::size_t left) noexcept {
  const MutableBytes next = MutableBytes(page_->bytes).subspan(left - out.size(), out.size());
  std::ranges::copy(next, out.begin());
  OPENSSL_cleanse(next.data(), next.size());
  page_->left = left - out.size();
}

namespace {

constexpr unsigned strength_bits = 256;                        // of CTR-DRBG over AES-256
constexpr std::size_t longest_request = std::size_t{1} << 16;  // likewise

using GeneratorPtr = std::unique_ptr<EVP_RAND_CTX, Release<EVP_RAND_CTX_free>>;
using KindPtr = std::unique_ptr<EVP_RAND, Release<EVP_RAND_free>>;

unsigned char* octets(std::byte* bytes) { return reinterpret_cast<unsigned char*>(bytes); }  // NOLINT: bytes are bytes

class Generator final : public RandomSource {
 public:
  [[nodiscard]] bool fill(MutableBytes out) override {
    return upstream != nullptr &&
           EVP_RAND_generate(upstream.get(), octets(out.data()), out.size(), strength_bits, 0, nullptr, 0) == 1;
  }

  GeneratorPtr upstream;  // null: not instantiated
  RandomAhead ahead;
  std::unique_ptr<std::mutex> mutex;  // null: one thread's own
};

Generator& of(void* context) { return *static_cast<Generator*>(context); }

void* make_context(void* /*provider*/, void* /*parent*/, const OSSL_DISPATCH* /*functions*/) {
  return new (std::nothrow) Generator;  // NOLINT: OpenSSL's form
}

void free_context(void* context) { delete static_cast<Generator*>(context); }  // NOLINT: OpenSSL's form

int uninstantiate(void* context) {
  of(context).ahead.wipe();
  of(context).upstream.reset();
  return 1;
}

// The parameters are those that OpenSSL gives to a generator of its own: cipher, and how often it is seeded again.
int instantiate(void* context, unsigned strength, int resist_prediction, const unsigned char* personal,
                std::size_t personal_size, const OSSL_PARAM* parameters) {
  uninstantiate(context);
  EVP_RAND_CTX* const parent = RAND_get0_primary(nullptr);
  const KindPtr kind(EVP_RAND_fetch(nullptr, "CTR-DRBG", nullptr));
  if (parent == nullptr || kind == nullptr) return 0;
  GeneratorPtr made(EVP_RAND_CTX_new(kind.get(), parent));
  if (made == nullptr || EVP_RAND_instantiate(made.get(), std::max(strength, strength_bits), resist_prediction,
                                              personal, personal_size, parameters) != 1) {
    return 0;
  }
  of(context).upstream = std::move(made);
  return 1;
}

int generate(void* context, unsigned char* out, std::size_t size, unsigned strength, int resist_prediction,
             const unsigned char* additional, std::size_t additional_size) {
  Generator& generator = of(context);
  if (generator.upstream == nullptr || strength > strength_bits) return 0;
  if (resist_prediction != 0 || additional_size != 0) {  // what was fetched before does not do
    return EVP_RAND_generate(generator.upstream.get(), out, size, strength, resist_prediction, additional,
                             additional_size);
  }
  return generator.ahead.take({reinterpret_cast<std::byte*>(out), size}, generator) ? 1 : 0;  // NOLINT: bytes are bytes
}

int reseed(void* context, int resist_prediction, const unsigned char* entropy, std::size_t entropy_size,
           const unsigned char* additional, std::size_t additional_size) {
  of(context).ahead.wipe();
  return of(context).upstream == nullptr ? 0
                                         : EVP_RAND_reseed(of(context).upstream.get(), resist_prediction, entropy,
                                                           entropy_size, additional, additional_size);
}

int enable_locking(void* context) {
  if (of(context).mutex == nullptr) of(context).mutex = std::make_unique<std::mutex>();
  return 1;
}

int lock(void* context) {
  if (of(context).mutex != nullptr) of(context).mutex->lock();
  return 1;
}

void unlock(void* context) {
  if (of(context).mutex != nullptr) of(context).mutex->unlock();
}

int state(Generator& generator) {
  return generator.upstream != nullptr ? EVP_RAND_get_state(generator.upstream.get()) : EVP_RAND_STATE_UNINITIALISED;
}

int get_parameters(void* context, OSSL_PARAM* parameter) {
  for (; parameter != nullptr && parameter->key != nullptr; ++parameter) {
    const std::string_view name = parameter->key;
    int set = 1;
    if (name == OSSL_RAND_PARAM_MAX_REQUEST) set = OSSL_PARAM_set_size_t(parameter, longest_request);
    if (name == OSSL_RAND_PARAM_STATE) set = OSSL_PARAM_set_int(parameter, state(of(context)));
    if (name == OSSL_RAND_PARAM_STRENGTH) set = OSSL_PARAM_set_uint(parameter, strength_bits);
    if (set != 1) return 0;
  }
  return 1;
}

const OSSL_PARAM* gettable(void* /*context*/, void* /*provider*/) {
  static constexpr std::array list{OSSL_PARAM{OSSL_RAND_PARAM_STATE, OSSL_PARAM_INTEGER, nullptr, 0, 0},
                                   OSSL_PARAM{OSSL_RAND_PARAM_STRENGTH, OSSL_PARAM_UNSIGNED_INTEGER, nullptr, 0, 0},
                                   OSSL_PARAM{OSSL_RAND_PARAM_MAX_REQUEST, OSSL_PARAM_UNSIGNED_INTEGER, nullptr, 0, 0},
                                   OSSL_PARAM{}};
  return list.data();
}

}  // namespace

// NOLINTNEXTLINE: OpenSSL's form
const OSSL_DISPATCH random_functions[] = {entry(OSSL_FUNC_RAND_NEWCTX, make_context),
                                          entry(OSSL_FUNC_RAND_FREECTX, free_context),
                                          entry(OSSL_FUNC_RAND_INSTANTIATE, instantiate),
                                          entry(OSSL_FUNC_RAND_UNINSTANTIATE, uninstantiate),
                                          entry(OSSL_FUNC_RAND_GENERATE, generate),
                                          entry(OSSL_FUNC_RAND_RESEED, reseed),
                                          entry(OSSL_FUNC_RAND_ENABLE_LOCKING, enable_locking),
                                          entry(OSSL_FUNC_RAND_LOCK, lock),
                                          entry(OSSL_FUNC_RAND_UNLOCK, unlock),
                                          entry(OSSL_FUNC_RAND_GET_CTX_PARAMS, get_parameters),
                                          entry(OSSL_FUNC_RAND_GETTABLE_CTX_PARAMS, gettable),
                                          {0, nullptr}};

}  // namespace fairlead::tls
