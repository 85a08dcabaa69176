// SPDX-License-Identifier: Apache-2.0
// Reads lines of configuration without httpd.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "config/vocabulary/all_rows.hpp"
#include "config/words.hpp"

namespace tls::config::testing {

// Keeps everything until the test ends.
class HeapArena final : public Arena {
 public:
  ~HeapArena() override {
    for (auto it = deferred_.rbegin(); it != deferred_.rend(); ++it) it->first(it->second);
  }
  HeapArena() = default;
  HeapArena(const HeapArena&) = delete;
  HeapArena& operator=(const HeapArena&) = delete;

 private:
  void* allocate(std::size_t size) override {
    return blocks_.emplace_back(std::make_unique<std::max_align_t[]>(size / sizeof(std::max_align_t) + 1)).get();
  }
  void defer(void (*destroy)(void*), void* object) override { deferred_.emplace_back(destroy, object); }

  std::deque<std::unique_ptr<std::max_align_t[]>> blocks_;
  std::deque<std::pair<void (*)(void*), void*>> deferred_;
};

// All three kinds of settings of one scope, as a line may write any of them.
struct Scope {
  ServerSettings server;
  DirectorySettings directory;
  ProxySettings proxy;
};

// Where a line stands.
enum class Place { Server, VirtualHost, Directory };

// The words of a line; quotes keep a word together.
inline std::vector<std::string> words_of(std::string_view line) {
  std::vector<std::string> words;
  bool quoted = false;
  bool open = false;
  for (const char c : line) {
    if (c == '"') {
      if (!quoted && !open) words.emplace_back();
      open = true;
      quoted = !quoted;
    } else if (c == ' ' && !quoted) {
      open = false;
    } else {
      if (!open) words.emplace_back();
      open = true;
      words.back() += c;
    }
  }
  return words;
}

template <class S, std::size_t N>
const Row<S>* find_row(const std::array<Row<S>, N>& rows, std::string_view name, Place place) {
  for (const Row<S>& row : rows) {
    const bool wrong_scope = row.context == (place == Place::VirtualHost ? Context::Global : Context::VirtualHost);
    if (name == row.name && row.context != Context::Nowhere && !wrong_scope) return &row;
  }
  return nullptr;
}

// Reads `line` into `scope`. The outcome's error is "no such directive" where no row takes it at that place.
inline Outcome read_line(Scope& scope, Arena& arena, std::string_view line, Place place = Place::Server) {
  std::vector<std::string> words = words_of(line);
  std::vector<const char*> pointers;
  for (std::size_t i = 1; i < words.size(); ++i) pointers.push_back(words[i].c_str());
  const Arguments arguments{words[0], pointers, {"test.conf", 7}, place == Place::VirtualHost, "/etc/apache2"};
  const auto* server = find_row(all_server_rows, words[0], place);
  const auto* directory = find_row(all_directory_rows, words[0], place);
  if (const auto* proxy = find_row(all_proxy_rows, words[0], place))
    return apply(*proxy, scope.proxy, arena, arguments);
  if (directory != nullptr && (place == Place::Directory || server == nullptr)) {
    return apply(*directory, scope.directory, arena, arguments);
  }
  if (server != nullptr) return apply(*server, scope.server, arena, arguments);
  return {"no such directive", {}, {}};
}

// `inner` within `outer`.
inline Scope merged_scopes(Arena& arena, const Scope& outer, const Scope& inner) {
  Scope out;
  merge(server_merges, arena, out.server, outer.server, inner.server);
  merge(directory_merges, arena, out.directory, outer.directory, inner.directory);
  merge(proxy_merges, arena, out.proxy, outer.proxy, inner.proxy);
  return out;
}

}  // namespace tls::config::testing
