#include "module/commands.hpp"

#include <ap_expr.h>
#include <apr_strings.h>

#include <string>
#include <type_traits>
#include <unordered_set>

#include "apr/hook.hpp"
#include "apr/mpm.hpp"
#include "apr/pool.hpp"
#include "config/all_rows.hpp"
#include "module/command_table.hpp"
#include "module/migration.hpp"
#include "report/log.hpp"
#include "server/arena.hpp"
#include "server/scopes.hpp"

namespace tls::module {
namespace {

using config::Context;
using config::Row;
using config::ServerSettings;

// The row that the directive means here; nullptr when it must not stand here.
const Row<ServerSettings>* row_here(const Command& command, bool in_virtual_host) {
  for (std::size_t i = 0; i < command.server_count; ++i) {
    const Context context = command.server[i].context;
    if (context == Context::Nowhere || context == (in_virtual_host ? Context::Global : Context::VirtualHost)) continue;
    return &command.server[i];
  }
  return nullptr;
}

bool in_htaccess(cmd_parms* cmd) { return ap_check_cmd_context(cmd, NOT_IN_HTACCESS) != nullptr; }

// True the first time that `text` is to be said of this line of the configuration: a file that 10,000 virtual hosts
// include has each of its lines judged once in the log.
bool is_new(const cmd_parms* cmd, const std::string& text) {
  constexpr const char* key = "mod_tls: lines said";
  using Said = std::unordered_set<std::string>;
  apr_pool_t* pool = cmd->server->process->pconf;
  void* found = nullptr;
  apr_pool_userdata_get(&found, key, pool);
  if (found == nullptr) {
    found = apr::pool_new<Said>(pool);
    apr_pool_userdata_setn(found, key, apr_pool_cleanup_null, pool);
  }
  return static_cast<Said*>(found)
      ->insert(std::string(cmd->directive->filename) + ":" + std::to_string(cmd->directive->line_num) + text)
      .second;
}

// Hands the outcome to httpd, which prints an error with file and line but without the directive's name.
const char* report(cmd_parms* cmd, const config::Arguments& words, const config::Outcome& outcome) {
  if (lists_differences()) {
    note_difference(cmd, words, outcome);
    return nullptr;
  }
  if (!outcome.error.empty()) return apr_pstrdup(cmd->pool, outcome.error.c_str());
  // A .htaccess file is read with every request.
  if (apr::is_first_reading() || (outcome.warning.empty() && outcome.notice.empty()) || in_htaccess(cmd))
    return nullptr;
  const char* file = cmd->directive->filename;
  const int line = cmd->directive->line_num;
  if (!outcome.warning.empty() && is_new(cmd, outcome.warning)) {
    TLS_LOG_S(cmd->server, ConfigWarning, outcome.warning.c_str(), file, line);
  }
  if (!outcome.notice.empty() && is_new(cmd, outcome.notice)) {
    TLS_LOG_S(cmd->server, ConfigNotice, outcome.notice.c_str(), file, line);
  }
  return nullptr;
}

const char* wrong_place(cmd_parms* cmd, const Command& command) {
  const bool global = command.server_count > 0 && command.server->context == Context::Global;
  return apr_pstrcat(cmd->pool, cmd->cmd->name, global ? ": only outside of <VirtualHost>" : ": only in <VirtualHost>",
                     nullptr);
}

// Writes one directive into the scope it stands in: `server` for the settings of a server, `directory` for the rest.
const char* apply_here(cmd_parms* cmd, server::ServerScope& server, server::DirectoryScope& directory,
                       const config::Arguments& words) {
  const auto& command = *static_cast<const Command*>(cmd->info);
  server::PoolArena arena(cmd->pool);
  if (command.proxy_count > 0) {
    directory.of_backends = true;
    return report(cmd, words, apply(*command.proxy, directory.proxy, arena, words));
  }
  if (command.directory_count > 0 && (cmd->path != nullptr || command.server_count == 0)) {
    return report(cmd, words, apply(*command.directory, directory.settings, arena, words));
  }
  const auto* row = row_here(command, words.in_virtual_host);
  if (row == nullptr) return wrong_place(cmd, command);
  const char* error = report(cmd, words, apply(*row, server.settings, arena, words));
  if (error == nullptr && !row->engine_wide && server.first_directive == nullptr) {
    server.first_directive = cmd->cmd->name;
    server.first_written = words.where;
  }
  return error;
}

template <module_struct& Record>
const char* apply_to(cmd_parms* cmd, void* directory, const config::Arguments& words) {
  auto& server = *static_cast<server::ServerScope*>(ap_get_module_config(cmd->server->module_config, &Record));
  return apply_here(cmd, server, *static_cast<server::DirectoryScope*>(directory), words);
}

config::Arguments arguments(const cmd_parms* cmd, std::span<const char* const> words) {
  return {cmd->cmd->name,
          words,
          {cmd->directive->filename, static_cast<unsigned>(cmd->directive->line_num)},
          cmd->server->is_virtual != 0,
          ap_server_root};
}

template <module_struct& Record>
const char* take(cmd_parms* cmd, void* directory, int argc, char* const argv[]) {
  return apply_to<Record>(cmd, directory, arguments(cmd, {argv, static_cast<std::size_t>(argc)}));
}

// A whole line: an expression, compiled here because only httpd knows the language. Where .htaccess files are written
// by others, the expression must not read files (CVE-2026-59797).
template <module_struct& Record>
const char* take_expression(cmd_parms* cmd, void* directory, const char* text) {
  auto* compiled = static_cast<ap_expr_info_t*>(apr_pcalloc(cmd->pool, sizeof(ap_expr_info_t)));
  compiled->filename = cmd->directive->filename;
  compiled->line_number = static_cast<unsigned>(cmd->directive->line_num);
  compiled->module_index = Record.module_index;
  compiled->flags = AP_EXPR_FLAG_SSL_EXPR_COMPAT | (in_htaccess(cmd) ? AP_EXPR_FLAG_RESTRICTED : 0U);
  const char* error = ap_expr_parse(cmd->pool, cmd->temp_pool, compiled, text, nullptr);
  if (error != nullptr) {
    return apr_pstrcat(cmd->pool, cmd->cmd->name, ": Cannot parse expression: ", error, nullptr);
  }
  config::Arguments words = arguments(cmd, {&text, 1});
  words.compiled = compiled;
  return apply_to<Record>(cmd, directory, words);
}

// httpd prints this with the file and line of the directive.
const char* unreadable(const char* why, const cmd_parms* cmd) noexcept {
  return apr_pstrcat(cmd->pool, cmd->cmd->name, ": ", why, nullptr);
}

const char* lost_words(const char* why, cmd_parms* cmd, void* /*directory*/, int /*argc*/,
                       char* const /*argv*/[]) noexcept {
  return unreadable(why, cmd);
}

const char* lost_line(const char* why, cmd_parms* cmd, void* /*directory*/, const char* /*text*/) noexcept {
  return unreadable(why, cmd);
}

template <module_struct& Record>
constexpr Handlers handlers_of{apr::hook<take<Record>, lost_words>, apr::hook<take_expression<Record>, lost_line>};

// The words that govern the engine, which mod_ssl's vocabulary has too.
template <const auto& Table>
constexpr auto engine_rows = [] {
  std::array<typename std::remove_cvref_t<decltype(Table)>::value_type, engine_wide_count(Table)> rows{};
  std::size_t next = 0;
  for (const auto& row : Table) {
    if (row.engine_wide) rows[next++] = row;
  }
  return rows;
}();

constexpr auto& tls_list =
    commands_of<config::all_tls_server_rows, config::all_tls_directory_rows, config::tls_proxy_rows>;
constexpr auto& ssl_list = commands_of<config::all_ssl_server_rows, config::ssl_directory_rows, config::ssl_proxy_rows,
                                       engine_rows<config::tls_server_rows>, engine_rows<config::tls_proxy_rows>>;

constexpr auto tls_records = records_of<tls_list>(handlers_of<tls_module>);
constexpr auto ssl_records = records_of<ssl_list>(handlers_of<ssl_module>);

}  // namespace

const command_rec* const tls_commands = tls_records.data();
const command_rec* const ssl_commands = ssl_records.data();

}  // namespace tls::module
