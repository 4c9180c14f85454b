#include "s3/curl_share.h"

#include <curl/curl.h>

#include <array>
#include <mutex>

#include "errors.h"

namespace smtf {

struct CurlShare::State {
  static void Lock(CURL*, curl_lock_data data, curl_lock_access, void* self) {
    static_cast<State*>(self)->mutexes[data].lock();
  }
  static void Unlock(CURL*, curl_lock_data data, void* self) {
    static_cast<State*>(self)->mutexes[data].unlock();
  }

  CURLSH* handle = nullptr;
  // One for each kind of data; the share itself is one of them.
  std::array<std::mutex, CURL_LOCK_DATA_LAST> mutexes;
};

CurlShare::CurlShare() : state_(std::make_unique<State>()) {
  static const CURLcode initialized = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (initialized == CURLE_OK) state_->handle = curl_share_init();
  CURLSH* share = state_->handle;
  if (!share || curl_share_setopt(share, CURLSHOPT_LOCKFUNC, &State::Lock) != CURLSHE_OK ||
      curl_share_setopt(share, CURLSHOPT_UNLOCKFUNC, &State::Unlock) != CURLSHE_OK ||
      curl_share_setopt(share, CURLSHOPT_USERDATA, state_.get()) != CURLSHE_OK ||
      curl_share_setopt(share, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS) != CURLSHE_OK ||
      curl_share_setopt(share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION) != CURLSHE_OK) {
    curl_share_cleanup(share);
    throw Error(ErrorKind::kInternal, "libcurl cannot be initialized");
  }
}

CurlShare::~CurlShare() { curl_share_cleanup(state_->handle); }

void* CurlShare::handle() const { return state_->handle; }

}  // namespace smtf
