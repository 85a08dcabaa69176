// SPDX-License-Identifier: Apache-2.0
// Where the Rust session leaves what it produced: buckets at the end of two brigades.
#pragma once

#include <cstdint>

#include "rust/cxx.h"

struct apr_bucket_brigade;

namespace tls::conn {

// Lives on the stack for the length of one call into a session.
class Sink final {
 public:
  // Both brigades belong to the connection; neither is owned here.
  Sink(apr_bucket_brigade* plaintext, apr_bucket_brigade* ciphertext)
      : plaintext_(plaintext), ciphertext_(ciphertext) {}

  // Called by Rust, which nothing may throw through: they call APR alone, which throws nothing.
  void plaintext(rust::Slice<const std::uint8_t> data) noexcept;
  void ciphertext(rust::Slice<const std::uint8_t> data) noexcept;

 private:
  apr_bucket_brigade* plaintext_;
  apr_bucket_brigade* ciphertext_;
};

}  // namespace tls::conn
