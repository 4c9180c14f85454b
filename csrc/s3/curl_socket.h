// A connection that libcurl makes and this program reads and writes.
#ifndef SMTF_S3_CURL_SOCKET_H_
#define SMTF_S3_CURL_SOCKET_H_

#include <curl/curl.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "errors.h"

namespace smtf {

// libcurl finds the address, connects, goes through proxies and does the TLS. The bytes are read
// straight to where they are wanted: HTTP as libcurl speaks it would receive them into a buffer of
// its own first, which costs a fifth to a quarter more CPU time. Every wait can be interrupted.
//
// One thread at a time, but for Wake.
class CurlSocket {
 public:
  enum class End {
    kDone,
    kClosed,   // by the other side; nothing was read
    kBroken,   // see message()
    kStalled,  // nothing happened for the stall limit
    kStopped,  // the stop flag is set
  };

  explicit CurlSocket(double stall_seconds);
  ~CurlSocket();
  CurlSocket(const CurlSocket&) = delete;
  CurlSocket& operator=(const CurlSocket&) = delete;

  // For every connection from now on.
  template <typename Value>
  void Set(CURLoption option, Value value) {
    Check(curl_easy_setopt(easy_.get(), option, value), option);
  }

  // Connects to a URL's host. Closes what was open.
  End Connect(const std::string& url, const std::atomic<bool>& stop);
  bool connected() const { return socket_ != CURL_SOCKET_BAD; }
  void Close();

  // All of it.
  End Write(std::string_view data, const std::atomic<bool>& stop);
  // At least a byte and at most `size`; how many is put in `*count`. May wait a second for up to
  // `worth` bytes at once, which must be no more than will come: fewer wakeups cost less.
  End Read(char* dst, size_t size, size_t worth, const std::atomic<bool>& stop, size_t* count);

  // Of the last kBroken.
  CURLcode code() const { return code_; }
  const char* message() const;

  // Waits, unless `stop` is set; Wake ends it early.
  void Sleep(double seconds, const std::atomic<bool>& stop);
  // Makes every wait look at its stop flag. Any thread, without blocking.
  void Wake() noexcept;

 private:
  using Clock = std::chrono::steady_clock;

  struct CloseMulti {
    void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
  };
  struct CloseEasy {
    void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
  };

  static void Check(CURLcode code, CURLoption option);
  static Clock::duration Duration(double seconds);
  End FinishConnecting(const std::atomic<bool>& stop);
  End Break(CURLcode code);
  bool Receive(char* dst, size_t size, size_t* count);
  End Received(size_t count) const;
  void SetLowWater(size_t bytes);
  End WaitToWrite(const std::atomic<bool>& stop);
  // Whether the socket is ready, or broken.
  bool Poll(curl_socket_t socket, short events, Clock::time_point until);
  void DrainWakeup();

  const Clock::duration stall_;
  std::unique_ptr<CURLM, CloseMulti> multi_;
  std::unique_ptr<CURL, CloseEasy> easy_;
  int wakeup_;  // an eventfd
  curl_socket_t socket_ = CURL_SOCKET_BAD;
  bool encrypted_ = false;
  bool drained_ = false;  // the last read took all that there was
  size_t low_water_ = 1;  // SO_RCVLOWAT
  CURLcode code_ = CURLE_OK;
  char message_[CURL_ERROR_SIZE] = {};
};

}  // namespace smtf

#endif  // SMTF_S3_CURL_SOCKET_H_
