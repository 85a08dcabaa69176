// SPDX-License-Identifier: Apache-2.0
// Replays the seeds of the fuzz targets that are written in C++ (fuzz/cpp); each aborts where something is wrong.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "cpp/targets.hpp"

namespace tls::fuzzing {
namespace {

void replay(const std::string& target, std::size_t least, void (*run)(std::string_view)) {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(FUZZ_CORPUS "/" + target)) {
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string seed{std::istreambuf_iterator<char>(file), {}};
    const std::size_t step = seed.size() / 32 + 1;
    for (std::size_t cut = 0; cut < seed.size(); cut += step) run(std::string_view(seed).substr(0, cut));
    run(seed);
    ++count;
  }
  EXPECT_GE(count, least) << target;
}

TEST(Corpus, Ciphers) { replay("ciphers", 20, ciphers); }
TEST(Corpus, Directives) { replay("directives", 20, directives); }
TEST(Corpus, Filters) { replay("filters", 10, filters); }

}  // namespace
}  // namespace tls::fuzzing
