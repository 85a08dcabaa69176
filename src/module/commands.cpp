#include "module/commands.hpp"

#include <apr_strings.h>

#include <algorithm>
#include <exception>

#include "config/tls_rows.hpp"
#include "report/log.hpp"
#include "server/arena.hpp"
#include "server/scopes.hpp"

namespace tls::module {
namespace {

using config::Context;
using config::DirectorySettings;
using config::Row;
using config::ServerSettings;

// All rows of one directive: of a server's settings (one for each context, side by side) and of a directory's.
// Counts and not null pointers say what is there: comparing addresses with null is no constant expression under
// -fno-delete-null-pointer-checks.
struct Command {
  const Row<ServerSettings>* server = nullptr;
  std::size_t server_count = 0;
  const Row<DirectorySettings>* directory = nullptr;
  std::size_t directory_count = 0;
};

constexpr int override_of(Context context) {
  switch (context) {
    case Context::Global:
    case Context::Server:
    case Context::VirtualHost:
      return RSRC_CONF;
    case Context::Directory:
      return OR_AUTHCFG;
    case Context::Everywhere:
      return RSRC_CONF | OR_AUTHCFG;
    case Context::Options:
      return OR_OPTIONS;
    case Context::Proxy:
      return RSRC_CONF | PROXY_CONF;
  }
  return RSRC_CONF;
}

// The row that the directive means here; nullptr when it must not stand here.
const Row<ServerSettings>* row_here(std::span<const Row<ServerSettings>> rows, bool in_virtual_host) {
  const auto fits = [in_virtual_host](const Row<ServerSettings>& row) {
    return row.context == Context::Global        ? !in_virtual_host
           : row.context == Context::VirtualHost ? in_virtual_host
                                                 : true;
  };
  const auto found = std::ranges::find_if(rows, fits);
  return found == rows.end() ? nullptr : &*found;
}

// Hands the outcome to httpd, which prints an error with file and line but without the directive's name.
const char* report(const cmd_parms* cmd, const config::Outcome& outcome) {
  // The configuration is read twice at start, and once under -t.
  const bool again = ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG &&
                     ap_state_query(AP_SQ_RUN_MODE) != AP_SQ_RM_CONFIG_TEST;
  if (!outcome.warning.empty() && !again) {
    TLS_LOG_S(cmd->server, ConfigWarning, outcome.warning.c_str(), cmd->directive->filename, cmd->directive->line_num);
  }
  return outcome.error.empty() ? nullptr : apr_pstrdup(cmd->pool, outcome.error.c_str());
}

template <module_struct& Record>
const char* take(cmd_parms* cmd, void* directory, int argc, char* const argv[]) noexcept {
  try {
    const auto& command = *static_cast<const Command*>(cmd->info);
    const config::Source where{cmd->directive->filename, static_cast<unsigned>(cmd->directive->line_num)};
    const config::Arguments words{
        cmd->cmd->name, {argv, static_cast<std::size_t>(argc)}, where, cmd->server->is_virtual != 0};
    server::PoolArena arena(cmd->pool);
    if (command.directory_count > 0 && (cmd->path != nullptr || command.server_count == 0)) {
      auto& scope = *static_cast<server::DirectoryScope*>(directory);
      return report(cmd, apply(*command.directory, scope.settings, arena, words));
    }
    const auto* row = row_here({command.server, command.server_count}, words.in_virtual_host);
    if (row == nullptr) {
      const bool global = command.server->context == Context::Global;
      return apr_pstrcat(cmd->pool, cmd->cmd->name,
                         global ? ": only outside of <VirtualHost>" : ": only in <VirtualHost>", nullptr);
    }
    auto& scope = *static_cast<server::ServerScope*>(ap_get_module_config(cmd->server->module_config, &Record));
    return report(cmd, apply(*row, scope.settings, arena, words));
  } catch (const std::exception& e) {
    return apr_pstrcat(cmd->pool, cmd->cmd->name, ": ", e.what(), nullptr);
  }
}

// How many directives the rows are for: rows of one name stand together.
template <class Rows>
consteval std::size_t names_in(const Rows& rows) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    count += i == 0 || std::string_view(rows[i].name) != rows[i - 1].name ? 1U : 0U;
  }
  return count;
}

// The rows grouped by name; a directory row may carry the name of a server row.
template <const auto& ServerRows, const auto& DirectoryRows>
struct Table {
  static constexpr std::size_t most = names_in(ServerRows) + names_in(DirectoryRows);

  static constexpr auto commands = [] {
    std::array<Command, most> all{};
    std::size_t used = 0;
    for (std::size_t i = 0; i < ServerRows.size();) {
      std::size_t end = i + 1;
      while (end < ServerRows.size() && std::string_view(ServerRows[end].name) == ServerRows[i].name) ++end;
      all[used].server = &ServerRows[i];
      all[used++].server_count = end - i;
      i = end;
    }
    for (std::size_t i = 0; i < DirectoryRows.size(); ++i) {
      std::size_t at = 0;
      while (at < used &&
             (all[at].server_count == 0 || std::string_view(all[at].server->name) != DirectoryRows[i].name)) {
        ++at;
      }
      all[at].directory = &DirectoryRows[i];
      all[at].directory_count = 1;
      used = std::max(used, at + 1);
    }
    return all;
  }();

  // httpd's table over it, ended by an empty record.
  template <module_struct& Record>
  static constexpr auto records() {
    std::array<command_rec, most + 1> out{};
    for (std::size_t i = 0; i < most; ++i) {
      const Command& c = commands[i];
      if (c.server_count == 0 && c.directory_count == 0) break;
      int where = c.directory_count == 0 ? 0 : override_of(c.directory->context);
      for (std::size_t j = 0; j < c.server_count; ++j) where |= override_of(c.server[j].context);
      const char* name = c.server_count == 0 ? c.directory->name : c.server->name;
      const char* doc = c.server_count == 0 ? c.directory->text.doc : c.server->text.doc;
      out[i] = {name, {.take_argv = take<Record>}, const_cast<Command*>(&c), where, TAKE_ARGV, doc};
    }
    return out;
  }
};

using TlsTable = Table<config::tls_server_rows, config::tls_directory_rows>;
constexpr auto tls_records = TlsTable::records<tls_module>();

}  // namespace

const command_rec* const tls_commands = tls_records.data();

}  // namespace tls::module
