# SPDX-License-Identifier: Apache-2.0
# split_debug(TARGET): debug information moves into FILE.debug beside the linked file, where gdb and perf find it by name.
find_program(OBJCOPY objcopy REQUIRED)

function(split_debug target)
  add_custom_command(TARGET ${target} POST_BUILD
    COMMAND ${OBJCOPY} --only-keep-debug $<TARGET_FILE:${target}> $<TARGET_FILE:${target}>.debug
    COMMAND ${OBJCOPY} --strip-unneeded --add-gnu-debuglink=$<TARGET_FILE:${target}>.debug $<TARGET_FILE:${target}>
    COMMENT "Splitting debug information off")
endfunction()
