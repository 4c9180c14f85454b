#include "s3/s3_stat.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "errors.h"
#include "s3/s3_connection.h"

namespace smtf {
namespace {

// How late a stop flag is seen.
constexpr std::chrono::milliseconds kStopPoll(50);

class StatJob {
 public:
  StatJob(S3Bucket* bucket, const std::vector<std::string>& names, const RetryLimits& retry)
      : bucket_(*bucket), names_(names), retry_(retry), end_(names.size()), stats_(names.size()) {}

  std::vector<ObjectStat> Run(size_t connections, const std::atomic<bool>& stop);

 private:
  void Work(S3Connection* connection);
  ObjectStat Stat(S3Connection* connection, const std::string& name);
  void Fail(size_t index, const Error& error);
  void WaitForWorkers(const std::atomic<bool>& stop);

  S3Bucket& bucket_;
  const std::vector<std::string>& names_;
  const RetryLimits retry_;
  std::vector<std::unique_ptr<S3Connection>> connections_;
  std::atomic<bool> stop_{false};
  std::atomic<size_t> next_{0};
  std::atomic<size_t> end_;  // names behind the first one with an error do not matter
  std::vector<ObjectStat> stats_;

  std::mutex mutex_;
  std::condition_variable done_;
  size_t working_ = 0;
  std::optional<Error> error_;  // of name end_
};

std::vector<ObjectStat> StatJob::Run(size_t connections, const std::atomic<bool>& stop) {
  for (size_t i = 0; i < connections; ++i) {
    connections_.push_back(std::make_unique<S3Connection>(&bucket_, FetchLimits()));
  }
  working_ = connections;
  std::vector<std::thread> workers;
  for (const auto& connection : connections_) {
    workers.emplace_back([this, &connection] { Work(connection.get()); });
  }
  WaitForWorkers(stop);
  for (std::thread& worker : workers) worker.join();
  if (error_) throw *error_;
  return std::move(stats_);
}

void StatJob::WaitForWorkers(const std::atomic<bool>& stop) {
  std::unique_lock<std::mutex> lock(mutex_);
  while (!done_.wait_for(lock, kStopPoll, [this] { return working_ == 0; })) {
    if (!stop) continue;
    stop_ = true;
    for (const auto& connection : connections_) connection->Nudge();
  }
}

// Names are taken in order, so when one fails, those before it are done or in some worker's hands.
void StatJob::Work(S3Connection* connection) {
  for (;;) {
    const size_t index = next_++;
    if (index >= end_) break;
    try {
      stats_[index] = Stat(connection, names_[index]);
    } catch (const Error& error) {
      Fail(index, error);
    }
  }
  std::lock_guard<std::mutex> lock(mutex_);
  if (--working_ == 0) done_.notify_all();
}

ObjectStat StatJob::Stat(S3Connection* connection, const std::string& name) {
  if (name.empty()) return {};  // no object has an empty key
  const std::string doing = "asking for the size of " + bucket_.Describe(name);
  S3Request request;
  request.method = S3Request::Method::kHead;
  request.key = name;
  try {
    const S3Answer answer = connection->Ask(request, doing, retry_, stop_);
    const auto size = answer.head.content_length();
    if (!size) {
      throw Error(ErrorKind::kDataLoss,
                  doing + ": an answer without a Content-Length; check that the endpoint is S3's");
    }
    return {static_cast<int64_t>(*size), std::string(answer.head.Find("etag"))};
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kNotFound) throw;
    return {};
  }
}

void StatJob::Fail(size_t index, const Error& error) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (index >= end_) return;
  end_ = index;
  error_ = error;
}

}  // namespace

std::vector<ObjectStat> StatObjects(S3Bucket* bucket, const std::vector<std::string>& names,
                                    int connections, const RetryLimits& retry,
                                    const std::atomic<bool>& stop) {
  if (names.empty()) return {};
  const size_t wanted = static_cast<size_t>(std::max(1, connections));
  return StatJob(bucket, names, retry).Run(std::min(wanted, names.size()), stop);
}

}  // namespace smtf
