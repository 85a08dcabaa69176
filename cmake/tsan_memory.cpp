// SPDX-License-Identifier: Apache-2.0
// What Rust's compiler calls for memory under TSan and the runtime of older GCCs does not have: their own functions,
// which that runtime watches.
#include <cstddef>
#include <cstring>

extern "C" {
void* __tsan_memcpy(void* to, const void* from, std::size_t length) { return std::memcpy(to, from, length); }
void* __tsan_memmove(void* to, const void* from, std::size_t length) { return std::memmove(to, from, length); }
void* __tsan_memset(void* to, int octet, std::size_t length) { return std::memset(to, octet, length); }
}
