#include "pipe/epoch_state.h"

#include <optional>
#include <sstream>

#include "errors.h"
#include "pipe/small_file.h"

namespace smtf {
namespace {

std::string StatePath(const std::string& state_dir, const std::string& channel) {
  return state_dir + "/." + channel + "-pipe_mode-state";
}

}  // namespace

EpochState LoadEpochState(const std::string& state_dir, const std::string& channel) {
  const std::string path = StatePath(state_dir, channel);
  const std::optional<std::string> text = ReadSmallFile(path);
  EpochState state;
  if (!text) return state;
  std::istringstream lines(*text);
  if (!(lines >> state.next)) {
    throw Error(ErrorKind::kDataLoss, path + " should begin with the number of the next epoch; " +
                                          "remove it to begin at epoch 0");
  }
  lines >> state.session;
  return state;
}

void SaveEpochState(const std::string& state_dir, const std::string& channel,
                    const EpochState& state) {
  UpdateSmallFile(StatePath(state_dir, channel),
                  std::to_string(state.next) + "\n" + state.session + "\n");
}

}  // namespace smtf
