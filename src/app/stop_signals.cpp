#include "app/stop_signals.h"

#include <atomic>
#include <csignal>

namespace qbitopt::app {
namespace {

std::atomic<int> signal_count{0};
std::atomic<int> first_signal{0};
constexpr int kSignals[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1};

void handle(int number) {
  if (number == SIGUSR1 && signal_count > 0) return;
  if (signal_count++ == 0) first_signal = number;
}

}  // namespace

StopSignals::StopSignals() {
  signal_count = 0;
  first_signal = 0;
  struct sigaction action = {};
  action.sa_handler = handle;
  for (const int number : kSignals) ::sigaction(number, &action, nullptr);
}

StopSignals::~StopSignals() {
  for (const int number : kSignals) std::signal(number, SIG_DFL);
}

int StopSignals::count() const { return signal_count; }
int StopSignals::first() const { return first_signal; }

}  // namespace qbitopt::app
