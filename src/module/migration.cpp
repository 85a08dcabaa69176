// SPDX-License-Identifier: Apache-2.0
#include "module/migration.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "apr/pool.hpp"
#include "config/vocabulary/migration.hpp"
#include "server/credential_report.hpp"

namespace tls::module {
namespace {

struct Difference {
  std::string file;
  int line = 0;
  std::string text;
};
using Differences = std::vector<Difference>;

constexpr const char* key = "mod_tls: differences";
constexpr std::string_view stops_the_start = "stops the start: ";

Differences& noted(apr_pool_t* pool) {
  void* found = nullptr;
  apr_pool_userdata_get(&found, key, pool);
  if (found == nullptr) {
    found = apr::pool_new<Differences>(pool);
    apr_pool_userdata_setn(found, key, apr_pool_cleanup_null, pool);
  }
  return *static_cast<Differences*>(found);
}

// A line that many virtual hosts include is listed once.
void note(cmd_parms* cmd, const std::string& text) {
  if (text.empty()) return;
  Differences& all = noted(cmd->server->process->pconf);
  const Difference next{cmd->directive->filename, cmd->directive->line_num, text};
  const bool known = std::ranges::any_of(
      all, [&next](const Difference& d) { return d.line == next.line && d.file == next.file && d.text == next.text; });
  if (!known) all.push_back(next);
}

}  // namespace

bool lists_differences() {
  return ap_state_query(AP_SQ_RUN_MODE) == AP_SQ_RM_CONFIG_TEST && ap_exists_config_define("DUMP_TLS_MIGRATION") != 0;
}

void note_difference(cmd_parms* cmd, const config::Arguments& words, const config::Outcome& outcome) {
  if (!outcome.error.empty()) note(cmd, std::string(stops_the_start) + outcome.error);
  note(cmd, outcome.warning);
  note(cmd, outcome.notice);
  if (outcome.error.empty()) note(cmd, config::migration_difference(words, cmd->path != nullptr));
}

int list_differences(apr_pool_t* pool, apr_pool_t* /*log_pool*/, apr_pool_t* /*temp_pool*/, server_rec* main_server) {
  apr_file_t* out = nullptr;
  if (!lists_differences() || apr_file_open_stdout(&out, pool) != APR_SUCCESS) return DECLINED;
  const Differences& all = noted(main_server->process->pconf);
  apr_file_printf(out, "Differences from mod_ssl that this configuration meets: %d\n", static_cast<int>(all.size()));
  for (const Difference& d : all) apr_file_printf(out, "%s:%d: %s\n", d.file.c_str(), d.line, d.text.c_str());
  apr_file_printf(out, "What is different everywhere: docs/migrating-from-mod_ssl.md\n");
  server::report_problems(main_server, [out](const server::FileProblem& problem) {
    apr_file_printf(out, "%s: %s%s\n", problem.place.c_str(), problem.is_fatal ? "stops the start: " : "",
                    problem.text.c_str());
  });
  return DECLINED;
}

int judge_differences(apr_pool_t* /*pool*/, apr_pool_t* /*log_pool*/, apr_pool_t* /*temp_pool*/,
                      server_rec* main_server) {
  if (!lists_differences()) return DECLINED;
  const auto stops = [](const Difference& d) { return d.text.starts_with(stops_the_start); };
  return std::ranges::any_of(noted(main_server->process->pconf), stops) ? HTTP_INTERNAL_SERVER_ERROR : DECLINED;
}

}  // namespace tls::module
