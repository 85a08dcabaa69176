// SPDX-License-Identifier: Apache-2.0
#include "server/sections.hpp"

#include "apr/httpd.hpp"
#include "server/module_config.hpp"

namespace tls::server {
namespace {

// Sections within sections are finitely deep in any configuration; the bound keeps a mistake from hanging the start.
constexpr int deepest = 16;

std::string path_of(const config::Setting<config::PathAt>& setting) { return setting ? setting->path : std::string(); }

using Visit = std::function<void(const config::DirectorySettings&)>;

void visit_section(const ap_conf_vector_t* section, int depth, const Visit& visit);

void visit_all(const apr_array_header_t* sections, int depth, const Visit& visit) {
  if (sections == nullptr || depth > deepest) return;
  const auto* const list = reinterpret_cast<ap_conf_vector_t* const*>(sections->elts);
  for (int i = 0; i < sections->nelts; ++i) visit_section(list[i], depth, visit);
}

void visit_section(const ap_conf_vector_t* section, int depth, const Visit& visit) {
  for (const module_struct* record : {&tls_module, &ssl_module}) {
    if (!is_loaded(*record)) continue;
    const auto* scope = static_cast<const DirectoryScope*>(ap_get_module_config(section, record));
    if (scope != nullptr) visit(scope->settings);
  }
  const auto* core = static_cast<const core_dir_config*>(ap_get_core_module_config(section));
  if (core == nullptr) return;
  visit_all(core->sec_file, depth + 1, visit);
  visit_all(core->sec_if, depth + 1, visit);
}

}  // namespace

void visit_sections(const server_rec* s, const Visit& visit) {
  if (s->lookup_defaults != nullptr) visit_section(s->lookup_defaults, 0, visit);
  const auto* core = static_cast<const core_server_config*>(ap_get_core_module_config(s->module_config));
  if (core == nullptr) return;
  visit_all(core->sec_dir, 1, visit);
  visit_all(core->sec_url, 1, visit);
}

std::vector<ClientSection> client_sections(const server_rec* s) {
  std::vector<ClientSection> found;
  visit_sections(s, [&found](const config::DirectorySettings& own) {
    if (!own.verify_client && !own.verify_depth && !own.ca_file && !own.ca_path) return;
    found.push_back({own.verify_client, own.verify_depth, path_of(own.ca_file), path_of(own.ca_path),
                     own.ca_file.where(), own.ca_path.where()});
  });
  return found;
}

}  // namespace tls::server
