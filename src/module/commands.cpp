// SPDX-License-Identifier: Apache-2.0
#include "module/commands.hpp"

#include <ap_expr.h>
#include <apr_strings.h>

#include <string>
#include <type_traits>
#include <unordered_set>
#include <utility>
#include <vector>

#include "apr/hook.hpp"
#include "apr/mpm.hpp"
#include "apr/pool.hpp"
#include "config/vocabulary/all_rows.hpp"
#include "log/log.hpp"
#include "module/command_table.hpp"
#include "module/migration.hpp"
#include "server/arena.hpp"
#include "server/module_config.hpp"

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

// What is to be said of lines that are no faults. While httpd reads them, it drops what is logged for a virtual host.
struct Note {
  bool warning;
  std::string text;
  std::string file;
  int line;
};

struct Notes {
  std::unordered_set<std::string> known;  // a file that 10,000 virtual hosts include has each of its lines judged once
  std::vector<Note> all;
};

Notes& notes_of(const process_rec* process) {
  constexpr const char* key = "mod_tls: lines noted";
  void* found = nullptr;
  apr_pool_userdata_get(&found, key, process->pconf);
  if (found == nullptr) {
    found = apr::pool_new<Notes>(process->pconf);
    apr_pool_userdata_setn(found, key, apr_pool_cleanup_null, process->pconf);
  }
  return *static_cast<Notes*>(found);
}

void add_note(const cmd_parms* cmd, bool warning, const std::string& text) {
  if (text.empty()) return;
  Notes& notes = notes_of(cmd->server->process);
  Note note{warning, text, cmd->directive->filename, cmd->directive->line_num};
  const bool added = notes.known.insert(note.file + ":" + std::to_string(note.line) + text).second;
  if (added) notes.all.push_back(std::move(note));
}

// Hands the outcome to httpd, which prints an error with file and line but without the directive's name.
const char* report(cmd_parms* cmd, const config::Arguments& words, const config::Outcome& outcome) {
  if (lists_differences()) {
    note_difference(cmd, words, outcome);
    return nullptr;
  }
  if (!outcome.error.empty()) return apr_pstrdup(cmd->pool, outcome.error.c_str());
  // A .htaccess file is read with every request.
  if (apr::is_first_reading() || in_htaccess(cmd)) return nullptr;
  add_note(cmd, true, outcome.warning);
  add_note(cmd, false, outcome.notice);
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
                                       engine_rows<config::all_tls_server_rows>, engine_rows<config::tls_proxy_rows>>;

// httpd asks each module that has a word, so that the one whose it is reads it where it is loaded as well.
const char* foreign_ssl_word(cmd_parms* cmd, void* /*directory*/, const char* /*words*/) {
  if (ap_find_linked_module("mod_ssl.c") != nullptr) return DECLINE_CMD;
  return apr_pstrcat(
      cmd->pool, cmd->cmd->name,
      ": this is a word of mod_ssl, which is read where this module is loaded as ssl_module: add \"LoadModule "
      "ssl_module\" with the same file, or write TLS* words (docs/migrating-from-mod_ssl.md)",
      nullptr);
}

const char* foreign_tls_word(cmd_parms* cmd, void* /*directory*/, const char* /*words*/) {
  if (server::is_loaded(tls_module)) return DECLINE_CMD;
  return apr_pstrcat(
      cmd->pool, cmd->cmd->name,
      ": TLS* words are read where this module is loaded as tls_module: add \"LoadModule tls_module\" with the "
      "same file, or write mod_ssl's words",
      nullptr);
}

const char* near_word(cmd_parms* cmd, void* /*directory*/, const char* /*words*/) {
  return apr_pstrcat(cmd->pool, cmd->cmd->name, ": there is no such word; ", static_cast<const char*>(cmd->info),
                     nullptr);
}

constexpr auto own_tls_records = records_of<tls_list>(handlers_of<tls_module>);
constexpr auto own_ssl_records = records_of<ssl_list>(handlers_of<ssl_module>);
constexpr auto with_ssl_words =
    with_foreign<own_tls_records, tls_list, ssl_list>(apr::hook<foreign_ssl_word, lost_line>);
constexpr auto with_tls_words =
    with_foreign<own_ssl_records, ssl_list, tls_list>(apr::hook<foreign_tls_word, lost_line>);
constexpr auto tls_records = with_near<with_ssl_words, config::tls_near_words>(apr::hook<near_word, lost_line>);
constexpr auto ssl_records = with_near<with_tls_words, config::ssl_near_words>(apr::hook<near_word, lost_line>);

}  // namespace

int say_notes(apr_pool_t* /*pool*/, apr_pool_t* /*log_pool*/, apr_pool_t* /*temp_pool*/, server_rec* main_server) {
  for (const Note& note : notes_of(main_server->process).all) {
    if (note.warning) {
      TLS_LOG_S(main_server, ConfigWarning, note.text.c_str(), note.file.c_str(), note.line);
    } else {
      TLS_LOG_S(main_server, ConfigNotice, note.text.c_str(), note.file.c_str(), note.line);
    }
  }
  return OK;
}

const command_rec* const tls_commands = tls_records.data();
const command_rec* const ssl_commands = ssl_records.data();

}  // namespace tls::module
