// SPDX-License-Identifier: Apache-2.0
#include "conn/sink.hpp"

#include "apr/httpd.hpp"

namespace tls::conn {
namespace {

void append(apr_bucket_brigade* bb, rust::Slice<const std::uint8_t> data) {
  apr_bucket* const b =
      apr_bucket_heap_create(reinterpret_cast<const char*>(data.data()), data.size(), nullptr, bb->bucket_alloc);
  APR_BRIGADE_INSERT_TAIL(bb, b);
}

}  // namespace

void Sink::plaintext(rust::Slice<const std::uint8_t> data) noexcept {
  if (!data.empty()) append(plaintext_, data);
}

void Sink::ciphertext(rust::Slice<const std::uint8_t> data) noexcept {
  if (!data.empty()) append(ciphertext_, data);
}

}  // namespace tls::conn
