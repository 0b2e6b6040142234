#include "unpickle.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <unordered_map>

#include "rebuild.hpp"

namespace reeltag::model {
namespace {

using Kind = PickleValue::Kind;

class Machine {
 public:
  Machine(std::string_view bytes, const std::string& origin, const PickleLimits& limits)
      : bytes_(bytes), limits_(limits), rebuild_(out_, origin, limits) {}

  Pickle run() {
    while (!stopped_) {
      const auto op = static_cast<unsigned char>(take(1)[0]);
      if (!number(op) && !string(op) && !container(op) && !stack_or_memo(op) && !call(op)) unknown(op);
    }
    out_.root = pop();
    out_.used = at_;
    return std::move(out_);
  }

 private:
  [[noreturn]] void corrupt(const std::string& why) const { rebuild_.corrupt(why); }
  [[noreturn]] void unknown(unsigned op) const {
    if (op >= 0x82 && op <= 0x84)
      corrupt("it uses copyreg extension codes, which stand for objects of another program");
    corrupt("instruction " + std::to_string(op) + " at byte " + std::to_string(at_ - 1) +
            " is not one that torch writes");
  }

  // ---- bytes ----

  std::string_view take(std::uint64_t n) {
    if (n > bytes_.size() - at_) corrupt("it ends in the middle");
    const auto part = bytes_.substr(at_, n);
    at_ += n;
    return part;
  }
  std::uint64_t unsigned_of(std::size_t width) {
    const auto part = take(width);
    std::uint64_t out = 0;
    for (std::size_t i = width; i-- > 0;) out = out << 8U | static_cast<unsigned char>(part[i]);
    return out;
  }
  std::string_view line() {
    const std::size_t end = bytes_.find('\n', at_);
    if (end == std::string_view::npos) corrupt("it ends in the middle");
    const auto part = bytes_.substr(at_, end - at_);
    at_ = end + 1;
    return part;
  }

  // ---- stack ----

  PickleValue* push(PickleValue* value) {
    if (stack_.size() >= limits_.max_values) corrupt("its stack is too deep");
    stack_.push_back(value);
    return value;
  }
  PickleValue* push_new(Kind kind) { return push(rebuild_.make(kind)); }
  PickleValue* pop() {
    if (stack_.size() <= (marks_.empty() ? 0 : marks_.back())) corrupt("it takes from an empty stack");
    PickleValue* value = stack_.back();
    stack_.pop_back();
    return value;
  }
  PickleValue* top() {
    PickleValue* value = pop();
    stack_.push_back(value);
    return value;
  }
  std::vector<PickleValue*> pop_to_mark() {
    if (marks_.empty()) corrupt("it takes from an empty stack");
    const auto first = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
    std::vector<PickleValue*> out(first, stack_.end());
    stack_.erase(first, stack_.end());
    marks_.pop_back();
    return out;
  }
  std::vector<PickleValue*> pop_many(std::size_t n) {
    std::vector<PickleValue*> out(n);
    for (std::size_t i = n; i-- > 0;) out[i] = pop();
    return out;
  }

  // ---- opcodes: each handler returns whether it knew the opcode ----

  bool number(unsigned char op) {
    switch (op) {
      case 'N':
        push(rebuild_.none());
        return true;
      case 0x88:
        push_integer(Kind::boolean, 1);
        return true;
      case 0x89:
        push_integer(Kind::boolean, 0);
        return true;
      case 'K':
        push_integer(Kind::integer, static_cast<std::int64_t>(unsigned_of(1)));
        return true;
      case 'M':
        push_integer(Kind::integer, static_cast<std::int64_t>(unsigned_of(2)));
        return true;
      case 'J':
        push_integer(Kind::integer, static_cast<std::int32_t>(unsigned_of(4)));
        return true;
      case 0x8a:
        push_long(take(unsigned_of(1)));
        return true;
      case 0x8b:
        push_long(take(unsigned_of(4)));
        return true;
      case 'I':
        push_decimal(line(), true);
        return true;
      case 'L':
        push_decimal(line(), false);
        return true;
      case 'F':
        push_real(line());
        return true;
      case 'G': {
        std::uint64_t bits = 0;
        for (const char c : take(8)) bits = bits << 8U | static_cast<unsigned char>(c);
        push_new(Kind::real)->real = std::bit_cast<double>(bits);
        return true;
      }
      default:
        return false;
    }
  }

  void push_integer(Kind kind, std::int64_t value) { push_new(kind)->integer = value; }

  // Two's complement, little-endian, of any length; over 64 bits the bytes stay as they are.
  void push_long(std::string_view bytes) {
    PickleValue* value = push_new(Kind::integer);
    if (bytes.size() > 8) {
      value->text = bytes;
      return;
    }
    std::uint64_t bits = !bytes.empty() && static_cast<signed char>(bytes.back()) < 0 ? ~0ULL : 0;
    for (std::size_t i = bytes.size(); i-- > 0;) bits = bits << 8U | static_cast<unsigned char>(bytes[i]);
    value->integer = static_cast<std::int64_t>(bits);
  }

  void push_decimal(std::string_view text, bool booleans) {
    if (booleans && (text == "00" || text == "01")) return push_integer(Kind::boolean, text == "01" ? 1 : 0);
    if (text.ends_with('L')) text.remove_suffix(1);
    PickleValue* value = push_new(Kind::integer);
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value->integer);
    if (error == std::errc::result_out_of_range) {
      value->text = text;
    } else if (error != std::errc() || end != text.data() + text.size()) {
      corrupt("'" + printable(text) + "' is no number");
    }
  }

  void push_real(std::string_view text) {
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc::invalid_argument || end != text.data() + text.size())
      corrupt("'" + printable(text) + "' is no number");
    push_new(Kind::real)->real = value;
  }

  bool string(unsigned char op) {
    switch (op) {
      case 0x8c:
        push_text(Kind::text, take(unsigned_of(1)));
        return true;
      case 'X':
        push_text(Kind::text, take(unsigned_of(4)));
        return true;
      case 0x8d:
        push_text(Kind::text, take(unsigned_of(8)));
        return true;
      case 'U':
        push_text(Kind::text, take(unsigned_of(1)));
        return true;
      case 'T':
        push_text(Kind::text, take(unsigned_of(4)));
        return true;
      case 'C':
        push_text(Kind::bytes, take(unsigned_of(1)));
        return true;
      case 'B':
        push_text(Kind::bytes, take(unsigned_of(4)));
        return true;
      case 0x8e:
        push_text(Kind::bytes, take(unsigned_of(8)));
        return true;
      case 0x96:
        push_text(Kind::bytes, take(unsigned_of(8)));
        return true;
      case 'V':
        push_text(Kind::text, raw_unicode(line()));
        return true;
      case 'S':
        push_text(Kind::text, quoted(line()));
        return true;
      default:
        return false;
    }
  }

  void push_text(Kind kind, std::string_view text) { push_new(kind)->text = text; }

  static void add_utf8(std::string& out, std::uint32_t c) {
    if (c < 0x80) {
      out += static_cast<char>(c);
      return;
    }
    const int more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    constexpr std::array<unsigned, 4> kLead{0, 0xC0, 0xE0, 0xF0};
    out += static_cast<char>(kLead[static_cast<std::size_t>(more)] | c >> (6 * static_cast<unsigned>(more)));
    for (int i = more - 1; i >= 0; --i) out += static_cast<char>(0x80U | (c >> (6 * static_cast<unsigned>(i)) & 0x3FU));
  }

  // The number in the first `digits` hexadecimal digits of text.
  [[nodiscard]] std::uint32_t hexadecimal(std::string_view text, std::size_t digits) const {
    std::uint32_t out = 0;
    if (text.size() >= digits) {
      const char* const begin = &*text.begin();
      const auto [end, error] = std::from_chars(begin, begin + digits, out, 16);
      if (error == std::errc() && end == begin + digits && out < 0x110000) return out;
    }
    corrupt("a text has a broken escape");
  }

  // Python's raw-unicode-escape: latin-1 with \uXXXX and \UXXXXXXXX.
  [[nodiscard]] std::string raw_unicode(std::string_view text) const {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
      const std::size_t digits = text.substr(i).starts_with("\\u") ? 4 : text.substr(i).starts_with("\\U") ? 8 : 0;
      if (digits == 0) {
        add_utf8(out, static_cast<unsigned char>(text[i]));
      } else {
        add_utf8(out, hexadecimal(text.substr(i + 2), digits));
        i += 1 + digits;
      }
    }
    return out;
  }

  // A Python 2 string in the form of repr().
  [[nodiscard]] std::string quoted(std::string_view text) const {
    if (text.size() < 2 || text.front() != text.back() || (text.front() != '\'' && text.front() != '"'))
      corrupt("a text has no quotes");
    text = text.substr(1, text.size() - 2);
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] != '\\' || i + 1 == text.size()) {
        out += text[i];
        continue;
      }
      const char c = text[++i];
      if (c == 'x') {
        out += static_cast<char>(hexadecimal(text.substr(i + 1), 2));
        i += 2;
      } else {
        out += c == 'n' ? '\n' : c == 'r' ? '\r' : c == 't' ? '\t' : c;
      }
    }
    return out;
  }

  bool container(unsigned char op) {
    switch (op) {
      case '}':
        push_new(Kind::dict);
        return true;
      case ']':
        push_new(Kind::list);
        return true;
      case ')':
        push_new(Kind::tuple);
        return true;
      case 0x8f:
        push_new(Kind::set);
        return true;
      case 'd':
        push_items(Kind::dict, pop_to_mark());
        return true;
      case 'l':
        push_items(Kind::list, pop_to_mark());
        return true;
      case 't':
        push_items(Kind::tuple, pop_to_mark());
        return true;
      case 0x91:
        push_items(Kind::set, pop_to_mark());
        return true;
      case 0x85:
        push_items(Kind::tuple, pop_many(1));
        return true;
      case 0x86:
        push_items(Kind::tuple, pop_many(2));
        return true;
      case 0x87:
        push_items(Kind::tuple, pop_many(3));
        return true;
      case 'a':
        add_items(Kind::list, pop_many(1));
        return true;
      case 's':
        add_items(Kind::dict, pop_many(2));
        return true;
      case 'e':
        add_items(Kind::list, pop_to_mark());
        return true;
      case 'u':
        add_items(Kind::dict, pop_to_mark());
        return true;
      case 0x90:
        add_items(Kind::set, pop_to_mark());
        return true;
      default:
        return false;
    }
  }

  void push_items(Kind kind, const std::vector<PickleValue*>& items) {
    push_new(kind);
    add_items(kind, items);
  }
  void add_items(Kind kind, const std::vector<PickleValue*>& items) {
    PickleValue* to = top();
    if (to->kind != kind) corrupt("it puts items into something that holds none");
    if (kind == Kind::dict && items.size() % 2 != 0) corrupt("a dict has a key without a value");
    rebuild_.add_items(to, items);
  }

  bool stack_or_memo(unsigned char op) {
    switch (op) {
      case 0x80:
        if (unsigned_of(1) > 5) corrupt("its protocol is newer than 5");
        return true;
      case 0x95:
        if (unsigned_of(8) > bytes_.size() - at_) corrupt("it ends in the middle");
        return true;
      case '.':
        stopped_ = true;
        return true;
      case '(':
        if (marks_.size() >= limits_.max_values) corrupt("its stack is too deep");
        marks_.push_back(stack_.size());
        return true;
      case '0':
        pop();
        return true;
      case '1':
        pop_to_mark();
        return true;
      case '2':
        push(top());
        return true;
      case 'p':
        remember(memo_number(line()));
        return true;
      case 'q':
        remember(unsigned_of(1));
        return true;
      case 'r':
        remember(unsigned_of(4));
        return true;
      case 0x94:
        remember(memo_.size());
        return true;
      case 'g':
        recall(memo_number(line()));
        return true;
      case 'h':
        recall(unsigned_of(1));
        return true;
      case 'j':
        recall(unsigned_of(4));
        return true;
      default:
        return false;
    }
  }

  [[nodiscard]] std::uint64_t memo_number(std::string_view text) const {
    std::uint64_t out = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    if (error != std::errc() || end != text.data() + text.size()) corrupt("'" + printable(text) + "' is no number");
    return out;
  }
  void remember(std::uint64_t index) {
    if (memo_.size() >= limits_.max_values) corrupt("its memo is too large");
    memo_[index] = top();
  }
  void recall(std::uint64_t index) {
    const auto it = memo_.find(index);
    if (it == memo_.end()) corrupt("it takes memo entry " + std::to_string(index) + ", which was never put there");
    push(it->second);
  }

  bool call(unsigned char op) {
    switch (op) {
      case 'c': {
        const auto module = line();
        push(rebuild_.global(module, line()));
        return true;
      }
      case 0x93: {
        const auto names = pop_many(2);
        if (names[0]->kind != Kind::text || names[1]->kind != Kind::text) corrupt("a global has no name");
        push(rebuild_.global(names[0]->text, names[1]->text));
        return true;
      }
      case 'i': {
        const auto module = line();
        PickleValue* what = rebuild_.global(module, line());
        push(rebuild_.call(what, pop_to_mark()));
        return true;
      }
      case 'o': {
        auto arguments = pop_to_mark();
        if (arguments.empty()) corrupt("it calls nothing");
        PickleValue* what = arguments.front();
        arguments.erase(arguments.begin());
        push(rebuild_.call(what, arguments));
        return true;
      }
      case 'R':
      case 0x81:
        call_with(pop());
        return true;
      case 0x92:
        if (const auto* keywords = pop(); keywords->kind != Kind::dict || !keywords->items.empty())
          corrupt("it calls something by keywords");
        call_with(pop());
        return true;
      case 'b': {
        const PickleValue* state = pop();
        rebuild_.set_state(top(), state);
        return true;
      }
      case 'Q':
        push(rebuild_.storage(pop()));
        return true;
      case 'P':
        line();
        corrupt("its storages have textual ids, which torch does not write");
      default:
        return false;
    }
  }

  void call_with(PickleValue* arguments) {
    if (arguments->kind != Kind::tuple) corrupt("the arguments of a call are no tuple");
    PickleValue* what = pop();
    push(rebuild_.call(what, arguments->items));
  }
  std::string_view bytes_;
  const PickleLimits& limits_;
  std::size_t at_ = 0;
  bool stopped_ = false;
  std::vector<PickleValue*> stack_;
  std::vector<std::size_t> marks_;
  std::unordered_map<std::uint64_t, PickleValue*> memo_;
  Pickle out_;
  Rebuild rebuild_;
};

}  // namespace

Pickle unpickle(std::string_view bytes, const std::string& origin, const PickleLimits& limits) {
  return Machine(bytes, origin, limits).run();
}

std::string printable(std::string_view text) {
  std::string out(text.substr(0, 100));
  std::replace_if(out.begin(), out.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; }, '?');
  return out + (text.size() > 100 ? "..." : "");
}

}  // namespace reeltag::model
