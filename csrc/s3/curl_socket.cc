#include "s3/curl_socket.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>

namespace smtf {
namespace {

// The largest that libcurl takes. It reads no more at a time, although into no buffer of its own.
constexpr long kReceiveBytes = 512 * 1024;
// A large read is not worth waking up for before so much has come. Measured over loopback with 8
// connections: 7 % less CPU time than for whatever comes; 256 KiB take some more off, but then
// objects of 256 KiB come a tenth slower, because the server waits meanwhile.
constexpr size_t kLowWater = 64 * 1024;
constexpr int kLongestPollMs = 1000;
constexpr double kLongestWait = 1e9;

}  // namespace

CurlSocket::CurlSocket(double stall_seconds)
    : stall_(Duration(stall_seconds)),
      multi_(curl_multi_init()),
      easy_(curl_easy_init()),
      wakeup_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (wakeup_ < 0) throw SystemError("creating an eventfd", errno);
  if (!multi_ || !easy_) {
    close(wakeup_);
    throw Error(ErrorKind::kInternal, "libcurl has no memory for a handle");
  }
  Set(CURLOPT_ERRORBUFFER, message_);
  Set(CURLOPT_NOSIGNAL, 1L);
  // AES with 128 bits is what S3 itself chooses, and 5 % cheaper here per byte than the 256 that
  // OpenSSL asks for first. Other TLS libraries may not know the option.
  curl_easy_setopt(easy_.get(), CURLOPT_TLS13_CIPHERS,
                   "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256");
  Set(CURLOPT_CONNECT_ONLY, 1L);
  Set(CURLOPT_BUFFERSIZE, kReceiveBytes);
  // A plain request to a proxy would look different.
  Set(CURLOPT_HTTPPROXYTUNNEL, 1L);
#if LIBCURL_VERSION_NUM >= 0x075700
  // A stop does not wait for a name server: the resolving thread is left to end by itself.
  Set(CURLOPT_QUICK_EXIT, 1L);
#endif
}

CurlSocket::~CurlSocket() {
  Close();
  close(wakeup_);
}

void CurlSocket::Check(CURLcode code, CURLoption option) {
  if (code == CURLE_OK) return;
  throw Error(ErrorKind::kInternal,
              "libcurl refuses option " + std::to_string(option) + ": " + curl_easy_strerror(code));
}

CurlSocket::Clock::duration CurlSocket::Duration(double seconds) {
  return std::chrono::duration_cast<Clock::duration>(
      std::chrono::duration<double>(std::min(seconds, kLongestWait)));
}

const char* CurlSocket::message() const {
  return message_[0] ? message_ : curl_easy_strerror(code_);
}

CurlSocket::End CurlSocket::Break(CURLcode code) {
  code_ = code;
  return End::kBroken;
}

CurlSocket::End CurlSocket::Connect(const std::string& url, const std::atomic<bool>& stop) {
  Close();
  message_[0] = '\0';
  Set(CURLOPT_URL, url.c_str());
  encrypted_ = url.compare(0, 6, "https:") == 0;
  drained_ = false;
  low_water_ = 1;
  curl_multi_add_handle(multi_.get(), easy_.get());
  const End end = FinishConnecting(stop);
  if (end != End::kDone) Close();
  return end;
}

CurlSocket::End CurlSocket::FinishConnecting(const std::atomic<bool>& stop) {
  const Clock::time_point stalled = Clock::now() + stall_;
  int running = 1;
  for (;;) {
    const CURLMcode code = curl_multi_perform(multi_.get(), &running);
    if (code != CURLM_OK) throw Error(ErrorKind::kInternal, curl_multi_strerror(code));
    if (running == 0) break;
    if (stop) return End::kStopped;
    if (Clock::now() >= stalled) return End::kStalled;
    curl_waitfd wakeup{wakeup_, CURL_WAIT_POLLIN, 0};
    curl_multi_poll(multi_.get(), &wakeup, 1, kLongestPollMs, nullptr);
    DrainWakeup();
  }
  int queued = 0;
  CURLcode code = CURLE_OK;
  while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &queued)) {
    if (message->msg == CURLMSG_DONE) code = message->data.result;
  }
  if (code == CURLE_OK) code = curl_easy_getinfo(easy_.get(), CURLINFO_ACTIVESOCKET, &socket_);
  if (code == CURLE_OK && socket_ == CURL_SOCKET_BAD) code = CURLE_COULDNT_CONNECT;
  return code == CURLE_OK ? End::kDone : Break(code);
}

// libcurl closes a connection that was made so with the handle's transfer.
void CurlSocket::Close() {
  curl_multi_remove_handle(multi_.get(), easy_.get());
  socket_ = CURL_SOCKET_BAD;
}

CurlSocket::End CurlSocket::Write(std::string_view data, const std::atomic<bool>& stop) {
  while (!data.empty()) {
    size_t count = 0;
    const CURLcode code = curl_easy_send(easy_.get(), data.data(), data.size(), &count);
    if (code != CURLE_OK && code != CURLE_AGAIN) return Break(code);
    data.remove_prefix(count);
    if (count > 0) continue;
    const End end = WaitToWrite(stop);
    if (end != End::kDone) return end;
  }
  drained_ = !encrypted_;  // an answer is not here yet
  return End::kDone;
}

CurlSocket::End CurlSocket::Read(char* dst, size_t size, size_t worth,
                                 const std::atomic<bool>& stop, size_t* count) {
  // There is hardly anything to read after a short read, and a poll is what comes next anyway.
  if (!drained_ && Receive(dst, size, count)) return Received(*count);
  SetLowWater(encrypted_ ? 1 : std::min({size, worth, kLowWater}));
  const Clock::time_point stalled = Clock::now() + stall_;
  for (;;) {
    if (stop) return End::kStopped;
    Poll(socket_, POLLIN, stalled);
    // Also after a timeout: something below the low-water mark may have come.
    if (Receive(dst, size, count)) return Received(*count);
    if (Clock::now() >= stalled) return End::kStalled;
  }
}

// False for nothing yet.
bool CurlSocket::Receive(char* dst, size_t size, size_t* count) {
  *count = 0;
  code_ = curl_easy_recv(easy_.get(), dst, size, count);
  // Bytes that TLS has decrypted already are not seen by poll.
  drained_ = *count < std::min<size_t>(size, kReceiveBytes) && !encrypted_;
  return code_ != CURLE_AGAIN;
}

CurlSocket::End CurlSocket::Received(size_t count) const {
  if (code_ != CURLE_OK) return End::kBroken;
  return count > 0 ? End::kDone : End::kClosed;
}

void CurlSocket::SetLowWater(size_t bytes) {
  if (bytes == low_water_) return;
  low_water_ = bytes;
  const int value = static_cast<int>(bytes);
  setsockopt(socket_, SOL_SOCKET, SO_RCVLOWAT, &value, sizeof value);
}

CurlSocket::End CurlSocket::WaitToWrite(const std::atomic<bool>& stop) {
  const Clock::time_point stalled = Clock::now() + stall_;
  for (;;) {
    if (stop) return End::kStopped;
    if (Poll(socket_, POLLOUT, stalled)) return End::kDone;
    if (Clock::now() >= stalled) return End::kStalled;
  }
}

bool CurlSocket::Poll(curl_socket_t socket, short events, Clock::time_point until) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
  const auto wait = std::clamp<decltype(left)>(left, 0, kLongestPollMs);
  // poll ignores a negative descriptor, which is what no socket is.
  std::array<pollfd, 2> polled = {{{socket, events, 0}, {wakeup_, POLLIN, 0}}};
  if (poll(polled.data(), polled.size(), static_cast<int>(wait)) <= 0) return false;
  if (polled[1].revents != 0) DrainWakeup();
  return polled[0].revents != 0;
}

void CurlSocket::DrainWakeup() {
  uint64_t count = 0;
  while (read(wakeup_, &count, sizeof(count)) < 0 && errno == EINTR) {
  }
}

void CurlSocket::Sleep(double seconds, const std::atomic<bool>& stop) {
  const Clock::time_point until = Clock::now() + Duration(seconds);
  while (!stop && Clock::now() < until) Poll(CURL_SOCKET_BAD, 0, until);
}

void CurlSocket::Wake() noexcept {
  const uint64_t one = 1;
  // It is full only where it is readable already.
  while (write(wakeup_, &one, sizeof one) < 0 && errno == EINTR) {
  }
}

}  // namespace smtf
