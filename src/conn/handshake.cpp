// SPDX-License-Identifier: Apache-2.0
// From the first byte to the first request: hello, choice of virtual host and protocol, handshake.
#include <apr_strings.h>

#include <algorithm>
#include <cstring>
#include <iterator>

#include "apr/clock.hpp"
#include "apr/mpm.hpp"
#include "apr/slice.hpp"
#include "apr/to_rust.hpp"
#include "conn/alerts.hpp"
#include "conn/connection.hpp"
#include "conn/sink.hpp"
#include "conn/socket_timeout.hpp"
#include "log/log.hpp"
#include "server/stapling.hpp"

namespace tls::conn {
namespace {

char* pool_copy(apr_pool_t* pool, const rust::String& text) { return apr_pstrmemdup(pool, text.data(), text.size()); }

apr_status_t read_network(conn_rec* c, ap_filter_t* next, apr_bucket_brigade* bb, apr_read_type_e block,
                          const Deadline& deadline) {
  if (block == APR_NONBLOCK_READ) return ap_get_brigade(next, bb, AP_MODE_READBYTES, block, handshake_read);
  const SocketTimeout limited(c, deadline.when());
  return ap_get_brigade(next, bb, AP_MODE_READBYTES, block, handshake_read);
}

}  // namespace

Connection::Progress Connection::handshake(apr_read_type_e block) {
  int empty_reads = 0;
  parked_.take_back();
  count_waiting(false);
  if (!entered_) enter();
  while (state_ == State::Hello || state_ == State::Handshake) {
    if (exceeded_ != rs::Exceeded::Nothing) {
      refuse_beyond_limit("before the ClientHello");
      return Progress::Failed;
    }
    if (deadline_.passed()) return interrupted(APR_TIMEUP);
    if (judging_) {
      judging_ = session_->judge(block == APR_BLOCK_READ) == rs::Status::Judging;
      if (judging_) return Progress::Judging;
      if (!feed("", 0)) return Progress::Failed;
      continue;
    }
    const apr_status_t rv = read_network(c_, input_->next, cipher_, block, deadline_);
    const bool nothing = rv == APR_SUCCESS && APR_BRIGADE_EMPTY(cipher_);
    if (block == APR_NONBLOCK_READ && (nothing || APR_STATUS_IS_EAGAIN(rv))) return Progress::Wait;
    if (rv != APR_SUCCESS) return interrupted(rv);
    // A socket at its end first gives an empty bucket, then APR_EOF (server/core_filters.c).
    if (nothing && ++empty_reads > 2) return interrupted(APR_EOF);
    const std::size_t before = received_;
    if (consume(cipher_) == Progress::Failed) return Progress::Failed;
    // The core filter reads until the socket has no more, so less than was asked for means that it is drained; and what
    // the client has to answer now cannot be there yet.
    if (judging_) continue;
    const bool drained = received_ - before < static_cast<std::size_t>(handshake_read);
    if (block == APR_NONBLOCK_READ && drained && state_ == State::Handshake) return Progress::Wait;
  }
  return state_ == State::Closed ? Progress::Failed : Progress::Done;
}

Connection::Progress Connection::consume(apr_bucket_brigade* bb) {
  bool good = true;
  bool ended = false;
  while (!APR_BRIGADE_EMPTY(bb)) {
    apr_bucket* const b = APR_BRIGADE_FIRST(bb);
    const char* data = nullptr;
    apr_size_t length = 0;
    if (APR_BUCKET_IS_EOS(b)) ended = true;
    if (good && state_ != State::Plain && !APR_BUCKET_IS_METADATA(b) &&
        apr_bucket_read(b, &data, &length, APR_BLOCK_READ) == APR_SUCCESS && length > 0) {
      received_ += length;
      good = state_ == State::Hello ? take_first_bytes(data, length) : feed(data, length);
    }
    apr_bucket_delete(b);
  }
  if (!good) return Progress::Failed;
  if (state_ == State::Hello || state_ == State::Handshake) set_deadline();
  if (ended && (state_ == State::Hello || state_ == State::Handshake)) return interrupted(APR_EOF);
  return Progress::Done;
}

Connection::Progress Connection::interrupted(apr_status_t rv) {
  const char* const stage = state_ == State::Hello ? "before the ClientHello was complete" : "after the ClientHello";
  if (deadline_.passed() || APR_STATUS_IS_TIMEUP(rv)) {
    fail(stage, rs::Cause::TimedOut, "the client did not finish the handshake in time", Expected::No,
         "Clients that are merely slow need a longer TLSHandshakeTimeout, or RequestReadTimeout handshake=");
  } else if (apr::child_is_ending()) {
    fail(stage, rs::Cause::Ended, "httpd ends the process", Expected::Yes, nullptr);
  } else {
    const bool early = state_ == State::Hello;
    fail(stage, early ? rs::Cause::ClosedEarly : rs::Cause::Closed, "the client closed the connection",
         early ? Expected::Yes : Expected::No,
         early ? nullptr : "Often it does not trust the certificate; its own log says more");
  }
  return Progress::Failed;
}

bool Connection::take_first_bytes(const char* data, std::size_t length) {
  const rs::Hello hello = session_->read_hello(apr::bytes(data, length));
  switch (hello.opening) {
    case rs::Opening::NeedMore:
      return true;
    case rs::Opening::Hello:
      return decide(hello);
    case rs::Opening::PlainHttp:
      refuse_plain_http();
      return true;
    case rs::Opening::Sslv2:
      refuse(alert::protocol_version);
      fail("at the ClientHello", rs::Cause::Sslv2, "the client speaks SSL 2.0", Expected::No,
           "It needs software from this century");
      return false;
    case rs::Opening::Malformed:
      // rustls has the last word about TLS records, and knows the alert.
      return start(hello);
    default:
      fail("at the first bytes", rs::Cause::NotTls, "what the client sent is not TLS", Expected::Yes, nullptr);
      return false;
  }
}

bool Connection::decide(const rs::Hello& hello) {
  offered_ = pool_copy(c_->pool, hello.offered);
  return choose_host(hello) && start(hello);
}

bool Connection::choose_host(const rs::Hello& hello) {
  if (hello.server_name.empty()) return true;  // the address's first virtual host
  const std::string_view name(hello.server_name.data(), hello.server_name.size());
  facts_.sni = {pool_copy(c_->pool, hello.server_name), name.size()};
  const server_rec* const named = engine_->names().find(c_, name);
  const server::Host* const host = named != nullptr ? engine_->host(named) : nullptr;
  if (host != nullptr) {
    host_ = host;
    facts_.host = host->server;
    return true;
  }
  if (!host_->settings->strict_sni) return true;
  refuse(alert::unrecognized_name);
  fail("at the ClientHello", rs::Cause::UnknownName, "no virtual host has the name that the client asked for",
       Expected::No, "Add it as a ServerAlias, or set TLSStrictSNI off to answer with the first virtual host");
  return false;
}

bool Connection::choose_protocol(const rs::Hello& hello, std::string& alpn) {
  if (hello.alpn.empty()) return true;
  apr_array_header_t* const offers =
      apr_array_make(c_->pool, static_cast<int>(hello.alpn.size()), static_cast<int>(sizeof(const char*)));
  for (const rust::String& name : hello.alpn) {
    *static_cast<const char**>(apr_array_push(offers)) = pool_copy(c_->pool, name);
  }
  // httpd's functions take servers that are not const, and do not write to them.
  auto* const server = const_cast<server_rec*>(host_->server);
  const char* const chosen = ap_select_protocol(c_, nullptr, server, offers);
  if (chosen == nullptr || !ap_array_str_contains(offers, chosen)) {
    // mod_ssl answers with http/1.1, offered or not; saying nothing is as good to such a client, and no lie.
    if (host_->settings->words == config::Vocabulary::Ssl) return true;
    // RFC 7301 3.2: no overlap is a fatal no_application_protocol alert. It also stops cross-protocol attacks.
    refuse(alert::no_application_protocol);
    fail("at the ClientHello", rs::Cause::NoProtocol,
         "none of the protocols that the client offers by ALPN is served here", Expected::No,
         "See Protocols in this virtual host");
    return false;
  }
  if (std::strcmp(chosen, ap_get_protocol(c_)) != 0 && ap_switch_protocol(c_, nullptr, server, chosen) != APR_SUCCESS) {
    refuse(alert::internal_error);
    fail("at the ClientHello", rs::Cause::ProtocolFailed, "the chosen protocol could not be started", Expected::No,
         "The module that speaks it says why, with LogLevel debug");
    return false;
  }
  alpn = chosen;
  facts_.alpn = apr_pstrdup(c_->pool, chosen);
  return true;
}

bool Connection::start(const rs::Hello& hello) {
  rs::ChosenHost binding;
  std::string alpn;
  state_ = State::Handshake;
  if (!choose_protocol(hello, alpn)) return false;
  // Without a name the address alone has chosen the virtual host, and so the certificate that the client saw.
  binding.identity = apr::lossy(hello.server_name.empty() ? host_->label + "@" + c_->local_ip : host_->label);
  if (!hello.odd_name) binding.server_name = hello.server_name;
  binding.alpn = apr::lossy(alpn);
  binding.prefers_chacha = hello.prefers_chacha;
  binding.certificates = host_->certificates;
  if (hello.wants_staple) binding.staples = server::offered_responses(c_, *host_);
  binding.fetched = host_->settings->stapling.on;
  if (binding.fetched) binding.staple_url = apr::lossy(host_->settings->stapling.url);
  if (!start_session(binding)) {
    refuse(alert::internal_error);
    fail("at the ClientHello", rs::Cause::NoSession, "the TLS session could not be made", Expected::No,
         "Please report it");
    return false;
  }
  return admit() && feed("", 0);
}

// A protocol that httpd switched to may be one in which an ACME server looks for its own certificate; h2 never is, and
// http/1.1 is no switch (ssl_engine_kernel.c, ssl_callback_alpn_select).
bool Connection::start_session(const rs::ChosenHost& binding) {
  const char* certificate = nullptr;
  const char* key = nullptr;
  const bool other = !facts_.alpn.empty() && facts_.alpn != "h2" && facts_.alpn != AP_PROTOCOL_HTTP1;
  if (!other || facts_.sni.empty() || ap_ssl_answer_challenge(c_, facts_.sni.data(), &certificate, &key) == 0) {
    return session_->start(*host_->policy, engine_->credentials(), binding);
  }
  if (key == nullptr) key = certificate;
  facts_.challenge = true;
  TLS_LOG_C(c_, ChallengeAnswered, facts_.alpn.data(), facts_.sni.data());
  return session_->start_challenge(*host_->policy, apr::bytes(certificate, std::strlen(certificate)),
                                   apr::bytes(key, std::strlen(key)), binding);
}

bool Connection::feed(const char* data, std::size_t length) {
  Sink sink(plain_, ciphertext_);
  const rs::Status status = session_->feed(apr::bytes(data, length), sink);
  if (status == rs::Status::Failed) {
    send_ciphertext(true);
    exceeded_ = session_->exceeded();
    if (exceeded_ != rs::Exceeded::Nothing) {
      say_beyond_limit("after the ClientHello");
    } else {
      fail_session();
    }
    return false;
  }
  judging_ = status == rs::Status::Judging;
  if (judging_) return true;
  const bool completes = state_ == State::Handshake && status != rs::Status::Handshaking;
  if (completes) complete();
  if (status == rs::Status::PeerClosed) {
    input_status_ = APR_EOF;
    // Nothing was asked of us and nothing will be: our goodbye goes in the same segment as the tickets.
    if (completes && APR_BRIGADE_EMPTY(plain_)) close_notify();
  }
  if (send_ciphertext(true) != APR_SUCCESS) {
    if (completes || state_ == State::Handshake) interrupted(APR_EOF);
    return false;
  }
  return true;
}

void Connection::complete() {
  const rs::Negotiated n = session_->negotiated();
  facts_.version = n.version;
  facts_.suite = n.suite;
  facts_.group = n.group;
  facts_.resumed = n.resumed;
  if (!n.session_id.empty()) {
    const auto* id = reinterpret_cast<const char*>(n.session_id.data());
    facts_.session_id = {apr_pstrmemdup(c_->pool, id, n.session_id.size()), n.session_id.size()};
  }
  facts_.signature_scheme = n.resumed ? std::uint16_t{0} : n.signature_scheme;  // a resumption signs nothing
  facts_.ech = static_cast<facts::Ech>(n.ech);
  facts_.outer_name = {pool_copy(c_->pool, n.outer_name), n.outer_name.size()};
  if (facts_.ech == facts::Ech::Accepted) {
    TLS_LOG_C(c_, EchAccepted, facts_.outer_name.empty() ? "NONE" : facts_.outer_name.data(),
              facts_.sni.empty() ? "NONE" : facts_.sni.data());
  }
  identity_.emplace(session_->identity());
  facts_.identity = &**identity_;
  const rs::Verdict verdict = session_->verdict();
  facts_.verify = static_cast<facts::Verify>(verdict.outcome);
  facts_.verify_reason = {pool_copy(c_->pool, verdict.reason), verdict.reason.size()};
  facts_.verify_number = verdict.number;
  const apr_interval_time_t took = apr::monotonic() - opened_;
  facts_.handshake_ms = static_cast<std::uint32_t>(apr_time_as_msec(took));
  session_->count_completed(static_cast<std::uint64_t>(took), host_->number);
  handshake_over();
  state_ = State::Open;
}

}  // namespace tls::conn
