#include "app/stop_signals.h"

#include <atomic>
#include <chrono>
#include <csignal>
#include <thread>

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
  for (const int number : kSignals) {
    ::sigaction(number, nullptr, &before_[number]);
    if (before_[number].sa_handler != SIG_IGN) ::sigaction(number, &action, nullptr);
  }
}

StopSignals::~StopSignals() {
  struct sigaction ignore = {};
  ignore.sa_handler = SIG_IGN;
  for (const auto& [number, action] : before_)
    ::sigaction(number, count() > 0 ? &ignore : &action, nullptr);
}

int StopSignals::count() const { return signal_count; }
int StopSignals::first() const { return first_signal; }

void StopSignals::wait(double seconds) const {
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + std::chrono::duration<double>(seconds);
  while (count() == 0 && Clock::now() < end)
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
}

}  // namespace qbitopt::app
