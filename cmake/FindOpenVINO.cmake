# reeltag::openvino: the runtime from the unpacked PyPI wheel, with what a CPU needs of it: its plugin, the readers of ONNX and of
# its own format, and TBB (docs/adr/0059). The plugins are found beside the library. The wheel's own CMake config wants all of them.
find_path(OPENVINO_INCLUDE_DIR openvino/openvino.hpp PATHS "${REELTAG_DEPS_DIR}/openvino/include" NO_DEFAULT_PATH)
find_file(OPENVINO_LIBRARY libopenvino.so.2641 PATHS "${REELTAG_DEPS_DIR}/openvino/libs" NO_DEFAULT_PATH)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(OpenVINO REQUIRED_VARS OPENVINO_INCLUDE_DIR OPENVINO_LIBRARY
                                  REASON_FAILURE_MESSAGE "run ./run once: it unpacks the openvino wheel")
if(OpenVINO_FOUND AND NOT TARGET reeltag::openvino)
  add_library(reeltag_openvino INTERFACE)
  add_library(reeltag::openvino ALIAS reeltag_openvino)
  target_include_directories(reeltag_openvino SYSTEM INTERFACE "${OPENVINO_INCLUDE_DIR}")
  target_link_libraries(reeltag_openvino INTERFACE "${OPENVINO_LIBRARY}")
  target_link_options(reeltag_openvino INTERFACE
      "LINKER:-rpath,${REELTAG_DEPS_DIR}/openvino/libs" "LINKER:-rpath-link,${REELTAG_DEPS_DIR}/openvino/libs")
endif()
