#include "unpickle.hpp"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace reeltag::model {
namespace {

using testing::HasSubstr;
using Kind = PickleValue::Kind;
using namespace std::string_literals;

Pickle read(const std::string& bytes) { return unpickle(bytes, "x.pyth", {}); }

std::string refusal(const std::string& bytes) {
  try {
    read(bytes);
  } catch (const Exception& e) {
    EXPECT_EQ(e.code(), Code::corrupt);
    EXPECT_THAT(e.what(), HasSubstr("x.pyth"));
    return e.what();
  }
  return "accepted";
}

// As Python 3's pickle.dumps writes {"a": [1, -2, 2**40, True, None, 1.5], "b": (b"\x00\xff", {3}, "\u00e9\n")}.
TEST(Unpickle, ReadsEveryProtocol) {
  const std::vector<std::string> pickles{
      // 0
      "(dp0\nVa\np1\n(lp2\nI1\naI-2\naL1099511627776L\naI01\naNaF1.5\nasVb\np3\n(c_codecs\nencode\np4\n"
      "(V\0\xff\np5\nVlatin1\np6\ntp7\nRp8\nc__builtin__\nset\np9\n((lp10\nI3\natp11\nRp12\n"
      "V\xe9\\u000a\np13\ntp14\ns."s,
      // 2
      "\x80\x02}q\0(X\x01\0\0\0aq\x01]q\x02(K\x01J\xfe\xff\xff\xff\x8a\x06\0\0\0\0\0\x01\x88NG\x3f\xf8\0\0\0\0\0\0e"
      "X\x01\0\0\0bq\x03"
      "c_codecs\nencode\nq\x04X\x03\0\0\0\0\xc3\xbfq\x05X\x06\0\0\0latin1q\x06\x86q\x07Rq\x08"
      "c__builtin__\nset\nq\x09]q\x0aK\x03"
      "a\x85q\x0bRq\x0cX\x03\0\0\0\xc3\xa9\nq\x0d\x87q\x0eu."s,
      // 4
      "\x80\x04\x95\x3c\0\0\0\0\0\0\0}\x94(\x8c\x01"
      "a\x94]\x94(K\x01J\xfe\xff\xff\xff\x8a\x06\0\0\0\0\0\x01\x88NG\x3f\xf8\0\0\0\0\0\0e\x8c\x01"
      "b\x94"
      "C\x02\0\xff\x94\x8f\x94(K\x03\x90\x8c\x03\xc3\xa9\n\x94\x87\x94u."s};
  for (const auto& bytes : pickles) {
    const Pickle p = read(bytes);
    EXPECT_EQ(p.used, bytes.size());
    const auto* a = p.root->find("a");
    ASSERT_NE(a, nullptr);
    ASSERT_EQ(a->items.size(), 6U);
    EXPECT_EQ(a->items[1]->integer, -2);
    EXPECT_EQ(a->items[2]->integer, 1LL << 40);
    EXPECT_EQ(a->items[3]->kind, Kind::boolean);
    EXPECT_EQ(a->items[4]->kind, Kind::none);
    EXPECT_DOUBLE_EQ(a->items[5]->real, 1.5);
    const auto* b = p.root->find("b");
    ASSERT_NE(b, nullptr);
    EXPECT_EQ(b->items.at(0)->text, "\0\xff"s);
    EXPECT_EQ(b->items.at(1)->items.at(0)->integer, 3);
    EXPECT_EQ(b->items.at(2)->text, "\xc3\xa9\n");
  }
}

TEST(Unpickle, TheLastOfEqualKeysCounts) {
  EXPECT_EQ(read("\x80\x02}(X\x01\0\0\0aK\x01X\x01\0\0\0aK\x02u."s).root->find("a")->integer, 2);
}

TEST(Unpickle, AListMayHoldItself) {
  const Pickle p = read("\x80\x02]q\0h\0a."s);
  EXPECT_EQ(p.root->items.at(0), p.root);
}

// os.system("touch pwned") in every way that a pickle can ask for a call.
TEST(Unpickle, RefusesCallsByName) {
  const std::string command = "X\x0b\0\0\0touch pwned"s;
  const std::vector<std::pair<std::string, std::string>> ways{
      {"posix.system", "cposix\nsystem\n(S'touch pwned'\ntR."},
      {"posix.system",
       "\x80\x02"
       "cposix\nsystem\n" +
           command + "\x85R."},
      {"os.system", "\x80\x04\x8c\x02os\x8c\x06system\x93" + command + "\x85R."},
      {"posix.system", "(S'touch pwned'\niposix\nsystem\n."},
      {"posix.system", "(cposix\nsystem\nS'touch pwned'\no."},
      {"subprocess.Popen",
       "\x80\x02"
       "csubprocess\nPopen\n" +
           command + "\x85\x81."},
      {"subprocess.Popen", "\x80\x04\x8c\nsubprocess\x8c\x05Popen\x93" + command + "\x85}\x92."},
      {"numpy.core.multiarray.scalar",
       "\x80\x02"
       "cnumpy.core.multiarray\nscalar\n."},
      {"builtins.eval",
       "\x80\x04\x8c\x08"
       "builtins\x8c\x04"
       "eval\x93."},
      {"torch.load",
       "\x80\x02"
       "ctorch\nload\n."},
      {"collections.OrderedDict.__class__",
       "\x80\x02"
       "ccollections\nOrderedDict.__class__\n."},
      {"extension", "\x80\x02\x82\x01."s},
      {"state", "\x80\x02)}b."s},
  };
  for (const auto& [name, bytes] : ways) EXPECT_THAT(refusal(bytes), HasSubstr(name));
  EXPECT_FALSE(std::filesystem::exists("pwned"));
}

TEST(Unpickle, RefusesWhatContradictsItself) {
  EXPECT_THAT(refusal(""), HasSubstr("ends in the middle"));
  EXPECT_THAT(refusal("\x80\x02X\xff\xff\xff\xff"s), HasSubstr("ends in the middle"));
  EXPECT_THAT(refusal("\x80\x04\x8d\xff\xff\xff\xff\xff\xff\xff\xff."s), HasSubstr("ends in the middle"));
  EXPECT_THAT(refusal("\x80\x07N."s), HasSubstr("protocol"));
  EXPECT_THAT(refusal("\x80\x02."s), HasSubstr("empty stack"));
  EXPECT_THAT(refusal("\x80\x02(u."s), HasSubstr("empty stack"));
  EXPECT_THAT(refusal("\x80\x02h\x05."s), HasSubstr("memo entry 5"));
  EXPECT_THAT(refusal("\x80\x02}(Nu."s), HasSubstr("without a value"));
  EXPECT_THAT(refusal("\x80\x02KaKaa."s), HasSubstr("holds none"));
  EXPECT_THAT(refusal("\x80\x02\xfe."s), HasSubstr("instruction 254"));
  EXPECT_THAT(refusal("\x80\x02NQ."s), HasSubstr("names no storage"));
  EXPECT_THAT(refusal("Ifive\n."), HasSubstr("no number"));
}

TEST(Unpickle, ManyValuesAreRefusedBeforeTheyFillTheMemory) {
  EXPECT_THAT(refusal("\x80\x02" + std::string(3'000'000, ']') + "."), HasSubstr("too many values"));
  EXPECT_THAT(refusal("\x80\x02N" + std::string(3'000'000, '2') + "."), HasSubstr("too deep"));
  EXPECT_THAT(refusal("\x80\x02" + std::string(3'000'000, '(') + "."), HasSubstr("too deep"));
}

// A tensor of FloatStorage "0" with 8 elements.
std::string tensor(const std::string& offset, const std::string& shape, const std::string& strides) {
  return "\x80\x02"
         "ctorch._utils\n_rebuild_tensor_v2\n((X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\0"
         "0X\x03\0\0\0cpuK\x08tQ"s +
         offset + "(" + shape + "t(" + strides + "t\x89}tR.";
}

TEST(Unpickle, TensorsStayInsideTheirStorage) {
  const Pickle p = read(tensor("K\x02", "K\x02K\x03", "K\x03K\x01"));
  ASSERT_EQ(p.root->kind, Kind::tensor);
  EXPECT_EQ(p.root->tensor->storage->count, 8U);
  EXPECT_EQ(p.root->tensor->offset, 2U);
  EXPECT_THAT(p.root->tensor->shape, testing::ElementsAre(2, 3));
  read(tensor("K\x07", "K\x64", "K\0"s));            // one element, a hundred times
  read(tensor("K\x09", "K\0K\x05"s, "K\x01K\x01"));  // empty
  for (const auto& bad :
       {tensor("K\x03", "K\x02K\x03", "K\x03K\x01"), tensor("K\x08", "", ""),
        tensor("K\0"s, "K\x02", "J\xff\xff\xff\x7f"),
        tensor("K\0"s, "\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f", "\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f")}) {
    EXPECT_THAT(refusal(bad), HasSubstr("beyond its storage"));
  }
  EXPECT_THAT(refusal(tensor("K\0"s, "J\xff\xff\xff\xff", "K\x01")), HasSubstr("impossible"));
  EXPECT_THAT(refusal(tensor("J\xff\xff\xff\xff", "K\x01", "K\x01")), HasSubstr("impossible"));
  EXPECT_THAT(refusal(tensor("K\0"s, "K\x01", "K\x01K\x01")), HasSubstr("more sizes than strides"));
  EXPECT_THAT(refusal(tensor("K\0"s, "J\xff\xff\xff\x7f", "K\0"s)), HasSubstr("many times as large"));
}

}  // namespace
}  // namespace reeltag::model
