// Rows as a folder of Parquet files, videos.parquet and so on: columns named as in row_fields.hpp, times as seconds
// since 1970, hashtags as a list.
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <tuple>

#include <arrow/api.h>
#include <arrow/io/file.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/writer.h>

#include "reeltag/base/file.hpp"
#include "row_fields.hpp"
#include "row_files.hpp"

namespace reeltag::catalog {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kRowsOfABatch = 10'000;

[[noreturn]] void raise(const arrow::Status& status, const std::string& doing) {
  Code code = status.IsIOError() ? Code::unavailable : Code::corrupt;
  if (status.IsOutOfMemory()) code = Code::unavailable;
  throw Exception(code, doing + ": " + status.message());
}

void check(const arrow::Status& status, const std::string& doing) {
  if (!status.ok()) raise(status, doing);
}

template <class T>
T value_of(arrow::Result<T>&& result, const std::string& doing) {
  if (!result.ok()) raise(result.status(), doing);
  return std::move(result).MoveValueUnsafe();
}

std::shared_ptr<arrow::DataType> list_of_texts() { return arrow::list(arrow::field("item", arrow::utf8(), false)); }

// The columns of a kind.
struct Columns {
  arrow::FieldVector list;

  void operator()(const char* name, const std::string& /*value*/) { add(name, arrow::utf8(), false); }
  void operator()(const char* name, const std::int64_t& /*value*/) { add(name, arrow::int64(), false); }
  void operator()(const char* name, const int& /*value*/) { add(name, arrow::int32(), false); }
  void operator()(const char* name, const double& /*value*/) { add(name, arrow::float64(), false); }
  void operator()(const char* name, const std::optional<std::int64_t>& /*value*/) { add(name, arrow::int64(), true); }
  void operator()(const char* name, const std::vector<std::string>& /*value*/) { add(name, list_of_texts(), false); }

 private:
  void add(const char* name, std::shared_ptr<arrow::DataType> type, bool nullable) {
    list.push_back(arrow::field(name, std::move(type), nullable));
  }
};

template <class Kind>
std::shared_ptr<arrow::Schema> schema_of() {
  Columns columns;
  const Kind empty{};
  fields(columns, empty);
  return arrow::schema(columns.list)
      ->WithMetadata(arrow::key_value_metadata({kRowFilesName}, {std::to_string(kRowFilesForm)}));
}

// Appends each field of a row to its column's builder.
struct Append {
  arrow::RecordBatchBuilder& batch;
  arrow::Status status = arrow::Status::OK();
  int column = 0;

  void operator()(const char* /*name*/, const std::string& value) { keep(next<arrow::StringBuilder>()->Append(value)); }
  void operator()(const char* /*name*/, const std::int64_t& value) { keep(next<arrow::Int64Builder>()->Append(value)); }
  void operator()(const char* /*name*/, const int& value) { keep(next<arrow::Int32Builder>()->Append(value)); }
  void operator()(const char* /*name*/, const double& value) { keep(next<arrow::DoubleBuilder>()->Append(value)); }
  void operator()(const char* /*name*/, const std::optional<std::int64_t>& value) {
    keep(next<arrow::Int64Builder>()->AppendOrNull(value));
  }
  void operator()(const char* /*name*/, const std::vector<std::string>& value) {
    auto* lists = next<arrow::ListBuilder>();
    keep(lists->Append());
    for (const auto& text : value) keep(static_cast<arrow::StringBuilder*>(lists->value_builder())->Append(text));
  }

 private:
  template <class Builder>
  Builder* next() {
    return batch.GetFieldAs<Builder>(column++);
  }
  void keep(arrow::Status next_status) {
    if (status.ok()) status = std::move(next_status);
  }
};

// Reads a row's fields from the columns, whose types were checked.
struct Take {
  const arrow::RecordBatch& batch;
  std::int64_t row;
  int column = 0;

  void operator()(const char* /*name*/, std::string& value) { value = next<arrow::StringArray>().GetString(row); }
  void operator()(const char* /*name*/, std::int64_t& value) { value = next<arrow::Int64Array>().Value(row); }
  void operator()(const char* /*name*/, int& value) { value = next<arrow::Int32Array>().Value(row); }
  void operator()(const char* /*name*/, double& value) { value = next<arrow::DoubleArray>().Value(row); }
  void operator()(const char* /*name*/, std::optional<std::int64_t>& value) {
    const auto& numbers = next<arrow::Int64Array>();
    value.reset();
    if (numbers.IsValid(row)) value = numbers.Value(row);
  }
  void operator()(const char* /*name*/, std::vector<std::string>& value) {
    const auto& lists = next<arrow::ListArray>();
    const auto& texts = static_cast<const arrow::StringArray&>(*lists.values());
    value.clear();
    for (auto i = lists.value_offset(row); i < lists.value_offset(row + 1); ++i) value.push_back(texts.GetString(i));
  }

 private:
  template <class Array>
  const Array& next() {
    return static_cast<const Array&>(*batch.column(column++));
  }
};

template <class Kind>
fs::path file_of(const fs::path& folder) {
  return folder / (std::string(KindName<Kind>::kAll) + ".parquet");
}

template <class Kind>
class Table {
 public:
  explicit Table(const fs::path& folder) : path_(file_of<Kind>(folder)), doing_("writing '" + path_.string() + "'") {
    const auto schema = schema_of<Kind>();
    file_ = value_of(arrow::io::FileOutputStream::Open(path_.string()), doing_);
    const auto properties = parquet::WriterProperties::Builder().compression(parquet::Compression::ZSTD)->build();
    const auto arrow_properties = parquet::ArrowWriterProperties::Builder().store_schema()->build();
    writer_ = value_of(
        parquet::arrow::FileWriter::Open(*schema, arrow::default_memory_pool(), file_, properties, arrow_properties),
        doing_);
    batch_ = value_of(arrow::RecordBatchBuilder::Make(schema, arrow::default_memory_pool(), kRowsOfABatch), doing_);
  }

  void write(const Kind& one) {
    Append append{*batch_};
    fields(append, one);
    check(append.status, doing_);
    if (++rows_ % kRowsOfABatch == 0) flush();
  }
  void finish() {
    flush();
    check(writer_->Close(), doing_);
    check(file_->Close(), doing_);
    const Descriptor written(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
    if (!written.is_open() || ::fsync(written.get()) != 0) throw Exception(Code::unavailable, doing_ + " failed");
    fs::permissions(path_, fs::perms{0600});
  }

 private:
  void flush() { check(writer_->WriteRecordBatch(*value_of(batch_->Flush(), doing_)), doing_); }

  fs::path path_;
  std::string doing_;
  std::shared_ptr<arrow::io::FileOutputStream> file_;
  std::unique_ptr<parquet::arrow::FileWriter> writer_;
  std::unique_ptr<arrow::RecordBatchBuilder> batch_;
  std::int64_t rows_ = 0;
};

class ParquetWriter final : public RowWriter {
 public:
  explicit ParquetWriter(const fs::path& folder)
      : folder_(made(folder)), tables_(folder_, folder_, folder_, folder_, folder_) {}
  void write(const Row& row) override {
    std::visit([&]<class Kind>(const Kind& one) { std::get<Table<Kind>>(tables_).write(one); }, row);
  }
  void finish(const Counts& /*counts*/) override {
    std::apply([](auto&... table) { (table.finish(), ...); }, tables_);
    sync_folder(folder_);
  }

 private:
  static const fs::path& made(const fs::path& folder) {
    fs::create_directory(folder);
    return folder;
  }

  fs::path folder_;
  std::tuple<Table<Video>, Table<FingerprintRow>, Table<Post>, Table<Note>, Table<Tombstone>> tables_;
};

// Throws unless the file has this format and the required columns.
void check_schema(const arrow::Schema& found, const arrow::Schema& wanted, const std::string& file) {
  const auto form = found.metadata() ? found.metadata()->Get(kRowFilesName) : arrow::Result<std::string>("");
  if (!form.ok() || form->empty()) {
    throw Exception(Code::invalid_argument, file + " is no file of an exported catalog");
  }
  if (*form != std::to_string(kRowFilesForm)) {
    throw Exception(Code::unsupported,
                    file + " has the form " + *form + ", this program knows " + std::to_string(kRowFilesForm));
  }
  if (!found.Equals(wanted, false)) throw Exception(Code::corrupt, file + " has other columns than it must have");
}

template <class Kind>
void read_table(const fs::path& folder, const std::function<void(const Row&)>& visit) {
  const auto path = file_of<Kind>(folder);
  const auto file = "'" + path.string() + "'";
  if (!fs::exists(path)) {
    throw Exception(Code::corrupt, "there is no " + file + ": an exported catalog has a file for each kind of row");
  }
  const auto doing = "reading " + file;
  const auto source = value_of(arrow::io::ReadableFile::Open(path.string()), doing);
  parquet::arrow::FileReaderBuilder builder;
  check(builder.Open(source), doing);
  std::unique_ptr<parquet::arrow::FileReader> reader;
  check(builder.Build(&reader), doing);
  reader->set_batch_size(kRowsOfABatch);
  const auto batches = value_of(reader->GetRecordBatchReader(), doing);
  check_schema(*batches->schema(), *schema_of<Kind>(), file);
  std::int64_t rows = 0;
  while (const auto batch = value_of(batches->Next(), doing)) {
    check(batch->ValidateFull(), doing);
    for (std::int64_t row = 0; row < batch->num_rows(); ++row) {
      Kind one;
      Take take{*batch, row};
      fields(take, one);
      visit(Row(std::move(one)));
    }
    rows += batch->num_rows();
  }
  if (rows != reader->parquet_reader()->metadata()->num_rows()) {
    throw Exception(Code::corrupt, file + " has fewer rows than it says; export it again");
  }
}

}  // namespace

std::unique_ptr<RowWriter> write_parquet(const fs::path& folder) { return std::make_unique<ParquetWriter>(folder); }

void read_parquet(const fs::path& folder, const std::function<void(const Row&)>& visit) {
  read_table<Video>(folder, visit);
  read_table<FingerprintRow>(folder, visit);
  read_table<Post>(folder, visit);
  read_table<Note>(folder, visit);
  read_table<Tombstone>(folder, visit);
}

}  // namespace reeltag::catalog
