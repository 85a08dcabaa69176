// SPDX-License-Identifier: Apache-2.0
// Our filters between a network and a reader and writer of the fuzzer's: real brigades of APR, record protection made
// transparent. What is read is what arrived, in every mode; what is passed on is what was written, in its order.
#include <apr_general.h>
#include <apr_portable.h>
#include <apr_strings.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <new>
#include <optional>
#include <string>
#include <vector>

#include "conn/sink.hpp"
#include "conn/tls_connection.hpp"
#include "cpp/targets.hpp"

namespace tls::fuzzing {
namespace {

constexpr std::size_t most_steps = 400;
constexpr std::size_t most_octets = 1 << 16;  // octets each way, which may come in pieces of one
constexpr std::size_t record_size = 16384;
constexpr std::size_t file_size = 1 << 16;

// As conn::Connection takes records in once its handshake is over.
class Open final : public conn::TlsConnection {
 public:
  explicit Open(conn_rec* c) : TlsConnection(c) {
    attach();
    state_ = conn::State::Open;
  }
  Progress handshake(apr_read_type_e) override { return Progress::Done; }
  rs::Session& protection() { return *session_; }
  bool failed = false;  // what was decrypted last is lost, and nothing comes after it

 private:
  bool feed(const char* data, std::size_t length) override {
    conn::Sink sink(plain_, ciphertext_);
    const rs::Status status = session_->feed({reinterpret_cast<const std::uint8_t*>(data), length}, sink);
    if (status == rs::Status::Failed) {
      send_ciphertext(true);
      state_ = conn::State::Closed;
    }
    if (status == rs::Status::PeerClosed) input_status_ = APR_EOF;
    failed = status == rs::Status::Failed || send_ciphertext(true) != APR_SUCCESS;
    return !failed;
  }
  void before_write(bool) override {}
};

// A bucket whose octets are there at the second look.
apr_status_t read_late(apr_bucket* b, const char** text, apr_size_t* length, apr_read_type_e block) {
  if (block == APR_NONBLOCK_READ) return APR_EAGAIN;
  apr_bucket_heap_make(b, static_cast<const char*>(b->data),
                       std::char_traits<char>::length(static_cast<char*>(b->data)), nullptr);
  return apr_bucket_read(b, text, length, block);
}

const apr_bucket_type_t late_type = {"LATE",
                                     5,
                                     apr_bucket_type_t::APR_BUCKET_DATA,
                                     apr_bucket_destroy_noop,
                                     read_late,
                                     apr_bucket_setaside_notimpl,
                                     apr_bucket_split_notimpl,
                                     apr_bucket_copy_notimpl};

std::string pattern(std::size_t length, unsigned seed) {
  std::string out(length, '\0');
  for (std::size_t i = 0; i < length; ++i) {
    const unsigned value = static_cast<unsigned>(i) * 31 + seed;
    out[i] = value % 23 == 0 ? '\n' : value % 29 == 0 ? '\r' : static_cast<char>('a' + value % 26);
  }
  return out;
}

apr_file_t* file_of(apr_pool_t* pool) {
  static const int fd = [] {
    const int made = memfd_create("fuzz", 0);
    const std::string content = pattern(file_size, 7);
    hold(made >= 0 && ::write(made, content.data(), content.size()) == static_cast<ssize_t>(file_size),
         "a file in memory");
    return made;
  }();
  apr_os_file_t os = fd;
  apr_file_t* file = nullptr;
  hold(apr_os_file_put(&file, &os, APR_FOPEN_READ, pool) == APR_SUCCESS, "a file of APR's");
  return file;
}

class Talk {
 public:
  explicit Talk(apr_pool_t* pool) : pool_(pool), alloc_(apr_bucket_alloc_create(pool)) {
    c_.pool = pool;
    c_.bucket_alloc = alloc_;
    c_.keepalive = AP_CONN_KEEPALIVE;
    c_.conn_config = reinterpret_cast<ap_conf_vector_t*>(config_);
    network_.filter_func.in_func = [](ap_filter_t* f, apr_bucket_brigade* bb, ap_input_mode_t, apr_read_type_e block,
                                      apr_off_t limit) {
      return static_cast<Talk*>(f->ctx)->receive(bb, block, limit);
    };
    client_.filter_func.out_func = [](ap_filter_t* f, apr_bucket_brigade* bb) {
      return static_cast<Talk*>(f->ctx)->send(bb);
    };
    input_.frec = &network_;
    output_.frec = &client_;
    input_.ctx = output_.ctx = this;
    c_.input_filters = &input_;
    c_.output_filters = &output_;
    stream_.emplace(&c_);
    writing_ = apr_brigade_create(pool, alloc_);
  }

  void step(unsigned what, unsigned a, unsigned b) {
    switch (what % 12) {
      case 0:
      case 1:
        return arrive(rs::data_record, pattern((a << 3U | b >> 5U) * (what % 12 == 0 ? 1 : 8), b));
      case 2:
        return arrive(rs::handshake_record, std::string(1 + a % 64, 'k'));
      case 3:
        return arrive(a % 4 == 0 ? 99 : rs::alert_record, "\1");
      case 4:
        piece_ = a << (b % 8U);
        metadata_every_ = b >> 6U;
        return;
      case 5:
        ended_ = ended_ || a % 16 == 0;
        return;
      case 6:
      case 7:
        return read(a, b & 1U, 1 + (b >> 1U) * (1 + a / 8U * 16));
      case 8:
      case 9:
        return append(a, b);
      case 10:
        return write();
      default:
        return disturb(a, b);
    }
  }

  void finish() {
    write();
    for (int i = 0; i < 4; ++i) read(AP_MODE_READBYTES, false, 65536);
  }

 private:
  // --- from the network ---

  void arrive(std::uint8_t kind, const std::string& content) {
    if (arrived_.size() + content.size() > most_octets) return;
    wire_ += rs::record(kind, content);
    if (over_) return;
    if (kind == rs::data_record) arrived_ += content;
    over_ = kind != rs::data_record && kind != rs::handshake_record;
  }

  apr_status_t receive(apr_bucket_brigade* bb, apr_read_type_e block, apr_off_t limit) {
    if (taken_ == wire_.size()) {
      if (ended_) return ++ends_ % 2 == 1 ? APR_SUCCESS : APR_EOF;  // as core_filters.c: an empty bucket first
      return block == APR_NONBLOCK_READ ? APR_EAGAIN : APR_TIMEUP;
    }
    const std::size_t most = std::min<std::size_t>(wire_.size() - taken_, static_cast<std::size_t>(limit));
    const std::size_t length = piece_ == 0 ? most : std::min(most, piece_);
    if (metadata_every_ == 1) APR_BRIGADE_INSERT_TAIL(bb, apr_bucket_flush_create(alloc_));
    // In two buckets, the first of which may be empty.
    const std::size_t half = metadata_every_ == 2 ? 0 : length / 2;
    for (const auto& part : {wire_.substr(taken_, half), wire_.substr(taken_ + half, length - half)})
      APR_BRIGADE_INSERT_TAIL(bb, apr_bucket_heap_create(part.data(), part.size(), nullptr, alloc_));
    taken_ += length;
    return APR_SUCCESS;
  }

  void read(unsigned mode, bool block, std::size_t limit) {
    static constexpr ap_input_mode_t modes[] = {AP_MODE_READBYTES,   AP_MODE_GETLINE,    AP_MODE_EATCRLF,
                                                AP_MODE_SPECULATIVE, AP_MODE_EXHAUSTIVE, AP_MODE_INIT};
    const ap_input_mode_t chosen = modes[mode % 6];
    apr_bucket_brigade* const bb = apr_brigade_create(pool_, alloc_);
    const bool gone = stream_->failed;
    const apr_status_t rv =
        stream_->read(bb, chosen, block ? APR_BLOCK_READ : APR_NONBLOCK_READ, static_cast<apr_off_t>(limit));
    std::string got;
    for (apr_bucket* b = APR_BRIGADE_FIRST(bb); b != APR_BRIGADE_SENTINEL(bb); b = APR_BUCKET_NEXT(b)) {
      const char* text = nullptr;
      apr_size_t length = 0;
      hold(!APR_BUCKET_IS_METADATA(b), "data alone is read");
      hold(apr_bucket_read(b, &text, &length, APR_BLOCK_READ) == APR_SUCCESS, "what is read is there");
      got.append(text, length);
    }
    apr_brigade_cleanup(bb);
    judge(chosen, block, limit, rv, got, gone);
  }

  void judge(ap_input_mode_t mode, bool block, std::size_t limit, apr_status_t rv, const std::string& got, bool gone) {
    if (stream_->failed) {
      // What was read before goes to the reader of a line first.
      hold(!gone && arrived_.compare(position_, got.size(), got) == 0
               ? rv != APR_SUCCESS || !got.empty() || mode == AP_MODE_INIT
               : got.empty() && (rv != APR_SUCCESS || mode == AP_MODE_INIT),
           "nothing is read after a failure");
      return hold(!APR_STATUS_IS_EOF(rv), "which is no end");
    }
    const std::size_t delivered = stream_->protection().delivered;
    hold(arrived_.compare(position_, got.size(), got) == 0, "what is read is what arrived");
    hold(position_ + got.size() <= delivered, "and was decrypted");
    if (rv != APR_SUCCESS) {
      hold(got.empty(), "an error brings no data");
      if (APR_STATUS_IS_EAGAIN(rv)) hold(!block && delivered == position_ + eaten(mode, delivered), "nothing is there");
    }
    if (mode == AP_MODE_READBYTES || mode == AP_MODE_SPECULATIVE)
      hold(got.size() <= limit, "no more than was asked for");
    if (rv == APR_SUCCESS && mode != AP_MODE_INIT && mode != AP_MODE_EATCRLF) hold(!got.empty(), "success brings data");
    if (mode == AP_MODE_GETLINE) {
      const std::size_t end = got.find('\n');
      hold(end == std::string::npos || end + 1 == got.size(), "a line ends at its end");
    }
    position_ += mode == AP_MODE_EATCRLF ? eaten(mode, delivered) : mode == AP_MODE_SPECULATIVE ? 0 : got.size();
    if (mode != AP_MODE_INIT && stream_->state() != conn::State::Closed)
      hold((c_.data_in_input_filters != 0) == (delivered > position_), "the MPM is told what waits here");
  }

  // Line ends that were skipped.
  std::size_t eaten(ap_input_mode_t mode, std::size_t delivered) const {
    std::size_t count = 0;
    if (mode != AP_MODE_EATCRLF) return 0;
    while (position_ + count < delivered &&
           (arrived_[position_ + count] == '\r' || arrived_[position_ + count] == '\n'))
      ++count;
    return count;
  }

  // --- to the network ---

  void append(unsigned kind, unsigned b) {
    const std::size_t length = static_cast<std::size_t>(b + 1) << (kind >> 4U) % 8U;
    if (written_.size() + length > most_octets) return;
    const std::string text = pattern(length, b);
    apr_bucket* made = nullptr;
    switch (kind % 10) {
      case 0:
      case 1:
        made = apr_bucket_heap_create(text.data(), length, nullptr, alloc_);
        break;
      case 2:
        made = apr_bucket_pool_create(apr_pstrmemdup(pool_, text.data(), length), length, pool_, alloc_);
        break;
      case 3:
        return file(static_cast<std::size_t>(b) << 8U,
                    std::min(length, file_size - (static_cast<std::size_t>(b) << 8U)));
      case 4:
        made = apr_bucket_heap_create("", 0, nullptr, alloc_);
        made->type = &late_type;
        made->length = static_cast<apr_size_t>(-1);
        made->data = apr_pstrmemdup(pool_, text.data(), length);
        break;
      case 5:
        return mark(apr_bucket_flush_create(alloc_));
      case 6:
        return mark(apr_bucket_eos_create(alloc_));
      case 7:
        return mark(of(&ap_bucket_type_eor));
      case 8:
        return b % 8 == 0 ? mark(of(&ap_bucket_type_eoc)) : void();
      default:
        made = apr_bucket_transient_create(apr_pstrmemdup(pool_, text.data(), length), length, alloc_);
        break;
    }
    APR_BRIGADE_INSERT_TAIL(writing_, made);
    pending_ += text;
  }

  void file(std::size_t start, std::size_t length) {
    if (length == 0) return;
    APR_BRIGADE_INSERT_TAIL(
        writing_, apr_bucket_file_create(file_of(pool_), static_cast<apr_off_t>(start), length, pool_, alloc_));
    static const std::string content = pattern(file_size, 7);
    pending_ += content.substr(start, length);
  }

  apr_bucket* of(const apr_bucket_type_t* type) {
    apr_bucket* const b = apr_bucket_flush_create(alloc_);
    b->type = type;
    return b;
  }

  // Metadata, and how much was to be written before it.
  void mark(apr_bucket* b) {
    APR_BRIGADE_INSERT_TAIL(writing_, b);
    marks_.push_back({b->type, written_.size() + pending_.size()});
  }

  void write() {
    const bool any = !pending_.empty();
    const bool was_open = stream_->state() == conn::State::Open && c_.aborted == 0 && !stream_->protection().broken;
    written_ += pending_;
    pending_.clear();
    const apr_status_t rv = stream_->write(writing_);
    hold(APR_BRIGADE_EMPTY(writing_), "all of a brigade is taken");
    if (rv != APR_SUCCESS || (any && !was_open)) {
      lost_ = true;
      marks_.clear();
      return;
    }
    if (lost_) return marks_.clear();
    const std::string clear = decoded();
    hold(written_.compare(0, clear.size(), clear) == 0, "what is passed on is what was written");
    hold(written_.size() - clear.size() < record_size, "less than a record waits");
    hold(marks_.empty(), "metadata is passed on");
    if (c_.keepalive == AP_CONN_CLOSE) hold(clear.size() == written_.size(), "nothing waits where a tunnel may be");
  }

  apr_status_t send(apr_bucket_brigade* bb) {
    if (fails_) {
      c_.aborted = 1;
      apr_brigade_cleanup(bb);
      return APR_ECONNABORTED;
    }
    while (!APR_BRIGADE_EMPTY(bb)) {
      apr_bucket* const b = APR_BRIGADE_FIRST(bb);
      const char* text = nullptr;
      apr_size_t length = 0;
      if (!APR_BUCKET_IS_METADATA(b)) {
        hold(apr_bucket_read(b, &text, &length, APR_BLOCK_READ) == APR_SUCCESS, "what is passed on is there");
        sent_.append(text, length);
      } else if (!lost_ && !(APR_BUCKET_IS_FLUSH(b) && is_added())) {
        hold(!marks_.empty() && marks_.front().type == b->type, "metadata stands in the order of what was written");
        hold(decoded().size() == marks_.front().before, "and behind the same data");
        marks_.erase(marks_.begin());
      }
      apr_bucket_delete(b);
    }
    return APR_SUCCESS;
  }

  // A flush that nobody wrote: what was produced must not wait for what is not there yet.
  bool is_added() {
    return marks_.empty() || !APR_BUCKET_IS_FLUSH(&marks_.front()) || decoded().size() != marks_.front().before;
  }

  // The data in what was sent: read on from where it ended last.
  const std::string& decoded() {
    while (sent_.size() - read_ >= 5) {
      const std::size_t length =
          static_cast<std::uint8_t>(sent_[read_ + 3]) << 8U | static_cast<std::uint8_t>(sent_[read_ + 4]);
      hold(length <= record_size + 256 && sent_.size() - read_ >= 5 + length, "records are whole");
      if (static_cast<std::uint8_t>(sent_[read_]) == rs::data_record) {
        hold(!goodbye_, "nothing follows our goodbye");
        clear_.append(sent_, read_ + 5, length - rs::tag_length);
      }
      goodbye_ = goodbye_ || static_cast<std::uint8_t>(sent_[read_]) == rs::alert_record;
      read_ += 5 + length;
    }
    hold(sent_.size() == read_, "records are whole");
    return clear_;
  }

  void disturb(unsigned a, unsigned b) {
    switch (a % 8) {
      case 0:
        fails_ = b % 16 == 0;
        return;
      case 1:
        stream_->protection().broken = b % 16 == 0;
        return;
      case 2:
        c_.keepalive = b % 2 == 0 ? AP_CONN_CLOSE : AP_CONN_KEEPALIVE;
        return;
      case 3:
        stream_->shutdown_style(b % 2 == 0 ? conn::Shutdown::Unclean : conn::Shutdown::Standard);
        return;
      case 4:
        stream_->protection().owed = b;
        return;
      case 5:
        if (b % 32 == 0) stream_->lose(), lost_ = true;
        return;
      default:
        return;
    }
  }

  struct Mark {
    const apr_bucket_type_t* type;
    std::size_t before;
  };

  apr_pool_t* pool_;
  apr_bucket_alloc_t* alloc_;
  conn_rec c_{};
  void* config_[4] = {};
  ap_filter_rec_t network_{}, client_{};
  ap_filter_t input_{}, output_{};
  std::optional<Open> stream_;

  std::string wire_;
  std::size_t taken_ = 0;     // of it, by the module
  std::string arrived_;       // data of all records that count
  std::size_t position_ = 0;  // of the reader in it
  std::size_t piece_ = 0;     // octets a read gives; 0: all
  unsigned metadata_every_ = 0;
  int ends_ = 0;
  bool ended_ = false, over_ = false;

  apr_bucket_brigade* writing_ = nullptr;
  std::string pending_;  // of `writing_`
  std::string written_, sent_, clear_;
  std::size_t read_ = 0;
  std::vector<Mark> marks_;
  bool fails_ = false, lost_ = false, goodbye_ = false;
};

}  // namespace

void filters(std::string_view data) {
  static apr_pool_t* const root = [] {
    apr_pool_t* pool = nullptr;
    hold(apr_initialize() == APR_SUCCESS && apr_pool_create(&pool, nullptr) == APR_SUCCESS, "APR");
    return pool;
  }();
  apr_pool_t* pool = nullptr;
  hold(apr_pool_create(&pool, root) == APR_SUCCESS, "a pool");
  {
    Talk talk(pool);
    for (std::size_t step = 0; step < most_steps && data.size() >= 3 * (step + 1); ++step) {
      const auto octet = [&](std::size_t i) { return static_cast<unsigned char>(data[3 * step + i]); };
      talk.step(octet(0), octet(1), octet(2));
    }
    talk.finish();
  }
  apr_pool_destroy(pool);
}

}  // namespace tls::fuzzing
