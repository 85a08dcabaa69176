// SPDX-License-Identifier: Apache-2.0
// SSLUserName and TLSUserName of variables that do not exist: found before the first user is refused.
#include <set>
#include <string>

#include "access/access.hpp"
#include "apr/mpm.hpp"
#include "log/log.hpp"
#include "report/variables.hpp"
#include "server/host_label.hpp"
#include "server/sections.hpp"

namespace tls::access {

int check_user_names(apr_pool_t* /*pool*/, apr_pool_t* /*log_pool*/, apr_pool_t* /*temp_pool*/,
                     server_rec* main_server) {
  if (apr::is_first_reading()) return OK;
  std::set<std::string> said;
  for (const server_rec* s = main_server; s != nullptr; s = s->next) {
    server::visit_sections(s, [&](const config::DirectorySettings& section, const std::string& /*name*/) {
      if (!section.user_name || report::is_variable(*section.user_name)) return;
      const config::Source where = section.user_name.where();
      if (!said.insert(where.text()).second) return;
      TLS_LOG_S(main_server, UnknownUserName, server::host_label(s).c_str(), section.user_name->c_str(),
                where.file_or_nothing(), static_cast<int>(where.line));
    });
  }
  return OK;
}

}  // namespace tls::access
