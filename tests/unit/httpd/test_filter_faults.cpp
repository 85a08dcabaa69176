// SPDX-License-Identifier: Apache-2.0
// The filters where what is next to them fails, at each call: nothing is lost in silence, nothing is written after a
// failure, and the states say what may still pass.
#include <apr_general.h>
#include <gtest/gtest.h>

#include <string>

#include "allocation.hpp"
#include "apr/hook.hpp"
#include "conn/sink.hpp"
#include "conn/tls_connection.hpp"

namespace tls::conn {
namespace {

class Open final : public TlsConnection {
 public:
  Open(conn_rec* c, State state) : TlsConnection(c) {
    attach();
    state_ = state;
  }
  Progress handshake(apr_read_type_e) override { return Progress::Done; }
  rs::Session& protection() { return *session_; }

 private:
  bool feed(const char* data, std::size_t length) override {
    Sink sink(plain_, ciphertext_);
    const rs::Status status = session_->feed({reinterpret_cast<const std::uint8_t*>(data), length}, sink);
    if (status == rs::Status::Failed) state_ = State::Closed;
    if (status == rs::Status::PeerClosed) input_status_ = APR_EOF;
    return send_ciphertext(true) == APR_SUCCESS && status != rs::Status::Failed;
  }
  void before_write(bool) override {}
};

// A connection between a network that has `arriving_` and fails its nth read, and one that keeps what it is passed and
// fails its nth write.
class FilterFaults : public testing::Test {
 protected:
  static void SetUpTestSuite() { apr_initialize(); }
  void SetUp() override {
    apr_pool_create(&pool_, nullptr);
    begin(State::Open);
  }
  void TearDown() override { apr_pool_destroy(pool_); }

  void begin(State state) {
    apr_pool_clear(pool_);
    c_ = conn_rec{};
    c_.pool = pool_;
    c_.bucket_alloc = apr_bucket_alloc_create(pool_);
    c_.keepalive = AP_CONN_KEEPALIVE;
    c_.conn_config = reinterpret_cast<ap_conf_vector_t*>(config_);
    network_.filter_func.in_func = [](ap_filter_t* f, apr_bucket_brigade* bb, ap_input_mode_t, apr_read_type_e,
                                      apr_off_t) { return static_cast<FilterFaults*>(f->ctx)->receive(bb); };
    client_.filter_func.out_func = [](ap_filter_t* f, apr_bucket_brigade* bb) {
      return static_cast<FilterFaults*>(f->ctx)->send(bb);
    };
    input_ = ap_filter_t{};
    output_ = ap_filter_t{};
    input_.frec = &network_;
    output_.frec = &client_;
    input_.ctx = output_.ctx = this;
    c_.input_filters = &input_;
    c_.output_filters = &output_;
    reads_ = writes_ = 0;
    sent_.clear();
    connection_ = new (apr_palloc(pool_, sizeof(Open))) Open(&c_, state);
  }

  apr_status_t receive(apr_bucket_brigade* bb) {
    if (++reads_ == failing_read_) return read_error_;
    if (arriving_.empty()) return APR_EAGAIN;
    const std::string piece = arriving_.substr(0, 700);
    arriving_.erase(0, piece.size());
    APR_BRIGADE_INSERT_TAIL(bb, apr_bucket_heap_create(piece.data(), piece.size(), nullptr, bb->bucket_alloc));
    return APR_SUCCESS;
  }

  apr_status_t send(apr_bucket_brigade* bb) {
    if (++writes_ == failing_write_) {
      apr_brigade_cleanup(bb);
      return APR_ECONNRESET;
    }
    EXPECT_TRUE(failing_write_ == 0 || writes_ < failing_write_) << "written after a failure";
    char* text = nullptr;
    apr_size_t length = 0;
    EXPECT_EQ(apr_brigade_pflatten(bb, &text, &length, pool_), APR_SUCCESS);
    sent_.append(text, length);
    apr_brigade_cleanup(bb);
    return APR_SUCCESS;
  }

  apr_status_t write(const std::string& data, bool flush = true) {
    apr_bucket_brigade* const bb = apr_brigade_create(pool_, c_.bucket_alloc);
    if (!data.empty()) {
      APR_BRIGADE_INSERT_TAIL(bb, apr_bucket_heap_create(data.data(), data.size(), nullptr, c_.bucket_alloc));
    }
    if (flush) APR_BRIGADE_INSERT_TAIL(bb, apr_bucket_flush_create(c_.bucket_alloc));
    const apr_status_t rv = connection_->write(bb);
    EXPECT_TRUE(APR_BRIGADE_EMPTY(bb)) << "the filter takes what it is given";
    return rv;
  }

  // Reads up to `limit` octets; what came is appended to `got`.
  apr_status_t read(std::string& got, apr_off_t limit = 8000) {
    apr_bucket_brigade* const bb = apr_brigade_create(pool_, c_.bucket_alloc);
    const apr_status_t rv = connection_->read(bb, AP_MODE_READBYTES, APR_NONBLOCK_READ, limit);
    char* text = nullptr;
    apr_size_t length = 0;
    EXPECT_EQ(apr_brigade_pflatten(bb, &text, &length, pool_), APR_SUCCESS);
    EXPECT_LE(length, static_cast<apr_size_t>(limit)) << "no more than was asked for";
    got.append(text, length);
    apr_brigade_destroy(bb);
    return rv;
  }

  apr_pool_t* pool_ = nullptr;
  conn_rec c_{};
  void* config_[8] = {};
  ap_filter_rec_t network_{}, client_{};
  ap_filter_t input_{}, output_{};
  Open* connection_ = nullptr;
  std::string arriving_, sent_;
  int reads_ = 0, writes_ = 0, failing_read_ = 0, failing_write_ = 0;
  apr_status_t read_error_ = APR_ECONNRESET;
};

TEST_F(FilterFaults, EachWriteThatFailsIsToldAndIsTheLast) {
  const std::string data(500'000, 'd');
  ASSERT_EQ(write(data), APR_SUCCESS);
  const int calls = writes_;
  ASSERT_GT(calls, 3) << "a large response goes in several pieces";
  for (failing_write_ = 1; failing_write_ <= calls; ++failing_write_) {
    begin(State::Open);
    EXPECT_EQ(write(data), APR_ECONNRESET) << failing_write_;
    EXPECT_EQ(writes_, failing_write_);
  }
}

TEST_F(FilterFaults, EachReadThatFailsIsToldOnceTheDataBeforeItIsRead) {
  const std::string data(6000, 'd');
  for (failing_read_ = 1; failing_read_ <= 10; ++failing_read_) {
    begin(State::Open);
    arriving_ = rs::record(rs::data_record, data.substr(0, 1500)) + rs::record(rs::data_record, data);
    std::string got;
    apr_status_t rv = APR_SUCCESS;
    for (int i = 0; i < 100 && rv == APR_SUCCESS; ++i) rv = read(got);
    EXPECT_EQ(rv, APR_ECONNRESET) << failing_read_;
    EXPECT_EQ(got, std::string(got.size(), 'd'));
    EXPECT_EQ(got.size(), connection_->protection().delivered) << "what was decrypted before is read";
  }
}

TEST_F(FilterFaults, AnEndOfTheNetworkThatNobodyAnnouncedIsNoEndOfData) {
  read_error_ = APR_EOF;
  failing_read_ = 2;
  arriving_ = rs::record(rs::data_record, "data");
  std::string got;
  apr_status_t rv = APR_SUCCESS;
  for (int i = 0; i < 5 && rv == APR_SUCCESS; ++i) rv = read(got);
  EXPECT_EQ(rv, APR_ECONNABORTED) << "cut off by somebody on the way, perhaps";
  EXPECT_EQ(got, "data");
  EXPECT_EQ(read(got), APR_ECONNABORTED);
  EXPECT_EQ(reads_, 2) << "an ended network is not asked again";
}

TEST_F(FilterFaults, AnEndThatTheClientAnnouncedIsOne) {
  arriving_ = rs::record(rs::data_record, "data") + rs::record(rs::alert_record, {"\1\0", 2});
  std::string got;
  apr_status_t rv = APR_SUCCESS;
  for (int i = 0; i < 5 && rv == APR_SUCCESS; ++i) rv = read(got);
  EXPECT_EQ(rv, APR_EOF);
  EXPECT_EQ(got, "data");
  const int before = reads_;
  EXPECT_EQ(read(got), APR_EOF);
  EXPECT_EQ(reads_, before) << "an ended network is not asked again";
}

TEST_F(FilterFaults, ReadsAreOfAtMostWhatWasAskedFor) {
  arriving_ = rs::record(rs::data_record, std::string(3000, 'd'));
  std::string got;
  for (int i = 0; i < 40 && got.size() < 3000; ++i) static_cast<void>(read(got, 100));
  EXPECT_EQ(got, std::string(3000, 'd'));
}

TEST_F(FilterFaults, WhereSealingFailsTheConnectionCloses) {
  connection_->protection().broken = true;
  EXPECT_EQ(write("data"), APR_ECONNABORTED);
  EXPECT_EQ(connection_->state(), State::Closing);
  EXPECT_EQ(sent_, "");
  EXPECT_EQ(write("", true), APR_SUCCESS) << "metadata still passes";
  EXPECT_EQ(write("more"), APR_ECONNABORTED);
}

TEST_F(FilterFaults, StatesSayWhatPasses) {
  for (const State state : {State::Closing, State::Closed}) {
    begin(state);
    EXPECT_EQ(write("data"), APR_ECONNABORTED);
    EXPECT_EQ(sent_, "");
  }
  begin(State::Plain);
  EXPECT_EQ(write("HTTP/1.1 400"), APR_SUCCESS);
  EXPECT_EQ(sent_, "HTTP/1.1 400") << "in the clear, and only there";
  begin(State::Open);
  c_.aborted = 1;
  EXPECT_EQ(write("data"), APR_ECONNABORTED);
  EXPECT_EQ(writes_, 0);
}

// As httpd calls them (conn/hooks.cpp): what throws ends the connection there.
apr_status_t filtered_write(TlsConnection* connection, apr_bucket_brigade* bb) { return connection->write(bb); }
apr_status_t lost_write(const char* /*why*/, TlsConnection* connection, apr_bucket_brigade* bb) noexcept {
  connection->lose();
  apr_brigade_cleanup(bb);
  return APR_ECONNABORTED;
}
apr_status_t filtered_read(TlsConnection* connection, apr_bucket_brigade* bb) {
  return connection->read(bb, AP_MODE_READBYTES, APR_NONBLOCK_READ, 8000);
}

TEST_F(FilterFaults, WhereMemoryRunsOutInAWriteWholeRecordsWentAndNothingFollows) {
  const std::string data(60'000, 'd');
  ASSERT_EQ(write(data), APR_SUCCESS);
  const std::string whole = sent_;
  unsigned number = 1;
  for (;; ++number) {
    begin(State::Open);
    apr_bucket_brigade* const bb = apr_brigade_create(pool_, c_.bucket_alloc);
    APR_BRIGADE_INSERT_TAIL(bb, apr_bucket_heap_create(data.data(), data.size(), nullptr, c_.bucket_alloc));
    httpd_stub::fail_allocation(number);
    const apr_status_t rv = apr::hook<filtered_write, lost_write>(connection_, bb);
    if (!httpd_stub::allocation_failed()) break;
    EXPECT_EQ(rv, APR_ECONNABORTED) << number;
    EXPECT_EQ(connection_->state(), State::Closed);
    EXPECT_EQ(sent_, whole.substr(0, sent_.size())) << "a part of what would have been sent";
    const std::size_t before = sent_.size();
    EXPECT_EQ(write("more"), APR_ECONNABORTED);
    EXPECT_EQ(sent_.size(), before);
  }
  EXPECT_GT(number, 5U) << "each record is made of memory";
}

TEST_F(FilterFaults, WhereMemoryRunsOutInAReadTheConnectionEnds) {
  const std::string data(3000, 'd');
  unsigned number = 1;
  for (;; ++number) {
    begin(State::Open);
    arriving_ = rs::record(rs::data_record, data) + rs::record(rs::data_record, data);
    apr_bucket_brigade* const bb = apr_brigade_create(pool_, c_.bucket_alloc);
    apr_status_t rv = APR_SUCCESS;
    httpd_stub::fail_allocation(number);
    for (int i = 0; i < 20 && rv == APR_SUCCESS; ++i) rv = apr::hook<filtered_read, lost_write>(connection_, bb);
    if (!httpd_stub::allocation_failed()) break;
    EXPECT_EQ(rv, APR_ECONNABORTED) << number;
    EXPECT_EQ(connection_->state(), State::Closed);
    std::string got;
    EXPECT_NE(read(got), APR_SUCCESS);
    EXPECT_EQ(got, "") << "nothing is read after it";
  }
  EXPECT_GT(number, 5U);
}

TEST_F(FilterFaults, ABrokenRecordEndsTheInput) {
  arriving_ = rs::record(99, "?") + rs::record(rs::data_record, "never");
  std::string got;
  apr_status_t rv = APR_SUCCESS;
  for (int i = 0; i < 5 && rv == APR_SUCCESS; ++i) rv = read(got);
  EXPECT_NE(rv, APR_SUCCESS);
  EXPECT_EQ(got, "");
  EXPECT_EQ(connection_->state(), State::Closed);
}

}  // namespace
}  // namespace tls::conn
