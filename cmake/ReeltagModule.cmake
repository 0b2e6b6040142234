# One call per module keeps the layering of docs/architecture.md true:
#   reeltag_module(NAME media SOURCES probe.cpp ... TESTS probe_test.cpp ... LINK base EXTERNAL libav::libav)
# NAME, LINK   modules by short name; a module may link only modules that stand before it in REELTAG_LAYERS.
# SOURCES      private sources; the public headers are everything below include/.
# TESTS        GoogleTest sources, built into reeltag_<name>_test when REELTAG_TESTS is on.
# LINK         modules whose headers the public header needs; LINK_PRIVATE the ones only the sources need.
# EXTERNAL     outside libraries, likewise with EXTERNAL_PRIVATE.
# TEST_LINK, TEST_EXTERNAL  likewise, for the tests alone.
# PRECOMPILE   a header of the module that most of its sources include and that is dear to compile.
# TORCH        sources see libtorch and share its precompiled header. With -DREELTAG_WITH_TORCH=OFF such a module is left
#              out, and so is every module that links one.
# TORCH_INTERFACE  with TORCH: the public header shows tensors, so those who link it see libtorch's headers too.
# An undeclared include fails to compile because the other module's include folder is not on the path.

set(REELTAG_LAYERS
    base draw http sql store hashtag catalog media infer
    model_recipe model_input model_weights model_pickle model_checkpoint model_mvit_graph model_mvit model_image_encoder model_optim model_linear model_verify
    model_bundle
    ingest collect dataset train evaluate registry model_selection tag tag_tagger index retention serve_upload serve_sagemaker serve
    cycle app)

function(reeltag_check_direction from to)
  list(FIND REELTAG_LAYERS "${from}" from_at)
  list(FIND REELTAG_LAYERS "${to}" to_at)
  if(from_at EQUAL -1 OR to_at EQUAL -1)
    message(FATAL_ERROR "layering: '${from}' links '${to}', and one of them is not in REELTAG_LAYERS "
                        "(cmake/ReeltagModule.cmake). A new module needs an ADR in docs/adr/.")
  endif()
  if(NOT to_at LESS from_at)
    message(FATAL_ERROR "layering: back edge, module '${from}' may not link '${to}': "
                        "a module links only modules before it in REELTAG_LAYERS.")
  endif()
endfunction()

# The modules without libtorch share a precompiled header too (REELTAG_PCH). What it hides, an include that is missing, is
# found by CMAKE_VERIFY_INTERFACE_HEADER_SETS for public headers and by clang-tidy, which does not read it, for the rest.
function(reeltag_make_pch target)
  file(CONFIGURE OUTPUT "${PROJECT_BINARY_DIR}/${target}.cpp" CONTENT "")
  add_library(${target} STATIC "${PROJECT_BINARY_DIR}/${target}.cpp")
  target_link_libraries(${target} PRIVATE reeltag_warnings nlohmann_json::nlohmann_json)
  target_precompile_headers(${target} PRIVATE
      <algorithm> <chrono> <filesystem> <fstream> <functional> <map> <memory> <mutex> <optional> <string> <thread>
      <unordered_map> <vector> <nlohmann/json.hpp> ${ARGN})
endfunction()

# With REELTAG_UNITY the sources of a target are compiled a dozen at a time: half the time of a build from nothing
# (docs/adr/0006), and names of anonymous namespaces must differ within a module.
function(reeltag_unite target)
  if(REELTAG_UNITY)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 12)
  endif()
endfunction()

function(reeltag_module)
  cmake_parse_arguments(M "TORCH;TORCH_INTERFACE" "NAME" "SOURCES;TESTS;LINK;LINK_PRIVATE;EXTERNAL;EXTERNAL_PRIVATE;TEST_LINK;TEST_EXTERNAL;PRECOMPILE" ${ARGN})
  if(M_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "reeltag_module(${M_NAME}): unknown arguments ${M_UNPARSED_ARGUMENTS}")
  endif()
  foreach(other IN LISTS M_LINK M_LINK_PRIVATE)
    reeltag_check_direction(${M_NAME} ${other})
  endforeach()
  if(NOT M_NAME IN_LIST REELTAG_LAYERS)
    message(FATAL_ERROR "layering: module '${M_NAME}' is not in REELTAG_LAYERS (cmake/ReeltagModule.cmake). "
                        "A new module needs an ADR in docs/adr/.")
  endif()
  get_property(left_out GLOBAL PROPERTY REELTAG_LEFT_OUT)
  set(needs_torch ${M_TORCH})
  foreach(other IN LISTS M_LINK M_LINK_PRIVATE)
    if(other IN_LIST left_out)
      set(needs_torch TRUE)
    endif()
  endforeach()
  if(needs_torch AND NOT REELTAG_WITH_TORCH)
    set_property(GLOBAL APPEND PROPERTY REELTAG_LEFT_OUT ${M_NAME})
    return()
  endif()

  set(target reeltag_${M_NAME})
  add_library(${target} STATIC ${M_SOURCES})
  add_library(reeltag::${M_NAME} ALIAS ${target})
  file(GLOB_RECURSE headers CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/include/*.hpp)
  target_sources(${target} PUBLIC FILE_SET HEADERS BASE_DIRS ${CMAKE_CURRENT_SOURCE_DIR}/include FILES ${headers})
  target_include_directories(${target} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})  # private headers by their place in the module
  list(TRANSFORM M_LINK PREPEND reeltag::)
  list(TRANSFORM M_LINK_PRIVATE PREPEND reeltag::)
  target_link_libraries(${target} PUBLIC ${M_LINK} ${M_EXTERNAL} PRIVATE reeltag_warnings ${M_LINK_PRIVATE} ${M_EXTERNAL_PRIVATE})
  if(M_TORCH)
    if(M_TORCH_INTERFACE)
      target_link_libraries(${target} PUBLIC reeltag::torch)
    else()
      target_link_libraries(${target} PRIVATE reeltag::torch)
    endif()
    target_precompile_headers(${target} REUSE_FROM reeltag_torch_pch)
  elseif(REELTAG_PCH AND M_PRECOMPILE)
    target_precompile_headers(${target} PRIVATE ${M_PRECOMPILE})
  elseif(REELTAG_PCH)
    target_precompile_headers(${target} REUSE_FROM reeltag_pch)
  endif()
  reeltag_unite(${target})

  if(REELTAG_TESTS AND M_TESTS)
    add_executable(${target}_test ${M_TESTS})
    list(TRANSFORM M_TEST_LINK PREPEND reeltag::)
    target_link_libraries(${target}_test PRIVATE ${target} reeltag_warnings ${M_LINK_PRIVATE} ${M_TEST_LINK}
                                                 ${M_EXTERNAL_PRIVATE} ${M_TEST_EXTERNAL} GTest::gmock GTest::gtest_main)
    target_include_directories(${target}_test PRIVATE ${CMAKE_CURRENT_SOURCE_DIR} "${PROJECT_SOURCE_DIR}/foundation/test_support")
    target_compile_definitions(${target}_test PRIVATE REELTAG_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
    if(M_TORCH)
      target_link_libraries(${target}_test PRIVATE reeltag::torch)
      target_precompile_headers(${target}_test REUSE_FROM reeltag_torch_pch)
    elseif(REELTAG_PCH)
      target_precompile_headers(${target}_test REUSE_FROM reeltag_test_pch)
    endif()
    set_property(GLOBAL APPEND PROPERTY REELTAG_TEST_TARGETS ${target}_test)
    add_test(NAME ${M_NAME} COMMAND ${target}_test)
  endif()
endfunction()
