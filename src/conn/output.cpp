// SPDX-License-Identifier: Apache-2.0
// The output filter: plaintext gathered into full records, ciphertext straight into heap buckets, metadata in order.
#include <apr_portable.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "apr/clock.hpp"
#include "apr/slice.hpp"
#include "conn/sink.hpp"
#include "conn/tls_connection.hpp"

namespace tls::conn {
namespace {

constexpr std::size_t record_size = 16384;
// What one record adds, and some to spare: 29 octets with TLS 1.2 and AES-GCM, 22 with TLS 1.3.
constexpr std::size_t record_overhead = 32;
// Plaintext sealed and passed on in one go. A client that does not read costs about three of it: the next batch, this
// one as ciphertext, and the one before, of which httpd still holds a part.
constexpr std::size_t batch_size = 4 * record_size;
constexpr std::size_t stage_size = record_size;  // plaintext gathered from small buckets
constexpr std::size_t small_record = 1350;       // fits one TCP segment
constexpr std::size_t small_burst = 65536;       // bytes of a response that go in small records
constexpr apr_interval_time_t burst_pause = APR_USEC_PER_SEC;

// A file whose bytes are all in the file, not in a buffer of APR's.
bool plain_file(const apr_bucket* b, apr_os_file_t& fd) {
  if (!APR_BUCKET_IS_FILE(b)) return false;
  apr_file_t* const f = static_cast<const apr_bucket_file*>(b->data)->fd;
  return (apr_file_flags_get(f) & APR_FOPEN_BUFFERED) == 0 && apr_os_file_get(&fd, f) == APR_SUCCESS;
}

bool has_data(apr_bucket_brigade* bb) {
  for (apr_bucket* b = APR_BRIGADE_FIRST(bb); b != APR_BRIGADE_SENTINEL(bb); b = APR_BUCKET_NEXT(b)) {
    if (!APR_BUCKET_IS_METADATA(b)) return true;
  }
  return false;
}

}  // namespace

// One call of the output filter.
class Writer final {
 public:
  explicit Writer(TlsConnection& connection) : connection_(connection) {}

  apr_status_t write(apr_bucket_brigade* bb) {
    while (!APR_BRIGADE_EMPTY(bb)) {
      apr_bucket* const b = APR_BRIGADE_FIRST(bb);
      const apr_status_t rv = APR_BUCKET_IS_METADATA(b) ? metadata(b) : data(b);
      if (rv != APR_SUCCESS) return rv;
    }
    // A tunnel of mod_proxy (proxy_util.c, ap_proxy_tunnel_run) sends no FLUSH and waits for the answer to what it
    // passed: nothing may stay here. It has set this before its first byte.
    if (connection_.c_->keepalive == AP_CONN_CLOSE) {
      if (const apr_status_t rv = seal_staged(); rv != APR_SUCCESS) return rv;
    }
    return pass_if(!APR_BRIGADE_EMPTY(connection_.ciphertext_));
  }

 private:
  apr_status_t metadata(apr_bucket* b) {
    if (const apr_status_t rv = seal_staged(); rv != APR_SUCCESS) return rv;
    if (AP_BUCKET_IS_EOC(b) || (AP_BUCKET_IS_EOR(b) && last_response())) connection_.close_notify();
    APR_BUCKET_REMOVE(b);
    APR_BRIGADE_INSERT_TAIL(connection_.ciphertext_, b);
    return APR_SUCCESS;
  }

  // mod_proxy blames the client, with 400, for what cannot be written to a backend whose connection is not aborted.
  apr_status_t lost() {
    if (connection_.c_->outgoing != 0) connection_.c_->aborted = 1;
    return APR_ECONNABORTED;
  }

  // After it httpd only ends the connection, so that our goodbye can go in the same segment as the data. HTTP/1 alone
  // ends a connection with a request.
  [[nodiscard]] bool last_response() const {
    conn_rec* const c = connection_.c_;
    return c->outgoing == 0 && c->keepalive == AP_CONN_CLOSE && std::strcmp(ap_get_protocol(c), AP_PROTOCOL_HTTP1) == 0;
  }

  apr_status_t data(apr_bucket* b) {
    if (connection_.state_ != State::Open) return lost();
    if (apr_os_file_t fd = -1; plain_file(b, fd)) return file(b, fd);
    const char* bytes = nullptr;
    apr_size_t length = 0;
    apr_status_t rv = apr_bucket_read(b, &bytes, &length, APR_NONBLOCK_READ);
    if (APR_STATUS_IS_EAGAIN(rv)) {
      // The producer is not ready: what there is must not wait for it.
      if (rv = seal_staged(); rv != APR_SUCCESS) return rv;
      APR_BRIGADE_INSERT_TAIL(connection_.ciphertext_, apr_bucket_flush_create(connection_.ciphertext_->bucket_alloc));
      if (rv = pass_if(true); rv != APR_SUCCESS) return rv;
      rv = apr_bucket_read(b, &bytes, &length, APR_BLOCK_READ);
    }
    if (APR_STATUS_IS_EOF(rv)) {
      apr_bucket_delete(b);
      return APR_SUCCESS;
    }
    if (rv != APR_SUCCESS) return rv;
    rv = take(bytes, length);
    apr_bucket_delete(b);
    return rv;
  }

  // Reads in pieces of a whole batch instead of the 8,000 bytes or the mapping that apr_bucket_read would give, and by
  // pread, because other threads may share the file (mod_file_cache).
  apr_status_t file(apr_bucket* b, apr_os_file_t fd) {
    if (b->length > batch_size) {
      if (const apr_status_t rv = apr_bucket_split(b, batch_size); rv != APR_SUCCESS) return rv;
    }
    if (const apr_status_t rv = make_room(b->length); rv != APR_SUCCESS) return rv;
    for (apr_size_t got = 0; got < b->length;) {
      const ssize_t n = pread(fd, connection_.staged_ + connection_.staged_length_, b->length - got,
                              b->start + static_cast<off_t>(got));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return APR_FROM_OS_ERROR(errno);
      if (n == 0) return APR_EGENERAL;  // the file has shrunk: the length that was promised cannot be kept
      got += static_cast<apr_size_t>(n);
      connection_.staged_length_ += static_cast<std::size_t>(n);
    }
    apr_bucket_delete(b);
    return connection_.staged_length_ >= record_size ? seal_staged() : APR_SUCCESS;
  }

  // Whole records of a large piece are sealed where they are; small pieces are gathered.
  apr_status_t take(const char* bytes, std::size_t length) {
    while (length > 0) {
      if (connection_.staged_length_ == 0 && length >= record_size) {
        const std::size_t whole = std::min(length - length % record_size, batch_size);
        if (const apr_status_t rv = seal(bytes, whole); rv != APR_SUCCESS) return rv;
        bytes += whole;
        length -= whole;
        continue;
      }
      const std::size_t piece = std::min(length, stage_size - connection_.staged_length_ % stage_size);
      if (const apr_status_t rv = make_room(piece); rv != APR_SUCCESS) return rv;
      std::memcpy(connection_.staged_ + connection_.staged_length_, bytes, piece);
      connection_.staged_length_ += piece;
      bytes += piece;
      length -= piece;
      if (connection_.staged_length_ >= stage_size) {
        if (const apr_status_t rv = seal_staged(); rv != APR_SUCCESS) return rv;
      }
    }
    return APR_SUCCESS;
  }

  // Staging memory for `more` bytes. It comes from the bucket allocator and goes back when the stage is empty, so that
  // an idle connection holds none.
  apr_status_t make_room(std::size_t more) {
    if (connection_.staged_ != nullptr && connection_.staged_capacity_ - connection_.staged_length_ >= more)
      return APR_SUCCESS;
    const std::size_t capacity = std::max(stage_size, connection_.staged_length_ + more);
    auto* const larger = static_cast<char*>(apr_bucket_alloc(capacity, connection_.ciphertext_->bucket_alloc));
    if (larger == nullptr) return APR_ENOMEM;
    if (connection_.staged_ != nullptr) {
      std::memcpy(larger, connection_.staged_, connection_.staged_length_);
      apr_bucket_free(connection_.staged_);
    }
    connection_.staged_ = larger;
    connection_.staged_capacity_ = capacity;
    return APR_SUCCESS;
  }

  apr_status_t seal_staged() {
    if (connection_.staged_ == nullptr) return APR_SUCCESS;
    const apr_status_t rv = encrypt(connection_.staged_, connection_.staged_length_);
    // Before anything is passed on: that may wait for a client which does not read.
    apr_bucket_free(connection_.staged_);
    connection_.staged_ = nullptr;
    connection_.staged_length_ = connection_.staged_capacity_ = 0;
    return rv == APR_SUCCESS ? pass_if(passed_ >= batch_size / 2) : rv;
  }

  apr_status_t seal(const char* bytes, std::size_t length) {
    const apr_status_t rv = encrypt(bytes, length);
    return rv == APR_SUCCESS ? pass_if(passed_ >= batch_size / 2) : rv;
  }

  // Encrypts all of it into buckets of `ciphertext_`.
  apr_status_t encrypt(const char* bytes, std::size_t length) {
    while (length > 0) {
      const std::size_t fragment = fragment_size();
      const std::size_t now = fragment == record_size ? length : std::min(length, small_burst);
      const std::size_t capacity = now + (now / fragment + 3) * record_overhead + slack;
      auto* const out = static_cast<char*>(apr_bucket_alloc(capacity, connection_.ciphertext_->bucket_alloc));
      if (out == nullptr) return APR_ENOMEM;
      const rs::Sealed sealed =
          connection_.session_->seal(apr::bytes(bytes, now), fragment, apr::mutable_bytes(out, capacity));
      if (!sealed.ok || sealed.taken == 0) {
        apr_bucket_free(out);
        connection_.state_ = State::Closing;
        return lost();
      }
      apr_bucket_alloc_t* const allocator = connection_.ciphertext_->bucket_alloc;
      APR_BRIGADE_INSERT_TAIL(connection_.ciphertext_,
                              apr_bucket_heap_create(out, sealed.written, apr_bucket_free, allocator));
      bytes += sealed.taken;
      length -= sealed.taken;
      connection_.burst_ += sealed.taken;
      passed_ += sealed.written;
    }
    return APR_SUCCESS;
  }

  // The first bytes of a response go in records of one segment each, which the client can decrypt as they arrive;
  // then, once the congestion window has grown, in full ones. A pause begins anew.
  std::size_t fragment_size() {
    const apr_interval_time_t now = apr::monotonic();
    if (now - connection_.last_write_ > burst_pause) connection_.burst_ = 0;
    connection_.last_write_ = now;
    return connection_.burst_ < small_burst ? small_record : record_size;
  }

  apr_status_t pass_if(bool due) {
    if (!due) return APR_SUCCESS;
    passed_ = 0;
    const apr_status_t rv = ap_pass_brigade(connection_.output_->next, connection_.ciphertext_);
    apr_brigade_cleanup(connection_.ciphertext_);
    return rv;
  }

  static constexpr std::size_t slack = 512;  // tickets or a key update that rustls owes before

  TlsConnection& connection_;
  std::size_t passed_ = 0;
};

apr_status_t TlsConnection::write(apr_bucket_brigade* bb) {
  if (c_->aborted) {
    apr_brigade_cleanup(bb);
    return APR_ECONNABORTED;
  }
  if (state_ == State::Plain) return ap_pass_brigade(output_->next, bb);
  if (handshaking() || !settled_) before_write(has_data(bb));
  const apr_status_t rv = Writer(*this).write(bb);
  apr_brigade_cleanup(bb);
  return rv;
}

apr_status_t TlsConnection::send_ciphertext(bool flush) {
  if (APR_BRIGADE_EMPTY(ciphertext_)) return APR_SUCCESS;
  if (flush) APR_BRIGADE_INSERT_TAIL(ciphertext_, apr_bucket_flush_create(ciphertext_->bucket_alloc));
  const apr_status_t rv = ap_pass_brigade(output_->next, ciphertext_);
  apr_brigade_cleanup(ciphertext_);
  return rv;
}

void TlsConnection::close_notify() {
  if (state_ != State::Open) return;
  state_ = State::Closing;
  if (shutdown_ == Shutdown::Unclean) return;
  Sink sink(plain_, ciphertext_);
  session_->close_notify(sink);
}

}  // namespace tls::conn
