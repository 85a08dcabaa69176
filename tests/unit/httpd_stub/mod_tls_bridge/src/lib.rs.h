// SPDX-License-Identifier: Apache-2.0
// A session whose record protection is transparent, in place of the Rust half: a record is kind, 03 03, length, content
// and a tag of zeros. What it reads and writes can be told from outside.
#pragma once

#include <cstdint>
#include <string>

#include "rust/cxx.h"

namespace tls::conn {
class Sink;
}

namespace tls::rs {

enum class Status : std::uint8_t { Handshaking, Open, PeerClosed, Failed };

struct Sealed {
  bool ok = false;
  std::size_t taken = 0;
  std::size_t written = 0;
};

constexpr std::size_t tag_length = 17;
constexpr std::uint8_t alert_record = 21;
constexpr std::uint8_t handshake_record = 22;
constexpr std::uint8_t data_record = 23;

// One record of the transparent kind.
std::string record(std::uint8_t kind, const std::string& content);

struct Session {
  // Data goes to the sink; a handshake record is answered by one with the same content; an alert ends the input, and
  // any other kind the connection.
  Status feed(rust::Slice<const std::uint8_t> input, conn::Sink& sink);
  // As many whole records as fit into `out`, behind one that is owed; none after a failure.
  Sealed seal(rust::Slice<const std::uint8_t> plaintext, std::size_t fragment, rust::Slice<std::uint8_t> out);
  void close_notify(conn::Sink& sink);

  std::string rest;           // of a record that is not whole yet
  std::size_t delivered = 0;  // octets of data so far
  std::size_t owed = 0;       // octets of a handshake record that goes before what is sealed next
  Status status = Status::Open;
  bool broken = false;  // sealing fails
};

rust::Box<Session> new_session();

}  // namespace tls::rs
