// Writes the documents that are made from tables in the code. Links src/config only, no httpd.
// usage: docgen DIRECTORY
#include <filesystem>
#include <fstream>
#include <iostream>

#include "documents.hpp"

namespace {

bool write(const std::filesystem::path& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary);
  out << text;
  return static_cast<bool>(out.flush());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: docgen DIRECTORY\n";
    return 2;
  }
  const std::filesystem::path directory = argv[1];
  const bool written = write(directory / "directives.md", docgen::directives()) &&
                       write(directory / "log-messages.md", docgen::log_messages()) &&
                       write(directory / "variables.md", docgen::variables());
  if (!written) std::cerr << "docgen: cannot write into " << directory << '\n';
  return written ? 0 : 1;
}
