// SPDX-License-Identifier: Apache-2.0
// How a connection is refused: the right bytes, one log line, a clean close.
#include <apr_strings.h>

#include <cstring>

#include "apr/slice.hpp"
#include "conn/connection.hpp"
#include "conn/sink.hpp"
#include "facts/certificates.hpp"
#include "log/limiter.hpp"
#include "log/log.hpp"

namespace tls::conn {
namespace {

// What httpd reads instead of the client's request: nothing of that is looked at or reflected.
constexpr char stand_in[] = "GET / HTTP/1.0\r\n\r\n";

void short_linger(conn_rec* c) {
  apr_table_setn(c->notes, "short-lingering-close", "1");
  c->keepalive = AP_CONN_CLOSE;
}

}  // namespace

// httpd itself answers, so that ErrorDocument, Header and access logs apply: it finds a request of ours, which
// refuse_in_plain() ends, and then the end of input.
void Connection::refuse_plain_http() {
  APR_BRIGADE_INSERT_TAIL(plain_, apr_bucket_immortal_create(stand_in, sizeof(stand_in) - 1, plain_->bucket_alloc));
  input_status_ = APR_EOF;
  TLS_LOG_C(c_, PlainHttp);
  rs::count_failed(static_cast<std::uint8_t>(rs::Cause::PlainHttp), host_->number);
  handshake_over();
  state_ = State::Plain;
  apr_table_setn(c_->notes, "short-lingering-close", "1");
}

void Connection::refuse(std::uint8_t alert) {
  Sink sink(plain_, ciphertext_);
  rs::refuse(alert, sink);
  send_ciphertext(true);
}

void Connection::fail(const char* stage, std::uint8_t kind, const char* cause, Expected expected, const char* hint) {
  const char* const sni = facts_.sni.empty() ? "none" : facts_.sni.data();  // copies in the pool end with a NUL
  const char* const offered = *offered_ == '\0' ? "nothing yet" : offered_;
  const char* const dot = hint != nullptr ? ". " : "";
  const char* const remedy = hint != nullptr ? hint : "";
  rs::count_failed(kind, host_->number);
  const log::Loudness verdict =
      expected == Expected::Yes ? log::Loudness{false, 0} : log::count_failure(kind, host_->server);
  if (!verdict.loud) {
    TLS_LOG_C(c_, HandshakeFailedAgain, stage, cause, sni, offered, host_->label.c_str(), dot, remedy);
  } else if (verdict.repeated > 0) {
    TLS_LOG_C(c_, HandshakeFailedMore, stage, cause, sni, offered, host_->label.c_str(), verdict.repeated, dot, remedy);
  } else {
    TLS_LOG_C(c_, HandshakeFailed, stage, cause, sni, offered, host_->label.c_str(), dot, remedy);
  }
  end();
}

void Connection::end() {
  handshake_over();
  input_status_ = APR_ECONNABORTED;
  state_ = State::Closed;
  short_linger(c_);
}

// What watchers of mod_ssl's log look for. It comes beside the line for people, which has the client's wishes and a
// remedy.
void Connection::say_as_mod_ssl(const char* cause) {
  const rs::Verdict verdict = session_->verdict();
  if (static_cast<facts::Verify>(verdict.outcome) == facts::Verify::Failed) {
    TLS_LOG_C(c_, CertificateRefused, verdict.number,
              apr_pstrmemdup(c_->pool, verdict.reason.data(), verdict.reason.size()));
  }
  TLS_LOG_C(c_, HandshakeFailedSsl, 1, host_->label.c_str(), cause);
}

// Names a client whose certificate was refused beside what it offered: the cause stays one of ours, which lines are
// counted by.
void Connection::name_refused() {
  if (static_cast<facts::Verify>(session_->verdict().outcome) != facts::Verify::Failed) return;
  const rust::Box<rs::Identity> identity = session_->identity();
  facts::Facts facts;
  facts.identity = &*identity;
  const char* const client = facts::who(c_->pool, facts);
  if (*client != '\0') offered_ = apr_pstrcat(c_->pool, offered_, "; client: ", client, nullptr);
}

void Connection::fail_session() {
  const rust::String reason = session_->failure();
  const char* const cause = apr_pstrmemdup(c_->pool, reason.data(), reason.size());
  if (state_ == State::Handshake) {
    if (host_->settings->words == config::Vocabulary::Ssl) say_as_mod_ssl(cause);
    name_refused();
    const rust::String remedy = session_->remedy();
    const char* const hint = apr_pstrmemdup(c_->pool, remedy.data(), remedy.size());
    fail("after the ClientHello", session_->failure_kind(), cause, Expected::No, remedy.empty() ? nullptr : hint);
  } else {
    rs::count_event(rs::Event::Broken);
    TLS_LOG_C(c_, ConnectionFailed, cause);
    end();
  }
}

}  // namespace tls::conn
