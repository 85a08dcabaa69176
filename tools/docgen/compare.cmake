# SPDX-License-Identifier: Apache-2.0
# Fails when a document in DOCS is not what DOCGEN makes of the code.
file(MAKE_DIRECTORY ${WORK})
execute_process(COMMAND ${DOCGEN} ${WORK} COMMAND_ERROR_IS_FATAL ANY)
file(GLOB made RELATIVE ${WORK} ${WORK}/*.md)
foreach(name ${made})
  execute_process(COMMAND ${CMAKE_COMMAND} -E compare_files ${WORK}/${name} ${DOCS}/${name} RESULT_VARIABLE differs)
  if(differs)
    message(FATAL_ERROR "docs/${name} is not what the code says: run ./dev docs and commit the result")
  endif()
endforeach()
