# reeltag::torch: libtorch's CPU library from the unpacked PyPI wheel (or any other libtorch by
# -DREELTAG_TORCH_DIR=). The wheel's own CMake config stops without a CUDA toolkit, so it is not used.
set(REELTAG_TORCH_DIR "${REELTAG_DEPS_DIR}/torch" CACHE PATH "libtorch: the folder that has include/ and lib/")

find_path(TORCH_INCLUDE_DIR torch/csrc/api/include/torch/torch.h PATHS "${REELTAG_TORCH_DIR}/include" NO_DEFAULT_PATH)
find_library(TORCH_CPU_LIBRARY torch_cpu PATHS "${REELTAG_TORCH_DIR}/lib" NO_DEFAULT_PATH)
find_library(TORCH_C10_LIBRARY c10 PATHS "${REELTAG_TORCH_DIR}/lib" NO_DEFAULT_PATH)
# Gloo's headers, which the wheel lacks and its c10d headers include (docs/adr/0075).
find_path(GLOO_INCLUDE_DIR gloo/context.h)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Torch REQUIRED_VARS TORCH_INCLUDE_DIR TORCH_CPU_LIBRARY TORCH_C10_LIBRARY GLOO_INCLUDE_DIR
                                  REASON_FAILURE_MESSAGE "run ./run once, or pass -DREELTAG_TORCH_DIR=")

if(Torch_FOUND AND NOT TARGET reeltag::torch)
  set(torch_lib "${REELTAG_TORCH_DIR}/lib")
  set(cuda_lib "${REELTAG_DEPS_DIR}/nvidia/cu13/lib")
  add_library(reeltag_torch INTERFACE)
  add_library(reeltag::torch ALIAS reeltag_torch)
  target_include_directories(reeltag_torch SYSTEM INTERFACE
      "${TORCH_INCLUDE_DIR}" "${TORCH_INCLUDE_DIR}/torch/csrc/api/include")
  # DT_RPATH (not RUNPATH) is inherited by libtorch_cpu, which needs the CUDA runtime stubs beside it even without a GPU.
  target_link_libraries(reeltag_torch INTERFACE "${TORCH_CPU_LIBRARY}" "${TORCH_C10_LIBRARY}")
  target_link_options(reeltag_torch INTERFACE
      "LINKER:--disable-new-dtags" "LINKER:-rpath,${torch_lib}:${cuda_lib}" "LINKER:-rpath-link,${torch_lib}:${cuda_lib}")

  # torch/torch.h costs about 25 s a file; compiled once here and shared by REUSE_FROM.
  file(CONFIGURE OUTPUT "${PROJECT_BINARY_DIR}/torch_pch.cpp" CONTENT "")  # keeps its time where nothing changed
  add_library(reeltag_torch_pch STATIC "${PROJECT_BINARY_DIR}/torch_pch.cpp")
  target_link_libraries(reeltag_torch_pch PRIVATE reeltag::torch reeltag_warnings)
  target_precompile_headers(reeltag_torch_pch PRIVATE <torch/torch.h>)
endif()
