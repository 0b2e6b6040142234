// Conformance tests for every Store implementation. A back end instantiates the suite with a factory:
//   INSTANTIATE_TEST_SUITE_P(Local, StoreConformance, Values(StoreFactory{"local", [] { return make(); }}));
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <ostream>
#include <string>

#include "error_of.hpp"
#include "reeltag/store.hpp"

namespace reeltag::store {

// A location that is empty at first and can be opened many times; removed with the object.
class StorePlace {
 public:
  virtual ~StorePlace() = default;
  virtual std::unique_ptr<Store> open() = 0;
};

struct StoreFactory {
  std::string name;
  std::function<std::unique_ptr<StorePlace>()> make;
  bool has_clock = true;  // records when a blob was written
};
inline void PrintTo(const StoreFactory& factory, std::ostream* out) { *out << factory.name; }

class StoreConformance : public testing::TestWithParam<StoreFactory> {
 protected:
  std::unique_ptr<StorePlace> place_ = GetParam().make();
  std::unique_ptr<Store> store_ = place_->open();
};

}  // namespace reeltag::store
