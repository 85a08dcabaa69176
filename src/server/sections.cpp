#include "server/sections.hpp"

#include "apr/httpd.hpp"
#include "server/scopes.hpp"

namespace tls::server {
namespace {

// Sections within sections are finitely deep in any configuration; the bound keeps a mistake from hanging the start.
constexpr int deepest = 16;

std::string path_of(const config::Setting<config::PathAt>& setting) { return setting ? setting->path : std::string(); }

void collect(const ap_conf_vector_t* section, int depth, std::vector<ClientSection>& found);

void collect_all(const apr_array_header_t* sections, int depth, std::vector<ClientSection>& found) {
  if (sections == nullptr || depth > deepest) return;
  const auto* const list = reinterpret_cast<ap_conf_vector_t* const*>(sections->elts);
  for (int i = 0; i < sections->nelts; ++i) collect(list[i], depth, found);
}

void collect(const ap_conf_vector_t* section, int depth, std::vector<ClientSection>& found) {
  for (const module_struct* record : {&tls_module, &ssl_module}) {
    if (!is_loaded(*record)) continue;
    const auto* scope = static_cast<const DirectoryScope*>(ap_get_module_config(section, record));
    if (scope == nullptr) continue;
    const config::DirectorySettings& s = scope->settings;
    if (!s.verify_client && !s.verify_depth && !s.ca_file && !s.ca_path) continue;
    found.push_back({s.verify_client, s.verify_depth, path_of(s.ca_file), path_of(s.ca_path), s.ca_file.where(),
                     s.ca_path.where()});
  }
  const auto* core = static_cast<const core_dir_config*>(ap_get_core_module_config(section));
  if (core == nullptr) return;
  collect_all(core->sec_file, depth + 1, found);
  collect_all(core->sec_if, depth + 1, found);
}

}  // namespace

std::vector<ClientSection> client_sections(const server_rec* s) {
  std::vector<ClientSection> found;
  if (s->lookup_defaults != nullptr) collect(s->lookup_defaults, 0, found);
  const auto* core = static_cast<const core_server_config*>(ap_get_core_module_config(s->module_config));
  if (core != nullptr) {
    collect_all(core->sec_dir, 1, found);
    collect_all(core->sec_url, 1, found);
  }
  return found;
}

}  // namespace tls::server
