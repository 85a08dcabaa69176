# SPDX-License-Identifier: Apache-2.0
# Headers of the httpd and APR that the module is built for.
find_program(APXS NAMES apxs apxs2 REQUIRED)

# apxs_query(VARIABLE NAME): what apxs says of the httpd it belongs to.
function(apxs_query variable name)
  execute_process(COMMAND ${APXS} -q ${name} OUTPUT_VARIABLE answer OUTPUT_STRIP_TRAILING_WHITESPACE
    COMMAND_ERROR_IS_FATAL ANY)
  set(${variable} ${answer} PARENT_SCOPE)
endfunction()

apxs_query(httpd_include INCLUDEDIR)
apxs_query(apr_include APR_INCLUDEDIR)
apxs_query(apu_include APU_INCLUDEDIR)
apxs_query(httpd_modules LIBEXECDIR)

add_library(httpd_headers INTERFACE)
target_include_directories(httpd_headers SYSTEM INTERFACE ${httpd_include} ${apr_include} ${apu_include})
