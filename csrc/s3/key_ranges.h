// How a listing is divided among requests that are under way at the same time.
#ifndef SMTF_S3_KEY_RANGES_H_
#define SMTF_S3_KEY_RANGES_H_

#include <cstddef>
#include <deque>
#include <exception>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "s3/s3_list_page.h"

namespace smtf {

// The space of keys behind the listing's first page, as ranges that touch each other: each begins
// behind a key and ends with one, the last one nowhere. A range is listed page by page; what a page
// holds beyond its range goes to the ranges behind it, or is dropped and listed again by those that
// are being listed themselves. So ranges may be cut anywhere, at strings that are no keys and in
// places where there are none: a bad cut costs a request and never a key.
//
// Pages leave in the order of the keys. What is listed ahead of its turn is bounded: `kNearPages`
// are taken from the front on, and further ones, taken before a range in front of them was cut, at
// most `kMostPages` in all. The first range is never held back, so there is always progress.
//
// Not thread-safe: the listing has the lock, and gives it up while a request is under way.
class KeyRanges {
 private:
  struct Range;

 public:
  static constexpr size_t kNearPages = 64;
  static constexpr size_t kMostPages = 192;
  // What the pieces of a range that is cut are meant to have: a piece's last page is fetched for
  // half of its keys on average.
  static constexpr size_t kPiecePages = 6;

  // A page to be asked for, of the range with the same name.
  struct Task {
    std::shared_ptr<Range> range;
    std::string start_after;
    std::string token;
  };
  // A range that is long: where could it be cut?
  struct Cut {
    std::shared_ptr<Range> range;
    std::string begin;                       // cuts up to here are of no use
    std::optional<std::string> end;          // nor are those behind it
    std::shared_ptr<const S3ListPage> page;  // the range's last one
  };
  // Keys [begin, end) of a page.
  struct Slice {
    std::shared_ptr<const S3ListPage> page;
    size_t begin = 0;
    size_t end = 0;
  };

  // `first` is the listing's first page: ascending, truncated and not empty.
  explicit KeyRanges(std::shared_ptr<const S3ListPage> first);

  // What a free connection should ask for; nothing while everything is being asked for, or enough
  // has been listed ahead. Ends with Add or Fail.
  std::optional<Task> Next();
  // The task's page. An Error, which begins with `doing`, for one that cannot follow; then the task
  // has not ended.
  void Add(const Task& task, S3ListPage page, const std::string& doing);
  // The range's pages so far leave, then nothing more.
  void Fail(const Task& task, std::exception_ptr error);

  // The range that it helps most to cut, when Next has nothing. Ends with Apply.
  std::optional<Cut> NextCut();
  // `cuts` are ascending; empty if there are none.
  void Apply(const Cut& cut, std::vector<std::string> cuts);

  // The next keys in order; nothing while they have not come, or when done(). Throws what Fail was
  // given, once everything in front of it has left.
  std::optional<Slice> Take();
  bool done() const { return ranges_.empty(); }

 private:
  // A range of so many pages is worth cutting.
  static constexpr size_t kLongPages = kPiecePages + 2;

  using Iterator = std::list<std::shared_ptr<Range>>::iterator;

  struct Range {
    std::string cursor;              // up to here everything has been listed
    std::optional<std::string> end;  // its last possible key; none: the listing's end
    std::string token;               // goes on at the cursor; empty: start_after does
    std::deque<std::string> cuts;    // where it may be cut: ascending, between cursor and end
    std::deque<Slice> ready;         // waiting to be taken
    std::shared_ptr<const S3ListPage> last_page;
    size_t pages = 0;            // asked for since it was cut
    size_t cut_at = kLongPages;  // when it has so many
    size_t cuts_taken = 0;       // how many of the known cuts it reaches over; 0: all
    bool busy = false;           // a page is being asked for
    bool cutting = false;
    bool complete = false;
    std::exception_ptr error;
  };

  bool HeldBack(const Range& range, size_t pages_up_to) const;
  Iterator Find(const std::shared_ptr<Range>& range);
  void SplitOff(Iterator at);
  size_t Receive(Range* range, const std::shared_ptr<const S3ListPage>& page);
  void AdaptPieces(const Range& range);

  std::list<std::shared_ptr<Range>> ranges_;  // those that have left are gone
  size_t waiting_ = 0;                        // slices in all ranges
  size_t cuts_per_piece_ = 1;
};

}  // namespace smtf

#endif  // SMTF_S3_KEY_RANGES_H_
