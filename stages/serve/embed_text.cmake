# Writes a C++ file with a text as a constant: cmake -DTEXT=... -DNAME=... -DOUT=... -P embed_text.cmake
file(READ "${TEXT}" text)
# A raw literal may be long, but not endless; this delimiter must not occur.
string(FIND "${text}" ")reeltag\"" at)
if(NOT at EQUAL -1)
  message(FATAL_ERROR "${TEXT} holds the delimiter")
endif()
file(WRITE "${OUT}" "namespace reeltag::serve {\nextern const char* const ${NAME};\nconst char* const ${NAME} = R\"reeltag(${text})reeltag\";\n}  // namespace reeltag::serve\n")
