# reeltag::libav: FFmpeg 5.1 from Debian. No libavfilter: it pulls in a second BLAS and 0.3 s of start-up.
find_package(PkgConfig REQUIRED)
pkg_check_modules(LIBAV REQUIRED IMPORTED_TARGET libavformat libavcodec libavutil libswscale)
if(NOT TARGET reeltag::libav)
  add_library(reeltag_libav INTERFACE)
  add_library(reeltag::libav ALIAS reeltag_libav)
  target_link_libraries(reeltag_libav INTERFACE PkgConfig::LIBAV)
endif()
set(Libav_FOUND TRUE)
