#include "pipe/process_name.h"

#include <gtest/gtest.h>

#include <string>

#include "pipe/other_process.h"

namespace smtf {
namespace {

std::string Echo(const std::string& line) { return line; }

// As the other process says it.
ProcessName NameOf(OtherProcess* process) {
  ProcessName name = ThisProcess();
  name.pid = process->pid();
  name.start = std::stoull(process->Ask("start"));
  return name;
}

std::string Start(const std::string&) { return std::to_string(ThisProcess().start); }

TEST(ProcessNameTest, ThisOneLives) {
  const ProcessName self = ThisProcess();
  EXPECT_EQ(self.pid, getpid());
  EXPECT_TRUE(self == ThisProcess());
  EXPECT_TRUE(Lives(self));
}

TEST(ProcessNameTest, AnotherLivesUntilItIsKilledWhetherOrNotItWasReaped) {
  OtherProcess other(Start);
  const ProcessName name = NameOf(&other);
  EXPECT_FALSE(name == ThisProcess());
  EXPECT_TRUE(Lives(name));
  other.Kill();
  EXPECT_FALSE(Lives(name));
  other.Reap();
  EXPECT_FALSE(Lives(name));
}

TEST(ProcessNameTest, TheNextOneOfThatNumberIsAnotherAndSoIsOneOfAnotherNamespace) {
  OtherProcess other(Echo);
  ProcessName later = ThisProcess();
  ++later.start;
  EXPECT_FALSE(Lives(later));
  ProcessName elsewhere = ThisProcess();
  ++elsewhere.pid_namespace;
  EXPECT_FALSE(Lives(elsewhere));
}

}  // namespace
}  // namespace smtf
