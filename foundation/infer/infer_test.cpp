#include "reeltag/infer.hpp"

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openvino/opsets/opset8.hpp>

namespace reeltag::infer {
namespace {

namespace op = ov::opset8;

// y = x w, with x [rows,2] and w [2,2] = [[1,2],[3,4]]; and its softmax.
Graph product_graph(std::size_t rows) {
  const auto x = std::make_shared<op::Parameter>(ov::element::f32, ov::Shape{rows, 2});
  x->output(0).set_names({"x"});
  const auto w = op::Constant::create(ov::element::f32, {2, 2}, std::vector<float>{1, 2, 3, 4});
  const auto y = std::make_shared<op::MatMul>(x, w, false, false);
  const auto softmax = std::make_shared<op::Softmax>(y, 1);
  ov::OutputVector results;
  for (const auto& [node, name] : {std::pair<ov::Output<ov::Node>, const char*>{y, "y"}, {softmax, "share"}}) {
    results.push_back(std::make_shared<op::Result>(node));
    results.back().set_names({name});
  }
  return Graph(std::make_shared<ov::Model>(results, ov::ParameterVector{x}));
}

template <class Run>
Code code_of(const Run& run) {
  try {
    run();
  } catch (const Exception& e) {
    return e.code();
  }
  return Code::internal;
}

TEST(Graph, NamesItsPorts) {
  const Graph graph = product_graph(3);
  ASSERT_EQ(graph.inputs().size(), 1U);
  EXPECT_EQ(graph.inputs()[0].name, "x");
  EXPECT_EQ(graph.inputs()[0].shape, (Shape{3, 2}));
  EXPECT_EQ(graph.inputs()[0].count(), 6U);
  ASSERT_EQ(graph.outputs().size(), 2U);
  EXPECT_EQ(graph.outputs()[1].name, "share");
}

TEST(Graph, WantsFixedShapes) {
  const auto x = std::make_shared<op::Parameter>(ov::element::f32, ov::PartialShape{-1, 2});
  x->output(0).set_names({"x"});
  const auto result = std::make_shared<op::Result>(x);
  EXPECT_EQ(code_of([&] { Graph(std::make_shared<ov::Model>(ov::ResultVector{result}, ov::ParameterVector{x})); }),
            Code::unsupported);
}

TEST(CompiledNet, ComputesInTheCallersMemory) {
  const CompiledNet net(product_graph(2), {});
  const std::vector<float> x{1, 0, 0, 1};
  std::vector<float> y(4), share(4);
  net.run({{"x", x}}, {{"y", y}, {"share", share}});
  EXPECT_THAT(y, testing::ElementsAre(1, 2, 3, 4));
  EXPECT_NEAR(share[0] + share[1], 1.0, 1e-6);
  y.assign(4, 0);
  net.run({{"x", x}}, {{"y", y}});  // only what is wanted
  EXPECT_THAT(y, testing::ElementsAre(1, 2, 3, 4));
}

TEST(CompiledNet, WritesToNoCallersMemoryAfterItsCall) {
  const CompiledNet net(product_graph(2), {});
  const std::vector<float> x{1, 0, 0, 1}, twice{2, 0, 0, 2};
  std::vector<float> y(4), share(4);
  net.run({{"x", x}}, {{"y", y}, {"share", share}});
  const std::vector<float> before = share;
  net.run({{"x", twice}}, {{"y", y}});
  EXPECT_EQ(share, before);
  EXPECT_THAT(y, testing::ElementsAre(2, 4, 6, 8));
}

TEST(CompiledNet, RefusesOtherNamesAndSizes) {
  const CompiledNet net(product_graph(2), {});
  const std::vector<float> x(4), small(3);
  std::vector<float> y(4);
  EXPECT_EQ(code_of([&] { net.run({{"z", x}}, {{"y", y}}); }), Code::invalid_argument);
  EXPECT_EQ(code_of([&] { net.run({{"x", small}}, {{"y", y}}); }), Code::invalid_argument);
  EXPECT_EQ(code_of([&] { net.run({{"x", x}}, {{"x", y}}); }), Code::invalid_argument);
  EXPECT_EQ(code_of([&] { net.run({}, {{"y", y}}); }), Code::invalid_argument);
}

TEST(CompiledNet, BFloat16HasThreeDigits) {
  const CompiledNet net(product_graph(1), {.precision = Precision::bfloat16});
  const std::vector<float> x{0.3333F, 0.7777F};
  std::vector<float> y(2);
  net.run({{"x", x}}, {{"y", y}});
  EXPECT_NEAR(y[0], 0.3333F + 3 * 0.7777F, 0.02);
  EXPECT_NEAR(y[1], 2 * 0.3333F + 4 * 0.7777F, 0.02);
}

TEST(CompiledNet, ServesSeveralThreadsAtOnce) {
  const CompiledNet net(product_graph(1), {.threads = 2});
  std::vector<int> wrong(4);
  {
    std::vector<std::jthread> threads;
    for (std::size_t t = 0; t < wrong.size(); ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < 200; ++i) {
          const std::vector<float> x{static_cast<float>(t), static_cast<float>(i)};
          std::vector<float> y(2);
          net.run({{"x", x}}, {{"y", y}});
          wrong[t] += y[0] == x[0] + 3 * x[1] && y[1] == 2 * x[0] + 4 * x[1] ? 0 : 1;
        }
      });
    }
  }
  EXPECT_THAT(wrong, testing::Each(0));
}

TEST(CompiledNet, TellsTimesByKindOfOperation) {
  const CompiledNet net(product_graph(64), {}, /*profile=*/true);
  const std::vector<float> x(128);
  std::vector<float> y(128);
  net.run({{"x", x}}, {{"y", y}});
  const auto times = net.profile();
  ASSERT_FALSE(times.empty());
  for (std::size_t i = 1; i < times.size(); ++i) EXPECT_GE(times[i - 1].seconds, times[i].seconds);
}

}  // namespace
}  // namespace reeltag::infer
