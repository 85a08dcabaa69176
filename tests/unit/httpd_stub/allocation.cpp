// SPDX-License-Identifier: Apache-2.0
#include "allocation.hpp"

#include <cstdlib>
#include <new>

namespace {

unsigned left = 0;  // allocations until one fails; 0: none does
bool failed = false;

}  // namespace

namespace httpd_stub {

void fail_allocation(unsigned number) {
  left = number;
  failed = false;
}

bool allocation_failed() {
  left = 0;
  return failed;
}

}  // namespace httpd_stub

void* operator new(std::size_t size) {
  if (left != 0 && --left == 0) {
    failed = true;
    throw std::bad_alloc();
  }
  if (void* const memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}

void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
