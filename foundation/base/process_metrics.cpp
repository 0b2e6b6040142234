// The kernel's figures about this process, named as in Prometheus' own client libraries.
#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "reeltag/base/metrics.hpp"

namespace reeltag::metrics {
namespace {

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

// The numbers of /proc/self/stat from the third field on; the second is a name in brackets, with any characters.
std::vector<double> stat_numbers() {
  std::ifstream in("/proc/self/stat");
  std::string text;
  std::getline(in, text);
  std::istringstream rest(text.substr(std::min(text.rfind(')') + 3, text.size())));
  std::vector<double> out;
  for (double value = 0; rest >> value;) out.push_back(value);
  return out;
}

// The time at which the machine booted, in seconds since 1970.
double boot_time() {
  std::ifstream in("/proc/stat");
  double value = 0;
  for (std::string word; in >> word;)
    if (word == "btime" && in >> value) return value;
  return 0;
}

void refresh_memory(Gauge& resident, Gauge& virtual_memory) {
  std::ifstream in("/proc/self/statm");
  double pages = 0;
  double resident_pages = 0;
  if (!(in >> pages >> resident_pages)) return;
  const auto page = static_cast<double>(::sysconf(_SC_PAGESIZE));
  virtual_memory.set(pages * page);
  resident.set(resident_pages * page);
}

double open_descriptors() {
  std::error_code none;
  double count = 0;
  for (std::filesystem::directory_iterator at("/proc/self/fd", none), end; !none && at != end; at.increment(none))
    ++count;
  return count;
}

}  // namespace

void Registry::add_process() {
  Counter& cpu = counter("process_cpu_seconds_total", "User and system CPU time in seconds");
  Gauge& resident = gauge("process_resident_memory_bytes", "Resident memory in bytes");
  Gauge& virtual_memory = gauge("process_virtual_memory_bytes", "Virtual memory in bytes");
  Gauge& open = gauge("process_open_fds", "Open file descriptors");
  Gauge& most = gauge("process_max_fds", "Most file descriptors that may be open");
  Gauge& start = gauge("process_start_time_seconds", "Start of the process, in seconds since 1970");
  constexpr std::size_t kStartTime = 18;  // field 22 of proc(5), after state
  if (const auto stat = stat_numbers(); stat.size() > kStartTime)
    start.set(boot_time() + stat[kStartTime] / static_cast<double>(::sysconf(_SC_CLK_TCK)));
  on_collect([&cpu, &resident, &virtual_memory, &open, &most] {
    rusage usage{};
    if (::getrusage(RUSAGE_SELF, &usage) == 0) cpu.set(seconds(usage.ru_utime) + seconds(usage.ru_stime));
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) most.set(static_cast<double>(limit.rlim_cur));
    open.set(open_descriptors());
    refresh_memory(resident, virtual_memory);
  });
}

}  // namespace reeltag::metrics
