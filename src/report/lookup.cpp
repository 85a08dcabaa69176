// SPDX-License-Identifier: Apache-2.0
// Variables asked for by name: by other modules, expressions and log formats.
#include <ap_expr.h>
#include <apr_optional.h>
#include <apr_strings.h>
#include <mod_log_config.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "apr/hook.hpp"
#include "config/words.hpp"
#include "facts/certificates.hpp"
#include "facts/facts.hpp"
#include "facts/request_facts.hpp"
#include "log/log.hpp"
#include "report/json.hpp"
#include "report/request_variables.hpp"
#include "report/variables.hpp"
#include "server/module_config.hpp"
#include "server/request_state.hpp"

extern "C" {
// As mod_ssl.h declares it; that header is mod_ssl's own.
APR_DECLARE_OPTIONAL_FN(apr_array_header_t*, ssl_ext_list,
                        (apr_pool_t * pool, conn_rec* c, int peer, const char* extension));
}

namespace tls::report {
namespace {

using ExtensionList = apr_array_header_t* (*)(apr_pool_t*, conn_rec*, int, const char*);

// The ssl_ext_list that was there before ours: mod_ssl's, for connections that are not ours. Set while hooks are
// registered, read-only afterwards.
ExtensionList foreign_extension_list = nullptr;

DnForm dn_form(const request_rec* r) {
  const bool legacy = r != nullptr && server::options_of(r).has(config::Option::LegacyDnStringFormat);
  return legacy ? DnForm::Legacy : DnForm::Rfc2253;
}

// http_ssl.h: nullptr leaves the answer to whoever else serves the connection.
const char* lookup(apr_pool_t* pool, server_rec* /*s*/, conn_rec* c, request_rec* r, const char* name) {
  const facts::Facts* facts = r != nullptr   ? facts::of_request(r)
                              : c != nullptr ? facts::of_connection(pool, c)
                                             : nullptr;
  if (facts != nullptr) {
    if (const char* value = variable(pool, *facts, name, dn_form(r))) return value;
  } else if (c != nullptr && ap_ssl_conn_is_ssl(c) != 0) {
    return nullptr;
  }
  if (const char* value = request_variable(pool, r, name)) return value;
  if (c != nullptr && config::same_word(name, "HTTPS")) return "off";
  if (const char* value = constant(pool, name)) return value;
  // Scripts tell nothing from a name that nobody knows (mod_lua: nil); mod_ssl, in whose place we may stand, says "".
  return facts != nullptr || server::is_loaded(ssl_module) ? "" : nullptr;
}

// A certificate that was refused says nothing here either.
apr_array_header_t* extensions_of(apr_pool_t* pool, const facts::Facts& facts, facts::Side side,
                                  const char* extension) {
  if (side == facts::Side::Client && facts.verify == facts::Verify::Failed) return nullptr;
  const auto values = facts::extension_values(pool, facts, side, extension);
  if (values.empty()) return nullptr;
  apr_array_header_t* list = apr_array_make(pool, static_cast<int>(values.size()), sizeof(const char*));
  for (const char* value : values) *static_cast<const char**>(apr_array_push(list)) = value;
  return list;
}

// mod_ssl's optional function.
apr_array_header_t* extension_list(apr_pool_t* pool, conn_rec* c, int peer, const char* extension) {
  if (const facts::Facts* facts = facts::of_connection(pool, c)) {
    return extensions_of(pool, *facts, peer != 0 ? facts::Side::Client : facts::Side::Server, extension);
  }
  return foreign_extension_list != nullptr ? foreign_extension_list(pool, c, peer, extension) : nullptr;
}

const char* ask(apr_pool_t* pool, server_rec* s, conn_rec* c, request_rec* r, const char* name) {
  if (c == nullptr) return "";
  const char* value = ap_ssl_var_lookup(pool, s, c, r, name);
  return value != nullptr ? value : "";
}

// The value of what could not be found out.
constexpr char no_value[] = "";
constexpr char json_null[] = "null";

// `%{SSL_x}` in an expression; `data` is the name.
const char* expression_variable(ap_expr_eval_ctx_t* context, const void* data) {
  return ask(context->p, context->s, context->c, context->r, static_cast<const char*>(data));
}

// `SSL(x)` and `%{SSL:x}`.
const char* expression_function(ap_expr_eval_ctx_t* context, const void* /*data*/, const char* name) {
  return ask(context->p, context->s, context->c, context->r, name);
}

// `PeerExtList(oid)`.
apr_array_header_t* expression_list(ap_expr_eval_ctx_t* context, const void* /*data*/, const char* name) {
  const facts::Facts* facts = context->r != nullptr ? facts::of_request(context->r) : nullptr;
  if (facts != nullptr) return extensions_of(context->p, *facts, facts::Side::Client, name);
  return context->c != nullptr ? extension_list(context->p, context->c, 1, name) : nullptr;
}

template <class Function>
int answer_expression(const ap_expr_lookup_parms* parms, Function* function, const char* data) {
  *parms->func = reinterpret_cast<const void*>(function);
  *parms->data = data;
  return OK;
}

int expression_lookup(ap_expr_lookup_parms* parms) {
  const std::string_view name = parms->name;
  switch (parms->type) {
    case AP_EXPR_FUNC_VAR:
      if (!config::starts_with_word(name, "SSL_")) return DECLINED;
      return answer_expression(parms, apr::hook<expression_variable, no_value>, apr_pstrdup(parms->pool, parms->name));
    case AP_EXPR_FUNC_STRING:
      if (!config::same_word(name, "SSL")) return DECLINED;
      return answer_expression(parms, apr::hook<expression_function, no_value>, nullptr);
    case AP_EXPR_FUNC_LIST:
      if (!config::same_word(name, "PeerExtList")) return DECLINED;
      return answer_expression(parms, apr::hook<expression_list, nullptr>, "PeerExtList");
    default:
      return DECLINED;
  }
}

// A log line takes nothing raw that a client may have chosen (CVE-2024-47252).
const char* escaped(const request_rec* r, const char* value) {
  if (value == nullptr || *value == '\0') return nullptr;
  return ap_escape_logitem(r->pool, value);
}

const char* log_variable(request_rec* r, char* name) {
  return escaped(r, ask(r->pool, r->server, r->connection, r, name));
}

// `%{NAME}^js`: a string of JSON, or null where there is nothing; a line of these is JSON whatever visitors send.
const char* log_json(request_rec* r, char* name) {
  const char* const value = ask(r->pool, r->server, r->connection, r, name);
  if (value == nullptr || *value == '\0') return "null";
  const std::string text = quoted(value);
  return apr_pstrmemdup(r->pool, text.data(), text.size());
}

// The formats of `%{..}c` and the variables behind them.
struct LogName {
  const char* name;
  const char* variable;
};
constexpr std::array log_names = {
    LogName{"version", "SSL_PROTOCOL"},      LogName{"cipher", "SSL_CIPHER"},
    LogName{"subjectdn", "SSL_CLIENT_S_DN"}, LogName{"clientcert", "SSL_CLIENT_S_DN"},
    LogName{"issuerdn", "SSL_CLIENT_I_DN"},  LogName{"cacert", "SSL_CLIENT_I_DN"},
};

// `%{errstr}c`: why the client's certificate was not accepted.
const char* log_reason(request_rec* r) {
  constexpr std::string_view failed = "FAILED:";
  const char* verify = ask(r->pool, r->server, r->connection, r, "SSL_CLIENT_VERIFY");
  return std::string_view(verify).starts_with(failed) ? escaped(r, verify + failed.size()) : nullptr;
}

const char* log_connection(request_rec* r, char* name) {
  if (ap_ssl_conn_is_ssl(r->connection) == 0) return nullptr;
  const std::string_view wanted = name;
  if (wanted == "errcode") return "-";
  if (wanted == "errstr") return log_reason(r);
  const auto* found = std::ranges::find_if(log_names, [wanted](const LogName& row) { return wanted == row.name; });
  if (found == log_names.end()) return nullptr;
  return escaped(r, ask(r->pool, r->server, r->connection, r, found->variable));
}

// mod_log_config takes handlers from pre_config on; the last one to register a letter wins, so ours answer for the
// connections of every TLS module.
int register_log_formats(apr_pool_t* pool, apr_pool_t* /*log*/, apr_pool_t* /*temp*/) {
  auto* const register_log_handler = APR_RETRIEVE_OPTIONAL_FN(ap_register_log_handler);
  if (register_log_handler != nullptr) {
    // mod_log_config keeps the pointers.
    static char variable_letter[] = "x";
    static char connection_letter[] = "c";
    static char json_letters[] = "^js";
    register_log_handler(pool, variable_letter, apr::hook<log_variable, nullptr>, 0);
    register_log_handler(pool, connection_letter, apr::hook<log_connection, nullptr>, 0);
    register_log_handler(pool, json_letters, apr::hook<log_json, json_null>, 0);
  }
  return OK;
}

constexpr std::string_view client_prefix = "SSL_CLIENT_";

// What other sections have said of the client: a subrequest begins with the environment of its main request, and a
// request that another took over (ap_internal_fast_redirect) has its own beneath that.
void forget_client(apr_table_t* env) {
  std::vector<const char*> names;
  const apr_array_header_t* const all = apr_table_elts(env);
  for (int i = 0; i < all->nelts; ++i) {
    const char* const name = reinterpret_cast<const apr_table_entry_t*>(all->elts)[i].key;
    if (name != nullptr && config::starts_with_word(name, client_prefix)) names.push_back(name);
  }
  for (const char* name : names) apr_table_unset(env, name);
}

// HTTPS and SSL_TLS_SNI always, the rest where the options of the request ask for it.
void fill(request_rec* r, const facts::Facts& facts) {
  apr_table_t* env = r->subprocess_env;
  apr_table_setn(env, "HTTPS", "on");
  if (!facts.sni.empty()) {
    apr_table_setn(env, "SSL_TLS_SNI", apr_pstrmemdup(r->pool, facts.sni.data(), facts.sni.size()));
  }
  const config::Options options = server::options_of(r);
  if (options.has(config::Option::StdEnvVars)) {
    export_standard(r->pool, facts, dn_form(r), env);
    if (facts::is_cut(facts)) TLS_LOG_R(r, VariablesCut);
  }
  if (options.has(config::Option::ExportCertData)) export_certificates(r->pool, facts, env);
  server::state_of(r).filled_for = r->per_dir_config;
}

int fill_environment(request_rec* r) {
  const facts::Facts* facts = facts::of_request(r);
  if (facts == nullptr) return DECLINED;
  const facts::Facts* outer = r->main != nullptr ? facts::of_request(r->main) : nullptr;
  if (r->main != nullptr && (outer == nullptr || outer->verify != facts->verify)) forget_client(r->subprocess_env);
  fill(r, *facts);
  return DECLINED;
}

// mod_dir and mod_negotiation have a request go on as another one, of another section, in the middle of the fixups.
int fill_environment_again(request_rec* r) {
  const server::RequestState* const state = server::known_state(r);
  if (state == nullptr || state->filled_for == nullptr || state->filled_for == r->per_dir_config) return DECLINED;
  const facts::Facts* facts = facts::of_request(r);
  if (facts == nullptr) return DECLINED;
  forget_client(r->subprocess_env);
  fill(r, *facts);
  return DECLINED;
}

}  // namespace

void register_hooks(apr_pool_t* /*pool*/) {
  ap_hook_ssl_var_lookup(apr::hook<lookup, nullptr>, nullptr, nullptr, APR_HOOK_MIDDLE);
  // Before mod_ssl's, which would answer for its own connections only.
  ap_hook_expr_lookup(apr::hook<expression_lookup, DECLINED>, nullptr, nullptr, APR_HOOK_FIRST);
  ap_hook_fixups(apr::hook<fill_environment, HTTP_INTERNAL_SERVER_ERROR>, nullptr, nullptr, APR_HOOK_MIDDLE);
  ap_hook_fixups(apr::hook<fill_environment_again, HTTP_INTERNAL_SERVER_ERROR>, nullptr, nullptr, APR_HOOK_REALLY_LAST);
  ap_hook_check_config(apr::hook<check_variables, HTTP_INTERNAL_SERVER_ERROR>, nullptr, nullptr, APR_HOOK_MIDDLE);
  ap_hook_pre_config(apr::hook<register_log_formats, HTTP_INTERNAL_SERVER_ERROR>, nullptr, nullptr, APR_HOOK_LAST);
  auto* const registered = APR_RETRIEVE_OPTIONAL_FN(ssl_ext_list);
  constexpr auto ours = apr::hook<extension_list, nullptr>;
  if (registered != ours) foreign_extension_list = registered;
  apr_dynamic_fn_register("ssl_ext_list", reinterpret_cast<apr_opt_fn_t*>(ours));
}

}  // namespace tls::report
