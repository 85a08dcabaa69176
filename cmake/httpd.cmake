# Headers of the httpd and APR that the module is built for.
find_program(APXS NAMES apxs apxs2 REQUIRED)
execute_process(COMMAND ${APXS} -q INCLUDEDIR OUTPUT_VARIABLE httpd_include OUTPUT_STRIP_TRAILING_WHITESPACE)
execute_process(COMMAND ${APXS} -q APR_INCLUDEDIR OUTPUT_VARIABLE apr_include OUTPUT_STRIP_TRAILING_WHITESPACE)
execute_process(COMMAND ${APXS} -q APU_INCLUDEDIR OUTPUT_VARIABLE apu_include OUTPUT_STRIP_TRAILING_WHITESPACE)
add_library(httpd_headers INTERFACE)
target_include_directories(httpd_headers SYSTEM INTERFACE ${httpd_include} ${apr_include} ${apu_include})
