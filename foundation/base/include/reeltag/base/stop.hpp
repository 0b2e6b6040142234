// Stops a run on SIGINT and SIGTERM: long loops poll a stop token, save their state and exit with 130 or 143.
// Process-wide, because signals are. Any thread. A second signal of the same kind ends the process at once.
//
//   stop::install();                                   // first thing in main, before other threads
//   while (!stop::token().stop_requested()) step();
//   if (stop::signal_number() != 0) return stop::exit_status();
#pragma once

#include <stop_token>

namespace reeltag::stop {

// Installs the handlers; further calls do nothing. Throws Exception(internal) if the system refuses.
void install();

// Its stop is requested by a signal or by request(). Valid before install() too.
std::stop_token token();

// Behaves as if this signal had arrived; for platforms that announce a shutdown in another way, and for tests.
void request(int signal_number);

// The first signal that arrived; 0 if none did.
int signal_number() noexcept;

// 128 + the signal's number (130, 143); 0 without a signal.
int exit_status() noexcept;

// Throws Exception(interrupted) if a stop was requested.
void throw_if_requested();

}  // namespace reeltag::stop
