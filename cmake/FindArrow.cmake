# reeltag::arrow: Apache Arrow C++ from the unpacked pyarrow wheel, with its S3 file system, which costs a millisecond until it
# is initialised (docs/adr/0037).
# reeltag::parquet: its Parquet files.
find_path(ARROW_INCLUDE_DIR arrow/filesystem/api.h PATHS "${REELTAG_DEPS_DIR}/pyarrow/include" NO_DEFAULT_PATH)
find_file(ARROW_LIBRARY libarrow.so.2600 PATHS "${REELTAG_DEPS_DIR}/pyarrow" NO_DEFAULT_PATH)
find_file(ARROW_S3_LIBRARY libarrow_s3.so.2600 PATHS "${REELTAG_DEPS_DIR}/pyarrow" NO_DEFAULT_PATH)
find_file(PARQUET_LIBRARY libparquet.so.2600 PATHS "${REELTAG_DEPS_DIR}/pyarrow" NO_DEFAULT_PATH)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Arrow REQUIRED_VARS ARROW_INCLUDE_DIR ARROW_LIBRARY ARROW_S3_LIBRARY PARQUET_LIBRARY
                                  REASON_FAILURE_MESSAGE "run ./run once: it unpacks the pyarrow wheel")
if(Arrow_FOUND AND NOT TARGET reeltag::arrow)
  add_library(reeltag_arrow INTERFACE)
  add_library(reeltag::arrow ALIAS reeltag_arrow)
  target_include_directories(reeltag_arrow SYSTEM INTERFACE "${ARROW_INCLUDE_DIR}")
  target_link_libraries(reeltag_arrow INTERFACE "${ARROW_S3_LIBRARY}" "${ARROW_LIBRARY}")
  target_link_options(reeltag_arrow INTERFACE "LINKER:-rpath,${REELTAG_DEPS_DIR}/pyarrow")
  add_library(reeltag_parquet INTERFACE)
  add_library(reeltag::parquet ALIAS reeltag_parquet)
  target_link_libraries(reeltag_parquet INTERFACE reeltag::arrow "${PARQUET_LIBRARY}")
endif()
