// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>

#include "conn/sink.hpp"
#include "mod_tls_bridge/src/lib.rs.h"

namespace tls::rs {
namespace {

rust::Slice<const std::uint8_t> octets(const std::string& text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

}  // namespace

std::string record(std::uint8_t kind, const std::string& content) {
  const std::size_t length = content.size() + tag_length;
  std::string out{static_cast<char>(kind), 3, 3, static_cast<char>(length >> 8), static_cast<char>(length & 0xff)};
  out += content;
  out.append(tag_length, '\0');
  return out;
}

Status Session::feed(rust::Slice<const std::uint8_t> input, conn::Sink& sink) {
  rest.append(reinterpret_cast<const char*>(input.data()), input.size());
  while (status == Status::Open && rest.size() >= 5) {
    const std::size_t length = static_cast<std::uint8_t>(rest[3]) << 8U | static_cast<std::uint8_t>(rest[4]);
    if (length < tag_length) status = Status::Failed;
    if (length < tag_length || rest.size() < 5 + length) break;
    const std::string content = rest.substr(5, length - tag_length);
    const auto kind = static_cast<std::uint8_t>(rest[0]);
    rest.erase(0, 5 + length);
    if (kind == data_record) {
      delivered += content.size();
      sink.plaintext(octets(content));
    } else if (kind == handshake_record) {
      sink.ciphertext(octets(record(handshake_record, content)));
    } else {
      status = kind == alert_record ? Status::PeerClosed : Status::Failed;
    }
  }
  if (status == Status::Failed) sink.ciphertext(octets(record(alert_record, "\2\x14")));
  return status;
}

Sealed Session::seal(rust::Slice<const std::uint8_t> plaintext, std::size_t fragment, rust::Slice<std::uint8_t> out) {
  Sealed done;
  if (broken || status == Status::Failed) return done;
  const auto put = [&](std::uint8_t kind, const std::string& content) {
    const std::string made = record(kind, content);
    if (made.size() > out.size() - done.written) return false;
    std::memcpy(out.data() + done.written, made.data(), made.size());
    done.written += made.size();
    return true;
  };
  if (owed > 0 && !put(handshake_record, std::string(owed, 'h'))) return done;
  owed = 0;
  done.ok = true;
  while (done.taken < plaintext.size()) {
    const std::size_t length = std::min(fragment, plaintext.size() - done.taken);
    const auto* const from = reinterpret_cast<const char*>(plaintext.data()) + done.taken;
    if (!put(data_record, std::string(from, length))) break;
    done.taken += length;
  }
  return done;
}

void Session::close_notify(conn::Sink& sink) {
  if (status != Status::Failed) sink.ciphertext(octets(record(alert_record, {"\1\0", 2})));
}

rust::Box<Session> new_session() { return rust::Box<Session>(std::make_unique<Session>()); }

}  // namespace tls::rs
