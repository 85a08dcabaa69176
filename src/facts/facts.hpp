// SPDX-License-Identifier: Apache-2.0
// What is known of a connection once its handshake is complete: a snapshot that never changes afterwards, so that
// the worker threads of an h2 connection read it without a lock.
#pragma once

#include <cstdint>
#include <string_view>

struct conn_rec;
struct server_rec;

namespace tls::rs {
struct Identity;
}

namespace tls::facts {

// What the client verifier found. Unverified: a certificate that the policy lets pass unproven (`any`,
// `optional_no_ca`).
enum class Verify : std::uint8_t { None, Success, Unverified, Failed };

// How an offer of Encrypted ClientHello was answered: none was made, or no key is held; it was of no key held here; it
// was of one and did not decrypt; the name asked for stood inside.
enum class Ech : std::uint8_t { NotTried, Grease, Failed, Accepted };

// What was agreed on, and for whom. Nothing of it says who the client is. Views point into the connection's pool or its
// Rust session; both live as long as the connection.
struct SessionFacts {
  std::uint16_t version = 0;           // 0x0303 or 0x0304
  std::uint16_t suite = 0;             // IANA number
  std::uint16_t group = 0;             // IANA number; 0 where no key exchange took place (TLS 1.2 resumption)
  std::uint16_t signature_scheme = 0;  // of the server's signature; 0 where nothing was signed (resumption)
  bool resumed = false;
  bool proxied = false;            // comes with a PROXY header: its address is a balancer's, with many behind it
  bool challenge = false;          // the client is an ACME server that looks for its challenge: nothing is served to it
  std::uint32_t handshake_ms = 0;  // from the first byte of the hello to the client's Finished
  std::string_view sni;            // as the client sent it, lower case; empty when it sent none
  std::string_view alpn;
  std::string_view session_id;       // binary; empty with TLS 1.3
  const server_rec* host = nullptr;  // the virtual host that the handshake was made for
  Ech ech = Ech::NotTried;
  std::string_view outer_name;  // what everybody on the way could read, where an offer was made
};

// The same, with the client and what is thought of it. Whose thought that is depends on where they come from: see
// request_facts.hpp for those of a request, and handshake_facts.hpp for what no request may see.
struct Facts : SessionFacts {
  Verify verify = Verify::None;
  std::string_view verify_reason;          // why `verify` is Failed or Unverified, in OpenSSL's words
  unsigned verify_number = 0;              // OpenSSL's for the reason
  std::string_view verify_advice;          // what an administrator can do about a refusal; may be empty
  const rs::Identity* identity = nullptr;  // certificates of both sides, parsed when first asked
};

// Those of the TLS connection that `c` belongs to: of its master where `c` is the secondary connection of a stream.
// nullptr before the handshake is complete, on connections that are not ours, and on outgoing ones.
const SessionFacts* session_facts(const conn_rec* c);

}  // namespace tls::facts
