// SPDX-License-Identifier: Apache-2.0
#include "server/written.hpp"

#include <map>
#include <string>
#include <utility>

#include "config/words.hpp"

namespace tls::server {
namespace {

using Hosts = std::map<std::pair<std::string, unsigned>, server_rec*>;

// Sections within sections are finitely deep in any configuration; the bound keeps a mistake from hanging the start.
constexpr int deepest = 32;

void visit_tree(const ap_directive_t* first, server_rec* s, const Hosts& hosts, int depth,
                const VisitDirective& visit) {
  if (depth > deepest) return;
  for (const ap_directive_t* d = first; d != nullptr; d = d->next) {
    server_rec* inner = s;
    if (config::same_word(d->directive, "<VirtualHost")) {
      const auto found = hosts.find({d->filename, static_cast<unsigned>(d->line_num)});
      if (found == hosts.end()) continue;
      inner = found->second;
    }
    visit(*d, inner);
    visit_tree(d->first_child, inner, hosts, depth + 1, visit);
  }
}

}  // namespace

void visit_directives(server_rec* main_server, const VisitDirective& visit) {
  Hosts hosts;
  for (server_rec* s = main_server->next; s != nullptr; s = s->next) {
    if (s->defn_name != nullptr) hosts.try_emplace({s->defn_name, s->defn_line_number}, s);
  }
  visit_tree(ap_conftree, main_server, hosts, 0, visit);
}

}  // namespace tls::server
