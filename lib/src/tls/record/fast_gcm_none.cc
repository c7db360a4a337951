// SPDX-License-Identifier: Apache-2.0
// For machines that the library is not for.
#include "base/assert.h"
#include "tls/record/fast_gcm.h"

namespace fairlead::tls::record {

bool fast_gcm_available() noexcept { return false; }

void fast_gcm_expand(Bytes /*key*/, std::byte* /*expanded*/) noexcept { FAIRLEAD_ASSERT(fast_gcm_available()); }

void fast_gcm_seal(const FastGcmCall& /*call*/, Bytes /*in*/, std::byte* /*out*/, std::byte* /*tag*/) noexcept {
  FAIRLEAD_ASSERT(fast_gcm_available());
}

void fast_gcm_seal_with(const FastGcmCall& /*call*/, Bytes /*in*/, std::byte /*last*/, std::byte* /*out*/,
                        std::byte* /*tag*/) noexcept {
  FAIRLEAD_ASSERT(fast_gcm_available());
}

void fast_gcm_open(const FastGcmCall& /*call*/, Bytes /*in*/, std::byte* /*out*/, std::byte* /*tag*/) noexcept {
  FAIRLEAD_ASSERT(fast_gcm_available());
}

}  // namespace fairlead::tls::record
