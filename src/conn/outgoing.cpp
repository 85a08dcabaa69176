#include "conn/outgoing.hpp"

#include <apr_strings.h>

#include <cstring>

#include "apr/guarded.hpp"
#include "apr/pool.hpp"
#include "apr/slice.hpp"
#include "config/suites.hpp"
#include "conn/sink.hpp"
#include "report/log.hpp"
#include "server/outgoing.hpp"
#include "server/scopes.hpp"

namespace tls::conn {
namespace {

// mod_proxy looks for this note when a backend gave no answer (modules/proxy/mod_proxy_http.c).
constexpr char kConnectNote[] = "SSL_connect_rv";
constexpr char kHostNote[] = "proxy-request-hostname";
constexpr char kAlpnNote[] = "proxy-request-alpn-protos";

constexpr apr_off_t kReadSize = 16384;
constexpr std::uint8_t kVerified = 1;  // Outcome::Success of rust/core/src/verify/verdict.rs

const char* note(const conn_rec* c, const char* name) noexcept { return apr_table_get(c->notes, name); }

rust::Vec<rust::String> alpn_offers(const conn_rec* c) {
  rust::Vec<rust::String> offers;
  const char* rest = note(c, kAlpnNote);
  while (rest != nullptr && *rest != '\0') {
    const std::size_t length = std::strcspn(rest, ", ");
    if (length > 0) offers.push_back(rust::String(rest, length));
    rest += length;
    rest += std::strspn(rest, ", ");
  }
  return offers;
}

}  // namespace

Outgoing::Outgoing(conn_rec* c, const rs::ClientPolicy& policy) noexcept : Stream(c), policy_(&policy) {}

Outgoing& Outgoing::attach(conn_rec* c, const rs::ClientPolicy& policy) {
  auto* const connection = apr::pool_new<Outgoing>(c->pool, c, policy);
  connection->Stream::attach();
  return *connection;
}

const char* Outgoing::backend() const noexcept {
  const char* const host = note(c_, kHostNote);
  return apr_psprintf(c_->pool, "%s:%u (%s)", c_->client_ip, c_->client_addr->port, host != nullptr ? host : "no name");
}

bool Outgoing::start() {
  rs::Target target;
  const char* const host = note(c_, kHostNote);
  if (host != nullptr) target.host = host;
  target.address = c_->client_ip;
  target.port = c_->client_addr->port;
  target.alpn = alpn_offers(c_);
  state_ = State::Handshake;
  if (!session_->connect(*policy_, target)) {
    failed("the session could not be made", nullptr);
    return false;
  }
  return feed("", 0);
}

Stream::Progress Outgoing::handshake(apr_read_type_e block) noexcept {
  if (state_ == State::Hello && !apr::guarded(false, [&] { return start(); })) return Progress::Failed;
  while (state_ == State::Handshake) {
    const Progress progress = read_network(block);
    if (progress != Progress::Done) return progress;
  }
  return state_ == State::Closed ? Progress::Failed : Progress::Done;
}

Stream::Progress Outgoing::read_network(apr_read_type_e block) noexcept {
  const apr_status_t rv = ap_get_brigade(input_->next, cipher_, AP_MODE_READBYTES, block, kReadSize);
  if (block == APR_NONBLOCK_READ && (APR_STATUS_IS_EAGAIN(rv) || (rv == APR_SUCCESS && APR_BRIGADE_EMPTY(cipher_)))) {
    return Progress::Wait;
  }
  if (APR_STATUS_IS_TIMEUP(rv))
    return failed("it did not answer in time", "ProxyTimeout or the worker's timeout= decide how long that may take");
  if (rv != APR_SUCCESS || APR_BRIGADE_EMPTY(cipher_)) return failed("it closed the connection", nullptr);
  while (!APR_BRIGADE_EMPTY(cipher_)) {
    apr_bucket* const b = APR_BRIGADE_FIRST(cipher_);
    const char* data = nullptr;
    apr_size_t length = 0;
    const bool end = APR_BUCKET_IS_EOS(b);
    bool good = true;
    if (!APR_BUCKET_IS_METADATA(b) && apr_bucket_read(b, &data, &length, APR_BLOCK_READ) == APR_SUCCESS && length > 0) {
      good = feed(data, length);
    }
    apr_bucket_delete(b);
    if (!good) {
      apr_brigade_cleanup(cipher_);
      return Progress::Failed;
    }
    if (end && state_ == State::Handshake) return failed("it closed the connection", nullptr);
  }
  return Progress::Done;
}

bool Outgoing::feed(const char* data, std::size_t length) noexcept {
  Sink sink(plain_, outgoing_);
  const rs::Status status = session_->feed(apr::bytes(data, length), sink);
  if (status == rs::Status::Failed) {
    send_outgoing(true);
    failed_session();
    return false;
  }
  if (send_outgoing(true) != APR_SUCCESS) {
    failed("it does not take what is sent to it", nullptr);
    return false;
  }
  if (state_ == State::Handshake && status != rs::Status::Handshaking) complete();
  if (status == rs::Status::PeerClosed) input_status_ = APR_EOF;
  return true;
}

void Outgoing::complete() noexcept {
  state_ = State::Open;
  apr_table_setn(c_->notes, kConnectNote, "ok");
  if (!APLOG_C_IS_LEVEL(c_, APLOG_DEBUG)) return;
  const rs::Negotiated n = session_->negotiated();
  const auto* const suite = config::suite(n.suite);
  const auto* const group = config::group(n.group);
  const rs::Verdict verdict = session_->verdict();
  TLS_LOG_C(c_, ProxyConnected, backend(), n.version == 0x0304 ? "TLSv1.3" : "TLSv1.2",
            suite != nullptr ? suite->openssl.data() : "?", group != nullptr ? group->name.data() : "no group",
            n.alpn.empty() ? "none" : std::string(n.alpn).c_str(), n.resumed ? "resumed" : "full handshake",
            n.resumed                      ? "verified as when the session was made"
            : verdict.outcome == kVerified ? "verified"
                                           : "not verified");
}

// A write begins the connection; closing one that never began says nothing.
void Outgoing::before_write(bool data) noexcept {
  if (data) {
    handshake(APR_BLOCK_READ);
  } else {
    state_ = State::Closed;
  }
}

Stream::Progress Outgoing::failed(const char* cause, const char* remedy) noexcept {
  if (state_ == State::Handshake) {
    TLS_LOG_C(c_, ProxyHandshakeFailed, backend(), cause,
              remedy != nullptr ? apr_pstrcat(c_->pool, "; ", remedy, nullptr) : "");
    apr_table_setn(c_->notes, kConnectNote, "err");
  } else {
    TLS_LOG_C(c_, ProxyBroken, backend(), cause);
  }
  c_->keepalive = AP_CONN_CLOSE;
  c_->aborted = 1;  // what mod_proxy reads the note for (modules/proxy/proxy_util.c, ap_proxy_pass_brigade)
  input_status_ = APR_ECONNABORTED;
  state_ = State::Closed;
  return Progress::Failed;
}

Stream::Progress Outgoing::failed_session() noexcept {
  const rust::String reason = session_->failure();
  return failed(apr_pstrmemdup(c_->pool, reason.data(), reason.size()), nullptr);
}

namespace {

// Whether an outgoing connection speaks TLS, bound before its filters are inserted. The policy is looked up anew with
// each binding, for a connection from a worker's pool may serve another section than it was made for.
struct Binding {
  const rs::ClientPolicy* policy = nullptr;
};

constexpr char kBinding[] = "mod_tls: outgoing";

int bind_outgoing(conn_rec* c, ap_conf_vector_t* per_directory, int enable) noexcept {
  if (enable == 0) return DECLINED;
  const rs::ClientPolicy* const policy = server::client_policy(c->base_server, per_directory);
  if (policy == nullptr) return DECLINED;
  void* bound = nullptr;
  apr_pool_userdata_get(&bound, kBinding, c->pool);
  if (bound == nullptr) {
    bound = apr::pool_new<Binding>(c->pool);
    apr_pool_userdata_setn(bound, kBinding, nullptr, c->pool);
  }
  static_cast<Binding*>(bound)->policy = policy;
  return OK;
}

int pre_connection(conn_rec* c, void*) noexcept {
  if (c->outgoing == 0) return DECLINED;
  void* bound = nullptr;
  apr_pool_userdata_get(&bound, kBinding, c->pool);
  if (bound == nullptr) return DECLINED;
  return apr::guarded<int>(HTTP_INTERNAL_SERVER_ERROR, [&] {
    Outgoing::attach(c, *static_cast<Binding*>(bound)->policy);
    return OK;
  });
}

}  // namespace

void register_outgoing_hooks() noexcept {
  ap_hook_ssl_bind_outgoing(bind_outgoing, nullptr, nullptr, APR_HOOK_MIDDLE);
  ap_hook_pre_connection(pre_connection, nullptr, nullptr, APR_HOOK_MIDDLE);
}

}  // namespace tls::conn
