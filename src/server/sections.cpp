// SPDX-License-Identifier: Apache-2.0
#include "server/sections.hpp"

#include "apr/httpd.hpp"
#include "server/module_config.hpp"

namespace tls::server {
namespace {

// Sections within sections are finitely deep in any configuration; the bound keeps a mistake from hanging the start.
constexpr int deepest = 16;

std::string path_of(const config::Setting<config::PathAt>& setting) { return setting ? setting->path : std::string(); }

// Sections of one kind, and what stands around them.
struct Sections {
  const apr_array_header_t* all;
  const char* kind;
  const std::string& around;
  int depth;
};

// An <If> has its expression in a form that cannot be read any more; the places of its words say which it is.
std::string name_of(const Sections& sections, const core_dir_config& core) {
  const bool told = core.d != nullptr && core.condition == nullptr;
  return sections.around + (sections.around.empty() ? "<" : " <") + sections.kind + (core.r != nullptr ? "Match" : "") +
         (told ? " " + std::string(core.d) : "") + ">";
}

void visit_section(const ap_conf_vector_t* section, const std::string& name, int depth, const VisitSection& visit);

void visit_all(const Sections& sections, const VisitSection& visit) {
  if (sections.all == nullptr || sections.depth > deepest) return;
  const auto* const list = reinterpret_cast<ap_conf_vector_t* const*>(sections.all->elts);
  for (int i = 0; i < sections.all->nelts; ++i) {
    const auto* core = static_cast<const core_dir_config*>(ap_get_core_module_config(list[i]));
    if (core != nullptr) visit_section(list[i], name_of(sections, *core), sections.depth, visit);
  }
}

void visit_section(const ap_conf_vector_t* section, const std::string& name, int depth, const VisitSection& visit) {
  for (const module_struct* record : {&tls_module, &ssl_module}) {
    if (!is_loaded(*record)) continue;
    const auto* scope = static_cast<const DirectoryScope*>(ap_get_module_config(section, record));
    if (scope != nullptr) visit(scope->settings, name);
  }
  const auto* core = static_cast<const core_dir_config*>(ap_get_core_module_config(section));
  if (core == nullptr) return;
  visit_all({core->sec_file, "Files", name, depth + 1}, visit);
  visit_all({core->sec_if, "If", name, depth + 1}, visit);
}

}  // namespace

void visit_sections(const server_rec* s, const VisitSection& visit) {
  const std::string outermost;
  if (s->lookup_defaults != nullptr) visit_section(s->lookup_defaults, outermost, 0, visit);
  const auto* core = static_cast<const core_server_config*>(ap_get_core_module_config(s->module_config));
  if (core == nullptr) return;
  visit_all({core->sec_dir, "Directory", outermost, 1}, visit);
  visit_all({core->sec_url, "Location", outermost, 1}, visit);
}

std::vector<ClientSection> client_sections(const server_rec* s) {
  std::vector<ClientSection> found;
  visit_sections(s, [&found](const config::DirectorySettings& own, const std::string& /*name*/) {
    if (!own.verify_client && !own.verify_depth && !own.ca_file && !own.ca_path) return;
    found.push_back({own.verify_client, own.verify_depth, path_of(own.ca_file), path_of(own.ca_path),
                     own.ca_file.where(), own.ca_path.where()});
  });
  return found;
}

}  // namespace tls::server
