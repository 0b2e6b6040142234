#include "rebuild.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace reeltag::model {
namespace {

using Kind = PickleValue::Kind;

constexpr std::size_t kMaxAxes = 16;

// Allowed globals other than storages, which are below.
constexpr std::array<std::string_view, 12> kCallable{"collections.OrderedDict",
                                                     "torch._utils._rebuild_tensor",
                                                     "torch._utils._rebuild_tensor_v2",
                                                     "torch._utils._rebuild_parameter",
                                                     "torch.Size",
                                                     "_codecs.encode",
                                                     "builtins.set",
                                                     "__builtin__.set",
                                                     "builtins.frozenset",
                                                     "__builtin__.frozenset",
                                                     "builtins.bytes",
                                                     "__builtin__.bytes"};
constexpr std::array<std::string_view, 10> kDtypes{"torch.float64", "torch.float32", "torch.float16", "torch.bfloat16",
                                                   "torch.int64",   "torch.int32",   "torch.int16",   "torch.int8",
                                                   "torch.uint8",   "torch.bool"};

struct StorageType {
  std::string_view name;
  Dtype type;
};
constexpr std::array<StorageType, 10> kStorages{{{"torch.DoubleStorage", Dtype::f64},
                                                 {"torch.FloatStorage", Dtype::f32},
                                                 {"torch.HalfStorage", Dtype::f16},
                                                 {"torch.BFloat16Storage", Dtype::bf16},
                                                 {"torch.LongStorage", Dtype::i64},
                                                 {"torch.IntStorage", Dtype::i32},
                                                 {"torch.ShortStorage", Dtype::i16},
                                                 {"torch.CharStorage", Dtype::i8},
                                                 {"torch.ByteStorage", Dtype::u8},
                                                 {"torch.BoolStorage", Dtype::boolean}}};

std::optional<Dtype> storage_type(std::string_view name) {
  const auto* it = std::find_if(kStorages.begin(), kStorages.end(), [&](const auto& s) { return s.name == name; });
  return it == kStorages.end() ? std::nullopt : std::optional(it->type);
}

bool is_known(std::string_view name) {
  const auto among = [&](const auto& list) { return std::find(list.begin(), list.end(), name) != list.end(); };
  return among(kCallable) || among(kDtypes) || storage_type(name);
}

bool is_sequence(const PickleValue* v) { return v->kind == Kind::tuple || v->kind == Kind::list; }

// a * b, or nullopt on overflow.
std::optional<std::uint64_t> product(std::uint64_t a, std::uint64_t b) {
  std::uint64_t out = 0;
  return __builtin_mul_overflow(a, b, &out) ? std::nullopt : std::optional(out);
}

}  // namespace

void Rebuild::corrupt(const std::string& why) const {
  throw Exception(Code::corrupt, origin_ + " cannot be read as a checkpoint: " + why);
}

PickleValue* Rebuild::make(Kind kind) {
  if (out_.values.size() >= limits_.max_values) corrupt("it holds too many values");
  out_.values.emplace_back().kind = kind;
  return &out_.values.back();
}

PickleValue* Rebuild::none() {
  if (none_ == nullptr) none_ = make(Kind::none);
  return none_;
}

void Rebuild::add_items(PickleValue* to, const std::vector<PickleValue*>& items) {
  items_ += items.size();
  if (items_ > limits_.max_values) corrupt("its containers hold too many items");
  to->items.insert(to->items.end(), items.begin(), items.end());
}

PickleValue* Rebuild::global(std::string_view module, std::string_view name) {
  const std::string full = std::string(module) + "." + std::string(name);
  if (const auto it = globals_.find(full); it != globals_.end()) return it->second;
  if (!is_known(full)) {
    corrupt("it wants Python to use " + printable(full) +
            ", which no file of plain weights needs. Nothing of it was run. If you trust the file, load it in Python "
            "and save only its state dict");
  }
  PickleValue* value = make(Kind::global);
  value->text = full;
  return globals_[full] = value;
}

PickleValue* Rebuild::call(const PickleValue* what, const std::vector<PickleValue*>& arguments) {
  if (what->kind != Kind::global) corrupt("it calls something that is no function");
  const std::string& name = what->text;
  if (name == "torch._utils._rebuild_tensor_v2") return tensor(arguments, 6);
  if (name == "torch._utils._rebuild_tensor") return tensor(arguments, 4);
  if (name == "torch._utils._rebuild_parameter") {
    if (arguments.empty() || arguments[0]->kind != Kind::tensor) corrupt("a parameter is no tensor");
    return arguments[0];
  }
  if (name == "collections.OrderedDict") return dictionary(arguments);
  if (name == "torch.Size") return sequence(Kind::tuple, arguments);
  if (name == "_codecs.encode") return encoded(arguments);
  if (name.ends_with(".bytes")) return arguments.empty() ? make(Kind::bytes) : (corrupt("bytes of something"), nullptr);
  if (name.ends_with("set")) return sequence(Kind::set, arguments);
  corrupt("it calls " + name + ", which is a type");
}

PickleValue* Rebuild::sequence(Kind kind, const std::vector<PickleValue*>& arguments) {
  if (arguments.size() > 1 || (arguments.size() == 1 && !is_sequence(arguments[0])))
    corrupt("a set or size is made of something else than a list");
  PickleValue* out = make(kind);
  if (!arguments.empty()) add_items(out, arguments[0]->items);
  return out;
}

// OrderedDict() or OrderedDict([(key, value), ...]).
PickleValue* Rebuild::dictionary(const std::vector<PickleValue*>& arguments) {
  PickleValue* out = make(Kind::dict);
  if (arguments.empty()) return out;
  if (arguments.size() > 1 || !is_sequence(arguments[0]))
    corrupt("an OrderedDict is made of something else than pairs");
  for (const PickleValue* pair : arguments[0]->items) {
    if (!is_sequence(pair) || pair->items.size() != 2) corrupt("an OrderedDict is made of something else than pairs");
    add_items(out, pair->items);
  }
  return out;
}

// encode(text, "latin1"): how Python 3 writes bytes in protocols below 3.
PickleValue* Rebuild::encoded(const std::vector<PickleValue*>& arguments) {
  const bool ok = arguments.size() == 2 && arguments[0]->kind == Kind::text && arguments[1]->kind == Kind::text &&
                  arguments[1]->text == "latin1";
  if (!ok) corrupt("bytes are not latin1");
  PickleValue* out = make(Kind::bytes);
  const std::string& text = arguments[0]->text;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c < 0x80) {
      out->text += text[i];
    } else if ((c == 0xC2 || c == 0xC3) && i + 1 < text.size()) {
      out->text += static_cast<char>((c & 3U) << 6U | (static_cast<unsigned char>(text[++i]) & 0x3FU));
    } else {
      corrupt("bytes are not latin1");
    }
  }
  return out;
}

void Rebuild::set_state(const PickleValue* object, const PickleValue* state) const {
  if (object->kind != Kind::dict || state->kind != Kind::dict) corrupt("it sets the state of an object");
}

PickleValue* Rebuild::storage(const PickleValue* id) {
  const bool known = id->kind == Kind::tuple && id->items.size() >= 5 && id->items[0]->kind == Kind::text &&
                     id->items[0]->text == "storage" && id->items[1]->kind == Kind::global &&
                     id->items[2]->kind == Kind::text && id->items[4]->kind == Kind::integer;
  if (!known) corrupt("a persistent id names no storage");
  if (id->items.size() > 5 && id->items[5]->kind != Kind::none) {
    throw Exception(Code::unsupported, origin_ + " shares storages as PyTorch before 0.4 did; load and save it there");
  }
  const auto type = storage_type(id->items[1]->text);
  if (!type) corrupt(id->items[1]->text + " is no storage type");
  if (id->items[4]->integer < 0 || !id->items[4]->text.empty()) corrupt("a storage has an impossible size");
  out_.storages.push_back(
      {.type = *type, .key = id->items[2]->text, .count = static_cast<std::uint64_t>(id->items[4]->integer)});
  PickleValue* out = make(Kind::storage);
  out->storage = &out_.storages.back();
  return out;
}

std::vector<std::int64_t> Rebuild::sizes(const PickleValue* value) const {
  if (!is_sequence(value) || value->items.size() > kMaxAxes) corrupt("a tensor's shape is no list of up to 16 sizes");
  std::vector<std::int64_t> out;
  for (const auto* item : value->items) {
    if (item->kind != Kind::integer || item->integer < 0 || !item->text.empty())
      corrupt("a tensor has an impossible size or stride");
    out.push_back(item->integer);
  }
  return out;
}

// _rebuild_tensor(storage, offset, size, stride), _v2 with (requires_grad, hooks[, metadata]).
PickleValue* Rebuild::tensor(const std::vector<PickleValue*>& a, std::size_t fewest) {
  if (a.size() < fewest || a.size() > fewest + 1) corrupt("a tensor has too few or too many parts");
  if (a[0]->kind != Kind::storage) corrupt("a tensor has no storage");
  if (a[1]->kind != Kind::integer || a[1]->integer < 0 || !a[1]->text.empty())
    corrupt("a tensor's offset is impossible");
  PickleValue* out = make(Kind::tensor);
  out->tensor = std::make_unique<TensorRecord>(TensorRecord{.storage = a[0]->storage,
                                                            .offset = static_cast<std::uint64_t>(a[1]->integer),
                                                            .shape = sizes(a[2]),
                                                            .strides = sizes(a[3])});
  check_within(*out->tensor);
  return out;
}

void Rebuild::check_within(const TensorRecord& t) {
  if (t.shape.size() != t.strides.size()) corrupt("a tensor has more sizes than strides");
  std::uint64_t bytes = size_of(t.storage->type);
  std::uint64_t last = t.offset;
  bool fits = true;
  for (std::size_t a = 0; a < t.shape.size(); ++a) {
    const auto size = static_cast<std::uint64_t>(t.shape[a]);
    const auto all = product(bytes, size);
    const auto reach = product(size == 0 ? 0 : size - 1, static_cast<std::uint64_t>(t.strides[a]));
    fits = fits && all && reach && !__builtin_add_overflow(last, *reach, &last);
    if (!fits) break;
    bytes = *all;
  }
  const bool empty = std::find(t.shape.begin(), t.shape.end(), 0) != t.shape.end();
  if (!fits || (!empty && last >= t.storage->count))
    corrupt("a tensor reaches beyond its storage " + printable(t.storage->key));
  tensor_bytes_ += empty ? 0 : bytes;
  if (bytes > limits_.max_tensor_bytes || tensor_bytes_ > limits_.max_tensor_bytes)
    corrupt("its tensors would be many times as large as the file");
}

}  // namespace reeltag::model
