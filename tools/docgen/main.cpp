// SPDX-License-Identifier: Apache-2.0
// Writes the documents that are made from tables in the code. Links src/config only, no httpd.
// usage: docgen DIRECTORY
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <utility>

#include "documents.hpp"

namespace {

constexpr std::size_t kColumns = 100;

bool stays_whole(const std::string& line) {
  return line.empty() || line.starts_with('|') || line.starts_with('#') || line.starts_with("- ");
}

// Paragraphs in lines of at most kColumns, as tools/wrap_docs.py has them; rows of tables, headings and items stay as
// they are.
std::string wrapped(const std::string& text) {
  std::string out;
  std::string paragraph;
  const auto end_paragraph = [&] {
    while (paragraph.size() > kColumns) {
      const std::size_t end = paragraph.rfind(' ', kColumns);
      if (end == std::string::npos) break;
      out += paragraph.substr(0, end) + '\n';
      paragraph.erase(0, end + 1);
    }
    if (!paragraph.empty()) out += std::exchange(paragraph, {}) + '\n';
  };
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (stays_whole(line)) {
      end_paragraph();
      out += line + '\n';
    } else {
      paragraph += (paragraph.empty() ? "" : " ") + line;
    }
  }
  end_paragraph();
  return out;
}

bool write(const std::filesystem::path& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary);
  out << wrapped(text);
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
