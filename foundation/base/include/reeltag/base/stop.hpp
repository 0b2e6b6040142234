// Stopping on SIGINT and SIGTERM: long runs look at a stop token, save their state and end with 130 or 143.
// Process-wide, because signals are. Any thread. A second signal of the same kind ends the process at once.
//
//   stop::install();                                   // first thing in main, before other threads
//   while (!stop::token().stop_requested()) step();
//   if (stop::signal_number() != 0) return stop::exit_status();
#pragma once

#include <stop_token>

namespace reeltag::stop {

// Installs the handlers, once; more calls do nothing. Throws Exception(internal) when the system refuses.
void install();

// Stops when a signal came or request() was called. Valid before install() too.
std::stop_token token();

// Stops as if this signal had come; for platforms that announce an end in another way, and for tests.
void request(int signal_number);

// The first signal; 0 when there was none.
int signal_number() noexcept;

// 128 + the signal's number (130, 143); 0 when there was none.
int exit_status() noexcept;

// Throws Exception(interrupted) when stopping was asked for.
void throw_if_requested();

}  // namespace reeltag::stop
