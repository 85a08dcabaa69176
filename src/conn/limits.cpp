// SPDX-License-Identifier: Apache-2.0
// Floods of handshakes: what is beyond the limits is refused before it costs anything.
#include "apr/slice.hpp"
#include "config/words.hpp"
#include "conn/alerts.hpp"
#include "conn/connection.hpp"

namespace tls::conn {
namespace {

// mod_remoteip keeps to itself whose connection a PROXY header says this is, until there is a request: the address is
// then that of a proxy, with the connections of many. Its filter stays for as long as the connection.
bool is_proxied(const conn_rec* c) {
  for (const ap_filter_t* f = c->input_filters; f != nullptr; f = f->next) {
    if (config::same_word(f->frec->name, "REMOTEIP_INPUT")) return true;
  }
  return false;
}

}  // namespace

void Connection::enter() {
  entered_ = true;
  const apr_sockaddr_t* const client = c_->client_addr;
  facts_.proxied = is_proxied(c_);
  const auto length = facts_.proxied ? 0U : static_cast<std::size_t>(client->ipaddr_len);
  exceeded_ = session_->enter(apr::bytes(static_cast<const char*>(client->ipaddr_ptr), length));
}

void Connection::refuse_beyond_limit(const char* stage) {
  // RFC 8446 6.2: "an internal error unrelated to the peer"; there is none for a server that has enough to do.
  refuse(alert::internal_error);
  say_beyond_limit(stage);
}

void Connection::say_beyond_limit(const char* stage) {
  constexpr const char* rate = "raise TLSHandshakeRate where that many are wanted; clients may share an address";
  constexpr const char* under_way =
      "raise TLSHandshakesUnderWay where that many are wanted; clients may share an address";
  const char* cause = "";
  switch (exceeded_) {
    case rs::Exceeded::AddressRate:
      cause = "its address asks for more full handshakes a second than it may have";
      break;
    case rs::Exceeded::ChildRate:
      cause = "there are more full handshakes a second than this process makes";
      break;
    case rs::Exceeded::ServerRate:
      cause = "there are more full handshakes a second than this process makes of those for the server";
      break;
    case rs::Exceeded::AddressUnderWay:
      cause = "its address has as many handshakes under way as it may have";
      break;
    case rs::Exceeded::ChildUnderWay:
      cause = "as many handshakes are under way as this process may have";
      break;
    default:
      cause = "as many handshakes are under way as this process may have of those for the server";
      break;
  }
  // httpd's parent says once a minute how many they are (server/limits.cpp).
  fail(stage, rs::Cause::Limit, cause, Expected::Yes, exceeded_ <= rs::Exceeded::ServerRate ? rate : under_way);
}

bool Connection::admit() {
  exceeded_ = session_->admit(*host_->policy);
  if (exceeded_ == rs::Exceeded::Nothing) return true;
  refuse_beyond_limit("at the ClientHello");
  return false;
}

}  // namespace tls::conn
