// SPDX-License-Identifier: Apache-2.0
// The entry of libFuzzer; FUZZ_TARGET names the function. What takes more than 50 ms of the processor, three times, is
// a finding.
#include <ctime>

#include "cpp/targets.hpp"

namespace {

double processor_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  for (int slow = 0;; ++slow) {
    tls::fuzzing::hold(slow < 3, "an input takes at most 50 ms");
    const double start = processor_seconds();
    tls::fuzzing::FUZZ_TARGET(input);
    if (processor_seconds() - start <= 0.05) return 0;
  }
}
