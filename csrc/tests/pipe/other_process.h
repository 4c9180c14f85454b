// Another process, for tests of what processes have to do with each other.
#ifndef SMTF_TESTS_PIPE_OTHER_PROCESS_H_
#define SMTF_TESTS_PIPE_OTHER_PROCESS_H_

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <stdexcept>
#include <string>
#include <utility>

namespace smtf {

// A fork that answers lines with lines, until it is told to end. Make it before any thread.
class OtherProcess {
 public:
  // `answer` runs there and must not throw.
  explicit OtherProcess(const std::function<std::string(const std::string&)>& answer) {
    int to[2], from[2];
    if (pipe(to) != 0 || pipe(from) != 0 || (pid_ = fork()) < 0) {
      throw std::runtime_error("cannot fork");
    }
    if (pid_ == 0) {
      close(to[1]);
      close(from[0]);
      for (std::string line; !(line = Line(to[0])).empty();) {
        if (!Say(from[1], answer(line))) break;
      }
      _exit(0);
    }
    close(to[0]);
    close(from[1]);
    to_ = to[1];
    from_ = from[0];
  }
  ~OtherProcess() {
    Kill();
    if (!reaped_) waitpid(pid_, nullptr, 0);
    close(to_);
    close(from_);
  }
  OtherProcess(const OtherProcess&) = delete;
  OtherProcess& operator=(const OtherProcess&) = delete;

  pid_t pid() const { return pid_; }

  std::string Ask(const std::string& line) {
    if (!Say(to_, line)) throw std::runtime_error("the other process is gone");
    return Line(from_);
  }

  // It is a zombie when this returns.
  void Kill() {
    if (std::exchange(killed_, true)) return;
    kill(pid_, SIGKILL);
    siginfo_t info;
    waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT);
  }
  void Reap() {
    Kill();
    if (!std::exchange(reaped_, true)) waitpid(pid_, nullptr, 0);
  }

 private:
  static bool Say(int fd, std::string line) {
    line += '\n';
    return write(fd, line.data(), line.size()) == static_cast<ssize_t>(line.size());
  }
  // Empty at the end.
  static std::string Line(int fd) {
    std::string line;
    for (char byte; read(fd, &byte, 1) == 1 && byte != '\n';) line += byte;
    return line;
  }

  pid_t pid_ = 0;
  int to_ = -1;
  int from_ = -1;
  bool killed_ = false;
  bool reaped_ = false;
};

}  // namespace smtf

#endif  // SMTF_TESTS_PIPE_OTHER_PROCESS_H_
