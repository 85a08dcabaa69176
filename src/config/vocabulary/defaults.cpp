// SPDX-License-Identifier: Apache-2.0
#include "config/vocabulary/defaults.hpp"

#include <string>
#include <vector>

#include "config/vocabulary/all_rows.hpp"
#include "config/words.hpp"

namespace tls::config {
namespace {

template <class S>
void write_default(const Row<S>& row, const char* fallback, S& settings, Arena& arena) {
  if (fallback == nullptr || row.set == nullptr) return;
  std::vector<std::string> words;
  for (const std::string_view word : split(fallback, " ")) words.emplace_back(word);
  std::vector<const char*> pointers;
  pointers.reserve(words.size());
  for (const std::string& word : words) pointers.push_back(word.c_str());
  apply(row, settings, arena, Arguments{row.name, pointers, {}, false, {}});
}

template <class S>
void write_defaults(std::span<const Row<S>> rows, Vocabulary words, S& settings, Arena& arena) {
  for (const Row<S>& row : rows) {
    const bool other = words == Vocabulary::Ssl && row.text.ssl_fallback != nullptr;
    write_default(row, other ? row.text.ssl_fallback : row.text.fallback, settings, arena);
  }
}

}  // namespace

ServerSettings server_defaults(Vocabulary words, Arena& arena) {
  ServerSettings tls;
  write_defaults<ServerSettings>(all_tls_server_rows, words, tls, arena);
  if (words == Vocabulary::Tls) return tls;
  ServerSettings ssl;
  write_defaults<ServerSettings>(all_ssl_server_rows, words, ssl, arena);
  ServerSettings both;
  merge(server_merges, arena, both, tls, ssl);
  return both;
}

// What only mod_ssl's words can say has its default there; for the rest each vocabulary has its own.
ProxySettings proxy_defaults(Vocabulary words, Arena& arena) {
  ProxySettings ssl;
  write_defaults<ProxySettings>(ssl_proxy_rows, words, ssl, arena);
  ProxySettings tls;
  write_defaults<ProxySettings>(tls_proxy_rows, words, tls, arena);
  if (words == Vocabulary::Ssl) {
    ssl.groups = tls.groups;
    return ssl;
  }
  ProxySettings both;
  merge(proxy_merges, arena, both, ssl, tls);
  both.crl_check = {};
  return both;
}

}  // namespace tls::config
