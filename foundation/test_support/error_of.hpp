// For tests: the error that a call throws. One thread.
//
//   EXPECT_EQ(error_of([&] { store->get("../x"); }).code, Code::invalid_argument);
#pragma once

#include <gtest/gtest.h>

#include "reeltag/base/error.hpp"

namespace reeltag {

// Fails the test where f throws no Exception.
template <class F>
Error error_of(F&& f) {
  try {
    f();
  } catch (const Exception& e) {
    return e.error();
  }
  ADD_FAILURE() << "no Exception";
  return {};
}

}  // namespace reeltag
