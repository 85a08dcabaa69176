// SPDX-License-Identifier: Apache-2.0
// The input filter: ciphertext from the network in, plaintext in httpd's read modes out.
#include "apr/slice.hpp"
#include "conn/sink.hpp"
#include "conn/tls_connection.hpp"

namespace tls::conn {
namespace {

constexpr apr_off_t read_size = 65536;

bool ends_with_line_feed(apr_bucket_brigade* bb) {
  if (APR_BRIGADE_EMPTY(bb)) return false;
  const char* data = nullptr;
  apr_size_t length = 0;
  apr_bucket* const last = APR_BRIGADE_LAST(bb);
  return apr_bucket_read(last, &data, &length, APR_BLOCK_READ) == APR_SUCCESS && length > 0 &&
         data[length - 1] == APR_ASCII_LF;
}

// Moves at most `limit` bytes.
apr_status_t move_bytes(apr_bucket_brigade* from, apr_bucket_brigade* to, apr_off_t limit) {
  apr_bucket* after = nullptr;
  const apr_status_t rv = apr_brigade_partition(from, limit, &after);
  if (rv != APR_SUCCESS && rv != APR_INCOMPLETE) return rv;
  while (!APR_BRIGADE_EMPTY(from) && APR_BRIGADE_FIRST(from) != after) {
    apr_bucket* const b = APR_BRIGADE_FIRST(from);
    APR_BUCKET_REMOVE(b);
    APR_BRIGADE_INSERT_TAIL(to, b);
  }
  return APR_SUCCESS;
}

// Shows at most `limit` bytes and leaves them where they are.
apr_status_t copy_bytes(apr_bucket_brigade* from, apr_bucket_brigade* to, apr_off_t limit) {
  apr_bucket* after = nullptr;
  const apr_status_t rv = apr_brigade_partition(from, limit, &after);
  if (rv != APR_SUCCESS && rv != APR_INCOMPLETE) return rv;
  for (apr_bucket* b = APR_BRIGADE_FIRST(from); b != APR_BRIGADE_SENTINEL(from) && b != after; b = APR_BUCKET_NEXT(b)) {
    apr_bucket* copy = nullptr;
    const apr_status_t copied = apr_bucket_copy(b, &copy);
    if (copied != APR_SUCCESS) return copied;
    APR_BRIGADE_INSERT_TAIL(to, copy);
  }
  return APR_SUCCESS;
}

// server/core_filters.c: line ends in front of a request are skipped.
void eat_line_ends(apr_bucket_brigade* bb) {
  while (!APR_BRIGADE_EMPTY(bb)) {
    apr_bucket* const b = APR_BRIGADE_FIRST(bb);
    const char* data = nullptr;
    apr_size_t length = 0;
    if (apr_bucket_read(b, &data, &length, APR_BLOCK_READ) != APR_SUCCESS) return;
    apr_size_t skip = 0;
    while (skip < length && (data[skip] == APR_ASCII_CR || data[skip] == APR_ASCII_LF)) ++skip;
    if (skip < length) {
      if (skip > 0 && apr_bucket_split(b, skip) == APR_SUCCESS) apr_bucket_delete(b);
      return;
    }
    apr_bucket_delete(b);
  }
}

// The event MPM must not poll the socket for what has been decrypted already, nor wait here for what has not. httpd's
// trunk has no such word: there who ends a request looks for a further one by a speculative read (check_pipeline of
// modules/http/http_request.c), as httpd 2.4 does as well.
template <typename Connection>
void say_what_is_there(Connection* c, bool there) {
  if constexpr (requires { c->data_in_input_filters; }) c->data_in_input_filters = there ? 1 : 0;
}

}  // namespace

apr_status_t TlsConnection::read(apr_bucket_brigade* bb, ap_input_mode_t mode, apr_read_type_e block, apr_off_t limit) {
  if (handshaking()) {
    // process_connection drives the handshake; whoever reads earlier does so on this thread.
    if (handshake(APR_BLOCK_READ) != Progress::Done) return end_of_input();
  }
  if (mode == AP_MODE_INIT) return APR_SUCCESS;
  if (state_ == State::Closed) return end_of_input();
  const apr_status_t rv = mode == AP_MODE_GETLINE ? get_line(bb, block) : deliver(bb, mode, block, limit);
  say_what_is_there(c_, !APR_BRIGADE_EMPTY(plain_));
  return rv;
}

apr_status_t TlsConnection::deliver(apr_bucket_brigade* bb, ap_input_mode_t mode, apr_read_type_e block,
                                    apr_off_t limit) {
  apr_status_t rv = APR_BRIGADE_EMPTY(plain_) ? fill(block) : APR_SUCCESS;
  if (rv != APR_SUCCESS) return rv;
  switch (mode) {
    case AP_MODE_READBYTES:
      rv = move_bytes(plain_, bb, limit);
      break;
    case AP_MODE_SPECULATIVE:
      rv = copy_bytes(plain_, bb, limit);
      break;
    case AP_MODE_EXHAUSTIVE:
      APR_BRIGADE_CONCAT(bb, plain_);
      break;
    case AP_MODE_EATCRLF:
      eat_line_ends(plain_);
      if (APR_BRIGADE_EMPTY(plain_)) rv = block == APR_NONBLOCK_READ ? APR_EAGAIN : end_of_input();
      break;
    default:
      rv = APR_ENOTIMPL;
      break;
  }
  return rv;
}

// A line that does not end is given in parts, as by httpd's core filter: whoever reads looks at its limits in between.
apr_status_t TlsConnection::get_line(apr_bucket_brigade* bb, apr_read_type_e block) {
  apr_off_t length = 0;
  do {
    if (APR_BRIGADE_EMPTY(plain_)) {
      const apr_status_t rv = fill(block);
      // What there is of the line goes to the reader, as with httpd's core filter.
      if (rv != APR_SUCCESS) return APR_BRIGADE_EMPTY(bb) ? rv : APR_SUCCESS;
    }
    const apr_status_t rv = apr_brigade_split_line(bb, plain_, block, HUGE_STRING_LEN);
    if (rv != APR_SUCCESS) return rv;
    drop_empty_buckets();
    if (const apr_status_t counted = apr_brigade_length(bb, 1, &length); counted != APR_SUCCESS) return counted;
  } while (length < HUGE_STRING_LEN && !ends_with_line_feed(bb) && APR_BRIGADE_EMPTY(plain_));
  return APR_SUCCESS;
}

// apr_brigade_split_line leaves a bucket of no length, which a SPECULATIVE read would take for data: httpd would then
// close the connection instead of keeping it alive.
void TlsConnection::drop_empty_buckets() {
  while (!APR_BRIGADE_EMPTY(plain_) && APR_BRIGADE_FIRST(plain_)->length == 0) {
    apr_bucket_delete(APR_BRIGADE_FIRST(plain_));
  }
}

// After a failure nothing is read any more, whatever else arrives: there would be a gap in it. Nor does the input end
// as if it were whole.
void TlsConnection::lose_input() {
  apr_brigade_cleanup(plain_);
  input_status_ = APR_ECONNABORTED;
}

apr_status_t TlsConnection::end_of_input() { return input_status_ != APR_SUCCESS ? input_status_ : APR_EOF; }

// Decrypts until there is plaintext. Bytes that reading makes due (tickets, key updates, alerts) go out at once.
apr_status_t TlsConnection::fill(apr_read_type_e block) {
  int empty_reads = 0;
  while (APR_BRIGADE_EMPTY(plain_)) {
    if (input_status_ != APR_SUCCESS) return input_status_;
    const apr_status_t rv = ap_get_brigade(input_->next, cipher_, AP_MODE_READBYTES, block, read_size);
    if (rv != APR_SUCCESS) {
      apr_brigade_cleanup(cipher_);
      // RFC 8446 6.1: data may be missing where the stream ends without a close_notify.
      if (APR_STATUS_IS_EOF(rv)) input_status_ = APR_ECONNABORTED;
      return APR_STATUS_IS_EOF(rv) ? input_status_ : rv;
    }
    if (APR_BRIGADE_EMPTY(cipher_)) {
      if (block == APR_NONBLOCK_READ) return APR_EAGAIN;
      if (++empty_reads > 2) return input_status_ = APR_ECONNABORTED;
      continue;
    }
    while (!APR_BRIGADE_EMPTY(cipher_)) {
      apr_bucket* const b = APR_BRIGADE_FIRST(cipher_);
      const char* data = nullptr;
      apr_size_t length = 0;
      if (APR_BUCKET_IS_EOS(b)) {
        if (input_status_ == APR_SUCCESS) input_status_ = APR_ECONNABORTED;
      } else if (!APR_BUCKET_IS_METADATA(b) && input_status_ == APR_SUCCESS) {
        const apr_status_t got = apr_bucket_read(b, &data, &length, block);
        if (got == APR_SUCCESS && length > 0) {
          if (!feed(data, length)) lose_input();
        } else if (got != APR_SUCCESS) {
          // What is not read now is gone, and nothing is read over a gap.
          input_status_ = APR_STATUS_IS_EAGAIN(got) ? APR_ECONNABORTED : got;
        }
      }
      apr_bucket_delete(b);
    }
  }
  return APR_SUCCESS;
}

}  // namespace tls::conn
