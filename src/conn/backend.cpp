// SPDX-License-Identifier: Apache-2.0
#include "conn/backend.hpp"

#include <apr_strings.h>

#include <cstring>
#include <string>

#include "apr/hook.hpp"
#include "apr/pool.hpp"
#include "apr/slice.hpp"
#include "apr/to_rust.hpp"
#include "config/ciphers/suites.hpp"
#include "conn/sink.hpp"
#include "conn/socket_timeout.hpp"
#include "log/log.hpp"
#include "server/module_config.hpp"
#include "server/proxy_policies.hpp"

namespace tls::conn {
namespace {

// mod_proxy looks for this note when a backend gave no answer (modules/proxy/mod_proxy_http.c).
constexpr char connect_note[] = "SSL_connect_rv";
constexpr char host_note[] = "proxy-request-hostname";
constexpr char alpn_note[] = "proxy-request-alpn-protos";

const char* note(const conn_rec* c, const char* name) { return apr_table_get(c->notes, name); }

rust::Vec<rust::String> alpn_offers(const conn_rec* c) {
  rust::Vec<rust::String> offers;
  const char* rest = note(c, alpn_note);
  while (rest != nullptr && *rest != '\0') {
    const std::size_t length = std::strcspn(rest, ", ");
    if (length > 0) offers.push_back(apr::lossy({rest, length}));
    rest += length;
    rest += std::strspn(rest, ", ");
  }
  return offers;
}

}  // namespace

BackendConnection::BackendConnection(conn_rec* c, const rs::BackendPolicy& policy)
    : TlsConnection(c), policy_(&policy), wanted_(&policy) {}

BackendConnection& BackendConnection::attach(conn_rec* c, const rs::BackendPolicy& policy) {
  auto* const connection = apr::pool_new<BackendConnection>(c->pool, c, policy);
  connection->TlsConnection::attach();
  return *connection;
}

BackendConnection* BackendConnection::of(conn_rec* c) {
  return c->outgoing != 0 ? static_cast<BackendConnection*>(bound(c)) : nullptr;
}

// A connection from a worker's pool may serve another section than it was made for. That is looked at when something is
// written: on its way back to the pool it is bound to the worker's own section, which may write nothing.
void BackendConnection::serve(const rs::BackendPolicy* policy) {
  wanted_ = policy;
  settled_ = policy != nullptr && wanted_ == policy_;
}

const char* BackendConnection::backend() const {
  const char* const host = note(c_, host_note);
  return apr_psprintf(c_->pool, "%s:%u (%s)", c_->client_ip, c_->client_addr->port, host != nullptr ? host : "no name");
}

// On its way back to the pool a connection is bound to its worker's section; what is served after that is bound before.
TlsConnection::Progress BackendConnection::unwanted() {
  return ended(rs::Ending::Failed, "TLS to backends is off in the section that it is to serve now",
               "SSLProxyEngine or TLSProxyEngine belongs there too");
}

bool BackendConnection::start() {
  if (wanted_ == nullptr) {
    unwanted();
    return false;
  }
  rs::Target target;
  const char* const host = note(c_, host_note);
  if (host != nullptr) target.host = apr::lossy(host);
  target.address = apr::lossy(c_->client_ip);
  target.port = c_->client_addr->port;
  target.alpn = alpn_offers(c_);
  state_ = State::Handshake;
  // One read may take as long as mod_proxy lets it; so may the whole, however many pieces a backend answers in.
  apr_interval_time_t limit = 0;
  apr_socket_t* const socket = ap_get_conn_socket(c_);
  if (socket != nullptr && apr_socket_timeout_get(socket, &limit) == APR_SUCCESS && limit > 0) {
    deadline_ = apr::monotonic() + limit;
  }
  policy_ = wanted_;
  settled_ = true;
  if (!session_->connect(*policy_, target)) {
    ended(rs::Ending::Failed, "the session could not be made", "");
    return false;
  }
  return feed("", 0);
}

TlsConnection::Progress BackendConnection::handshake(apr_read_type_e block) {
  if (state_ == State::Hello && !start()) return Progress::Failed;
  while (state_ == State::Handshake) {
    const Progress progress = read_network(block);
    if (progress != Progress::Done) return progress;
  }
  return state_ == State::Closed ? Progress::Failed : Progress::Done;
}

apr_status_t BackendConnection::read_until_deadline(apr_read_type_e block) {
  const SocketTimeout limited(c_, block == APR_BLOCK_READ ? deadline_ : 0);
  return ap_get_brigade(input_->next, cipher_, AP_MODE_READBYTES, block, handshake_read);
}

TlsConnection::Progress BackendConnection::read_network(apr_read_type_e block) {
  const bool late = deadline_ != 0 && apr::monotonic() >= deadline_;
  const apr_status_t rv = late ? APR_TIMEUP : read_until_deadline(block);
  if (block == APR_NONBLOCK_READ && (APR_STATUS_IS_EAGAIN(rv) || (rv == APR_SUCCESS && APR_BRIGADE_EMPTY(cipher_)))) {
    return Progress::Wait;
  }
  if (APR_STATUS_IS_TIMEUP(rv)) {
    return ended(rs::Ending::TimedOut, "it did not answer in time",
                 "ProxyTimeout or the worker's timeout= decide how long that may take");
  }
  if (rv != APR_SUCCESS || APR_BRIGADE_EMPTY(cipher_)) return closed_early();
  while (!APR_BRIGADE_EMPTY(cipher_)) {
    apr_bucket* const b = APR_BRIGADE_FIRST(cipher_);
    const char* data = nullptr;
    apr_size_t length = 0;
    const bool end = APR_BUCKET_IS_EOS(b);
    bool good = true;
    if (!APR_BUCKET_IS_METADATA(b) && apr_bucket_read(b, &data, &length, APR_BLOCK_READ) == APR_SUCCESS && length > 0) {
      answered_ = true;
      good = feed(data, length);
    }
    apr_bucket_delete(b);
    if (!good) {
      apr_brigade_cleanup(cipher_);
      return Progress::Failed;
    }
    if (end && state_ == State::Handshake) return closed_early();
  }
  return Progress::Done;
}

bool BackendConnection::feed(const char* data, std::size_t length) {
  Sink sink(plain_, ciphertext_);
  const rs::Status status = session_->feed(apr::bytes(data, length), sink);
  if (status == rs::Status::Failed) {
    send_ciphertext(true);
    failed_session();
    return false;
  }
  if (send_ciphertext(true) != APR_SUCCESS) {
    ended(rs::Ending::Closed, "it does not take what is sent to it", "");
    return false;
  }
  if (state_ == State::Handshake && status != rs::Status::Handshaking) complete();
  if (session_->asked_again()) TLS_LOG_C(c_, ProxyAskedAgain, backend());
  if (status == rs::Status::PeerClosed) input_status_ = APR_EOF;
  return true;
}

void BackendConnection::complete() {
  state_ = State::Open;
  apr_table_setn(c_->notes, connect_note, "ok");
  session_->count(rs::Ending::Done);
  if (!APLOG_C_IS_LEVEL(c_, APLOG_DEBUG)) return;
  const rs::Negotiated n = session_->negotiated();
  const auto* const suite = config::suite(n.suite);
  const auto* const group = config::group(n.group);
  TLS_LOG_C(c_, ProxyConnected, backend(), n.version == 0x0304 ? "TLSv1.3" : "TLSv1.2",
            suite != nullptr ? suite->openssl.data() : "?", group != nullptr ? group->name.data() : "no group",
            n.alpn.empty() ? "none" : std::string(n.alpn).c_str(), n.resumed ? "resumed" : "full handshake",
            verified(n));
}

const char* BackendConnection::verified(const rs::Negotiated& n) const {
  if (n.resumed) return "judged when the session was made";
  const rust::String authority = session_->authority();
  if (authority.empty()) return "not verified";
  return apr_pstrcat(c_->pool, "verified by ", std::string(authority).c_str(), nullptr);
}

// A write begins the connection; closing one that never began says nothing.
void BackendConnection::before_write(bool data) {
  if (!data) {
    if (handshaking()) state_ = State::Closed;
    return;
  }
  if (handshaking()) {
    handshake(APR_BLOCK_READ);
  } else if (wanted_ == nullptr) {
    unwanted();
  } else if (state_ == State::Open && !session_->fits(*wanted_)) {
    ended(rs::Ending::Failed,
          "it was connected to for another section, whose settings are weaker or show another client certificate",
          "sections that differ so need URLs of their own in ProxyPass, and with them workers of their own");
  } else {
    policy_ = wanted_;
    settled_ = true;
  }
}

// RFC 8446 says nothing of a server that is silent, but some middle boxes and old servers drop or mistake a ClientHello
// that does not fit one packet, which X25519MLKEM768 makes of it.
TlsConnection::Progress BackendConnection::closed_early() {
  return ended(rs::Ending::Closed, "it closed the connection",
               answered_ ? ""
                         : "it said nothing before: where it is old, it may need a ClientHello of one packet, which "
                           "\"TLSProxyGroups X25519:P-256:P-384\" sends");
}

TlsConnection::Progress BackendConnection::ended(rs::Ending ending, const char* cause, const char* remedy) {
  const char* const advice = *remedy != '\0' ? apr_pstrcat(c_->pool, "; ", remedy, nullptr) : "";
  if (state_ == State::Handshake) {
    TLS_LOG_C(c_, ProxyHandshakeFailed, backend(), cause, advice);
    apr_table_setn(c_->notes, connect_note, "err");
  } else {
    TLS_LOG_C(c_, ProxyBroken, backend(), cause, advice);
  }
  session_->count(ending);
  c_->keepalive = AP_CONN_CLOSE;
  c_->aborted = 1;  // what mod_proxy reads the note for (modules/proxy/proxy_util.c, ap_proxy_pass_brigade)
  input_status_ = APR_ECONNABORTED;
  state_ = State::Closed;
  return Progress::Failed;
}

// A backend of TLS 1.3 judges our certificate when the handshake is over for us, so that its alert may come late.
TlsConnection::Progress BackendConnection::failed_session() {
  const rust::Vec<rust::String> why = session_->backend_failure();
  const std::string cause = why.empty() ? "" : std::string(why[0]);
  const std::string remedy = why.size() < 2 ? "" : std::string(why[1]);
  return ended(rs::Ending::Failed, cause.c_str(), remedy.c_str());
}

namespace {

// Whether an outgoing connection speaks TLS, bound before its filters are inserted. The policy is looked up anew with
// each binding, for a connection from a worker's pool may serve another section than it was made for.
struct BackendBinding {
  const rs::BackendPolicy* policy = nullptr;
};

constexpr char binding_key[] = "mod_tls: outgoing";

// The real mod_ssl may be loaded beside us. It takes each connection of a virtual host with SSLEngine on for its own
// unless it was told to keep off (modules/ssl/mod_ssl.c, ssl_hook_bind_outgoing).
void keep_off_mod_ssl(conn_rec* c, ap_conf_vector_t* per_directory) {
  if (server::is_loaded(ssl_module)) return;  // then it is we who are called mod_ssl.c
  const apr_array_header_t* const hooks = ap_hook_get_ssl_bind_outgoing();
  if (hooks == nullptr) return;
  const auto* const list = reinterpret_cast<const ap_LINK_ssl_bind_outgoing_t*>(hooks->elts);
  for (int i = 0; i < hooks->nelts; ++i) {
    if (std::strcmp(list[i].szName, "mod_ssl.c") == 0) list[i].pFunc(c, per_directory, 0);
  }
}

// mod_proxy binds a connection anew to the section of each request, and to its worker's own when it goes back to the
// pool. That one may say nothing of TLS, and the connection stays bound all the same, as with mod_ssl.
int bind_outgoing(conn_rec* c, ap_conf_vector_t* per_directory, int enable) {
  const rs::BackendPolicy* const policy = enable != 0 ? server::backend_policy(c->base_server, per_directory) : nullptr;
  if (BackendConnection* const open = BackendConnection::of(c)) {
    open->serve(policy);
    return OK;
  }
  if (policy == nullptr) return DECLINED;
  void* bound = nullptr;
  apr_pool_userdata_get(&bound, binding_key, c->pool);
  if (bound == nullptr) {
    keep_off_mod_ssl(c, per_directory);
    bound = apr::pool_new<BackendBinding>(c->pool);
    apr_pool_userdata_setn(bound, binding_key, nullptr, c->pool);
  }
  static_cast<BackendBinding*>(bound)->policy = policy;
  return OK;
}

int pre_connection(conn_rec* c, void*) {
  if (c->outgoing == 0) return DECLINED;
  void* bound = nullptr;
  apr_pool_userdata_get(&bound, binding_key, c->pool);
  if (bound == nullptr) return DECLINED;
  BackendConnection::attach(c, *static_cast<BackendBinding*>(bound)->policy);
  return OK;
}

// The bound connection, if any, must not go on in the clear: mod_proxy takes 500 as "no TLS to be had".
int lost_binding(const char* why, conn_rec* c, ap_conf_vector_t* /*per_directory*/, int /*enable*/) noexcept {
  apr::Place place;
  place.take(c);
  apr::log_lost(place, "bind_outgoing", why);
  if (TlsConnection* const stream = TlsConnection::bound(c)) stream->lose();
  c->aborted = 1;
  return DECLINED;
}

}  // namespace

void register_backend_hooks() {
  // Before the real mod_ssl, which complains of every connection that its own words do not turn on.
  ap_hook_ssl_bind_outgoing(apr::hook<bind_outgoing, lost_binding>, nullptr, nullptr, APR_HOOK_FIRST);
  ap_hook_pre_connection(apr::hook<pre_connection, HTTP_INTERNAL_SERVER_ERROR>, nullptr, nullptr, APR_HOOK_MIDDLE);
}

}  // namespace tls::conn
