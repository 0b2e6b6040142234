# Writes OUT, a C++ file with the text and the SHA-256 of every SQL_DIR/NNNN_name.sql, in order. The numbers must run
# from 0001 without a gap: a migration that has been released is never removed or renumbered.
file(GLOB files "${SQL_DIR}/*.sql")
list(SORT files)
set(entries "")
set(expected 0)
foreach(file IN LISTS files)
  math(EXPR expected "${expected} + 1")
  get_filename_component(name "${file}" NAME_WE)
  if(NOT name MATCHES "^([0-9][0-9][0-9][0-9])_[a-z0-9_]+$")
    message(FATAL_ERROR "${file}: a migration is called NNNN_name.sql")
  endif()
  set(digits "${CMAKE_MATCH_1}")
  string(REGEX REPLACE "^0+" "" number "${digits}")
  if(NOT number EQUAL expected)
    message(FATAL_ERROR "${file}: expected migration number ${expected}")
  endif()
  file(READ "${file}" text)
  file(SHA256 "${file}" checksum)
  string(APPEND entries "    {${number}, \"${name}\", \"${checksum}\", R\"sql(${text})sql\"},\n")
endforeach()
if(expected EQUAL 0)
  message(FATAL_ERROR "no migrations in ${SQL_DIR}")
endif()
file(WRITE "${OUT}" "// Written by embed_sql.cmake.
#include \"migrations.hpp\"

namespace reeltag::catalog {
namespace {
constexpr sql::Migration kMigrations[] = {
${entries}};
}  // namespace

std::span<const sql::Migration> migrations() { return kMigrations; }

}  // namespace reeltag::catalog
")
