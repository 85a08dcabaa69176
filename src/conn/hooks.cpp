// SPDX-License-Identifier: Apache-2.0
// What httpd calls for connections.
#include "apr/hook.hpp"
#include "apr/mpm.hpp"
#include "conn/backend.hpp"
#include "conn/connection.hpp"
#include "conn/filters.hpp"
#include "conn/waiting.hpp"
#include "server/policies.hpp"

namespace tls::conn {
namespace {

constexpr apr_port_t https_port = 443;

Waiting waiting = Waiting::Blocks;  // set in child_init

int pre_connection(conn_rec* c, void*) {
  if (c->master != nullptr || c->outgoing != 0) return DECLINED;
  const server::Engine* const engine = server::engine();
  if (engine == nullptr || !server::engine_on(c->base_server, c->local_addr)) return DECLINED;
  const server::Host* const host = engine->host(c->base_server);
  if (host == nullptr) return DECLINED;
  Connection::attach(c, *engine, *host);
  return OK;
}

int process_connection(conn_rec* c) {
  if (c->master != nullptr) return DECLINED;
  Connection* const connection = Connection::of(c);
  if (connection == nullptr) return DECLINED;
  const State state = connection->state();
  if (state == State::Open || state == State::Closing || state == State::Plain) return DECLINED;
  const bool async = waiting != Waiting::Blocks && c->cs != nullptr;
  if (async) resume_from_mpm(c, waiting);
  Connection::Progress progress = connection->handshake(async ? APR_NONBLOCK_READ : APR_BLOCK_READ);
  // The listener of a child that ends stops once no connection is counted, and then nobody polls for those that workers
  // still take from their queue (event.c): such a handshake is finished by this thread.
  if (progress == Connection::Progress::Wait && apr::child_is_ending()) {
    progress = connection->handshake(APR_BLOCK_READ);
  }
  if (progress == Connection::Progress::Judging) {
    if (async && !apr::child_is_ending() && connection->park()) {
      wait_in_mpm(c, waiting);
      return OK;
    }
    progress = connection->handshake(APR_BLOCK_READ);
  }
  switch (progress) {
    case Connection::Progress::Done:
      return DECLINED;
    case Connection::Progress::Wait:
      if (!async) return OK;
      connection->wait();
      wait_in_mpm(c, waiting);
      return OK;
    default:
      if (c->cs != nullptr) c->cs->state = CONN_STATE_LINGER;
      return OK;
  }
}

// The MPM gives up a connection that may still be parked, and is about to close what it has for its socket.
int pre_close_connection(conn_rec* c) {
  if (c->master != nullptr) return DECLINED;
  if (Connection* const connection = Connection::of(c)) connection->unpark();
  return DECLINED;
}

apr_status_t input_filter(ap_filter_t* f, apr_bucket_brigade* bb, ap_input_mode_t mode, apr_read_type_e block,
                          apr_off_t limit) {
  return static_cast<TlsConnection*>(f->ctx)->read(bb, mode, block, limit);
}

apr_status_t output_filter(ap_filter_t* f, apr_bucket_brigade* bb) {
  return static_cast<TlsConnection*>(f->ctx)->write(bb);
}

// What a failure of ours costs: the one connection.
int lost_connection(const char* why, conn_rec* c) noexcept {
  apr::Place place;
  place.take(c);
  apr::log_lost(place, "process_connection", why);
  if (TlsConnection* const stream = TlsConnection::bound(c)) stream->lose();
  if (c->cs != nullptr) c->cs->state = CONN_STATE_LINGER;
  return OK;
}

apr_status_t lost_input(const char* why, ap_filter_t* f, apr_bucket_brigade* /*bb*/, ap_input_mode_t /*mode*/,
                        apr_read_type_e /*block*/, apr_off_t /*limit*/) noexcept {
  apr::Place place;
  place.take(f);
  apr::log_lost(place, "input_filter", why);
  static_cast<TlsConnection*>(f->ctx)->lose();
  return APR_ECONNABORTED;
}

apr_status_t lost_output(const char* why, ap_filter_t* f, apr_bucket_brigade* bb) noexcept {
  apr::Place place;
  place.take(f);
  apr::log_lost(place, "output_filter", why);
  static_cast<TlsConnection*>(f->ctx)->lose();
  apr_brigade_cleanup(bb);
  return APR_ECONNABORTED;
}

int is_ssl(conn_rec* c) {
  const Connection* const connection = Connection::of(c);
  return connection != nullptr && connection->state() != State::Plain ? OK : DECLINED;
}

// What redirects and self-referential URLs are made of.
bool speaks_tls(const request_rec* r) {
  return is_ssl(r->connection) == OK || server::engine_on(r->server, r->connection->local_addr);
}

const char* http_scheme(const request_rec* r) { return speaks_tls(r) ? "https" : nullptr; }

apr_port_t default_port(const request_rec* r) { return speaks_tls(r) ? https_port : 0; }

// Ends the request that stands in for plain HTTP; what ErrorDocument makes of it comes again, with `prev`.
int refuse_in_plain(request_rec* r) {
  if (r->prev != nullptr) return DECLINED;
  apr_table_setn(r->notes, "error-notes",
                 "Reason: You're speaking plain HTTP to an SSL-enabled server port.<br />\n"
                 "Instead use the HTTPS scheme to access this URL: its address begins with https://.<br />\n");
  return HTTP_BAD_REQUEST;
}

// SetEnvIf and BrowserMatch may ask for another way to close.
int post_read_request(request_rec* r) {
  if (r->main != nullptr || r->connection->master != nullptr) return DECLINED;
  Connection* const connection = Connection::of(r->connection);
  if (connection == nullptr) return DECLINED;
  if (connection->state() == State::Plain) return refuse_in_plain(r);
  if (apr_table_get(r->subprocess_env, "ssl-unclean-shutdown") != nullptr) {
    connection->shutdown_style(Shutdown::Unclean);
  } else if (apr_table_get(r->subprocess_env, "ssl-accurate-shutdown") != nullptr) {
    connection->shutdown_style(Shutdown::Standard);
  }
  return DECLINED;
}

void child_init(apr_pool_t* pool, server_rec*) {
  const Waiting offered = waiting_of_mpm();
  waiting = offered != Waiting::Blocks && init_deadlines(pool) ? offered : Waiting::Blocks;
  if (waiting != Waiting::Blocks) init_parked(pool);
  rs::warm_up();
}

}  // namespace

void register_hooks(apr_pool_t*) {
  // The handshake must be over when mod_http2 looks for the protocol (modules/http2/h2_c1.c), and after mod_reqtimeout
  // has put its filter on the connection.
  static const char* const before[] = {"mod_reqtimeout.c", nullptr};
  static const char* const after[] = {"mod_http2.c", nullptr};
  // Below everything that sees plaintext and above mod_reqtimeout and mod_remoteip, which count on our place.
  const auto type = static_cast<ap_filter_type>(AP_FTYPE_CONNECTION + 5);
  ap_register_input_filter(input_filter_name, apr::hook<input_filter, lost_input>, nullptr, type);
  ap_register_output_filter(output_filter_name, apr::hook<output_filter, lost_output>, nullptr, type);
  register_backend_hooks();
  ap_hook_pre_connection(apr::hook<pre_connection, HTTP_INTERNAL_SERVER_ERROR>, nullptr, nullptr, APR_HOOK_MIDDLE);
  ap_hook_process_connection(apr::hook<process_connection, lost_connection>, before, after, APR_HOOK_MIDDLE);
  ap_hook_pre_close_connection(apr::hook<pre_close_connection, DECLINED>, nullptr, nullptr, APR_HOOK_REALLY_FIRST);
  ap_hook_child_init(apr::hook<child_init>, nullptr, nullptr, APR_HOOK_MIDDLE);
  static const char* const environment[] = {"mod_setenvif.c", nullptr};
  ap_hook_post_read_request(apr::hook<post_read_request, HTTP_INTERNAL_SERVER_ERROR>, environment, nullptr,
                            APR_HOOK_MIDDLE);
  ap_hook_http_scheme(apr::hook<http_scheme, nullptr>, nullptr, nullptr, APR_HOOK_MIDDLE);
  ap_hook_default_port(apr::hook<default_port, 0>, nullptr, nullptr, APR_HOOK_MIDDLE);
  ap_hook_ssl_conn_is_ssl(apr::hook<is_ssl, DECLINED>, nullptr, nullptr, APR_HOOK_MIDDLE);
}

}  // namespace tls::conn
