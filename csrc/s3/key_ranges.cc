#include "s3/key_ranges.h"

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>

#include "errors.h"

namespace smtf {
namespace {

// By how much the next pieces may be longer than the last one.
constexpr size_t kFastestGrowth = 4;

std::string_view LastKey(const S3ListPage& page) { return page[page.size() - 1].name; }

}  // namespace

KeyRanges::KeyRanges(std::shared_ptr<const S3ListPage> first) {
  auto range = std::make_shared<Range>();
  range->cursor = LastKey(*first);
  range->token = first->next_token();
  range->last_page = std::move(first);
  range->cut_at = 0;
  ranges_.push_back(std::move(range));
}

bool KeyRanges::HeldBack(const Range& range, size_t pages_up_to) const {
  if (&range == ranges_.front().get()) return false;
  return pages_up_to >= kNearPages || waiting_ >= kMostPages;
}

std::optional<KeyRanges::Task> KeyRanges::Next() {
  size_t pages = 0;
  for (auto at = ranges_.begin(); at != ranges_.end(); ++at) {
    const std::shared_ptr<Range> range = *at;
    if (range->error) break;
    pages += range->ready.size() + (range->busy ? 1 : 0);
    if (range->busy || range->complete) continue;
    if (HeldBack(*range, pages)) break;
    if (!range->cuts.empty()) SplitOff(at);
    range->busy = true;
    return Task{range, range->cursor, range->token};
  }
  return std::nullopt;
}

// The first pieces go to the range itself, the others to a new one behind it.
void KeyRanges::SplitOff(Iterator at) {
  Range& range = **at;
  const size_t count = std::min(cuts_per_piece_, range.cuts.size());
  const auto cut = range.cuts.begin() + static_cast<std::ptrdiff_t>(count - 1);
  auto rest = std::make_shared<Range>();
  rest->cursor = *cut;
  rest->end = std::move(range.end);
  rest->cuts.assign(std::make_move_iterator(cut + 1), std::make_move_iterator(range.cuts.end()));
  range.end = *cut;
  range.cuts.clear();
  range.cuts_taken = count;
  ranges_.insert(std::next(at), std::move(rest));
}

void KeyRanges::Add(const Task& task, S3ListPage answer, const std::string& doing) {
  Range& range = *task.range;
  if (!answer.Ascending() || (answer.size() > 0 && answer[0].name <= range.cursor)) {
    throw Error(ErrorKind::kUnavailable,
                doing +
                    ": the keys do not come in the order of their bytes; list with one "
                    "connection");
  }
  if (answer.size() == 0 && answer.truncated() && answer.next_token() == range.token) {
    throw Error(ErrorKind::kUnavailable,
                doing +
                    ": the endpoint does not answer as S3 does: a page that is not the last "
                    "one does not say how to go on; check the endpoint's URL");
  }
  const auto page = std::make_shared<const S3ListPage>(std::move(answer));
  range.busy = false;
  range.last_page = page;
  ++range.pages;
  for (auto at = Find(task.range); at != ranges_.end(); ++at) {
    const size_t end = Receive(at->get(), page);
    if (end == page->size() && page->truncated()) break;
  }
  if (range.complete) {
    AdaptPieces(range);
  } else {
    range.token = page->next_token();
  }
}

// Takes what belongs to the range, which the page reaches or passes. Returns where that ends.
size_t KeyRanges::Receive(Range* range, const std::shared_ptr<const S3ListPage>& page) {
  const size_t end = range->end ? page->CountUpTo(*range->end) : page->size();
  // One that is being listed gets these keys by itself.
  if (range->busy || range->complete || range->error) return end;
  const size_t begin = page->CountUpTo(range->cursor);
  if (begin < end) {
    range->ready.push_back({page, begin, end});
    ++waiting_;
    range->cursor = (*page)[end - 1].name;
    range->token.clear();
    while (!range->cuts.empty() && range->cuts.front() <= range->cursor) range->cuts.pop_front();
  }
  range->complete = end < page->size() || !page->truncated() || range->cursor == range->end;
  return end;
}

// Pieces of few pages waste much of their last one; those of many keep what is behind them waiting.
// Not step by step: several pieces of one size are under way at the same time.
void KeyRanges::AdaptPieces(const Range& range) {
  if (range.cuts_taken == 0) return;
  const size_t fitting = range.cuts_taken * kPiecePages / range.pages;
  cuts_per_piece_ = std::clamp<size_t>(fitting, 1, range.cuts_taken * kFastestGrowth);
}

void KeyRanges::Fail(const Task& task, std::exception_ptr error) {
  task.range->busy = false;
  task.range->error = std::move(error);
}

std::optional<KeyRanges::Cut> KeyRanges::NextCut() {
  size_t pages = 0;
  for (const std::shared_ptr<Range>& range : ranges_) {
    if (range->error) break;
    pages += range->ready.size() + (range->busy ? 1 : 0);
    // Where its pieces would be held back there is no hurry to have them.
    if (HeldBack(*range, pages)) break;
    if (!range->busy || range->cutting || range->pages < range->cut_at || !range->last_page) {
      continue;
    }
    range->cutting = true;
    return Cut{range, range->cursor, range->end, range->last_page};
  }
  return std::nullopt;
}

void KeyRanges::Apply(const Cut& cut, std::vector<std::string> cuts) {
  Range& range = *cut.range;
  range.cutting = false;
  if (range.complete || range.error) return;
  for (std::string& key : cuts) {
    const bool inside = key > range.cursor && (!range.end || key < *range.end);
    const bool ascending = range.cuts.empty() || key > range.cuts.back();
    if (inside && ascending) range.cuts.push_back(std::move(key));
  }
  if (range.cuts.empty()) {
    // Trying again costs requests: each time after as many pages as there were.
    range.cut_at = 2 * range.pages + kLongPages;
  } else {
    range.pages = 0;
    range.cut_at = kLongPages;
    SplitOff(Find(cut.range));
  }
}

std::optional<KeyRanges::Slice> KeyRanges::Take() {
  while (!ranges_.empty()) {
    Range& front = *ranges_.front();
    if (!front.ready.empty()) {
      Slice slice = std::move(front.ready.front());
      front.ready.pop_front();
      --waiting_;
      return slice;
    }
    if (front.error) std::rethrow_exception(front.error);
    if (!front.complete) return std::nullopt;
    ranges_.pop_front();
  }
  return std::nullopt;
}

KeyRanges::Iterator KeyRanges::Find(const std::shared_ptr<Range>& range) {
  return std::find(ranges_.begin(), ranges_.end(), range);
}

}  // namespace smtf
