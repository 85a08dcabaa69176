# SPDX-License-Identifier: Apache-2.0
"""The exception wall: nothing that httpd calls is a bare function of ours, and text crosses to Rust in one way alone."""
import importlib.util
import pathlib
import re
import subprocess

import pytest
from harness.paths import ROOT, mod_tls_so

spec = importlib.util.spec_from_file_location("house_rules", ROOT / "tools/house_rules.py")
house_rules = importlib.util.module_from_spec(spec)
spec.loader.exec_module(house_rules)

HERE = pathlib.Path("src/conn/sample.cpp")


def judged(code: str) -> list[str]:
    return [what for _, _, what in house_rules.wall_breaches(HERE, code)]


@pytest.mark.parametrize("code", [
    "ap_hook_fixups(fill, nullptr, nullptr, APR_HOOK_MIDDLE);\n",
    "ap_hook_fixups(\n    fill,  // apr::hook<fill>\n    nullptr, nullptr, APR_HOOK_MIDDLE);\n",
    "APR_OPTIONAL_HOOK(proxy, section_post_config, section, nullptr, nullptr, APR_HOOK_MIDDLE);\n",
    "ap_register_input_filter(kName, input, nullptr, type);\n",
    "ap_register_output_filter(kName, output, nullptr, type);\n",
    "apr_pool_cleanup_register(pool, data, [](void*) { return APR_SUCCESS; }, apr_pool_cleanup_null);\n",
    "apr_pool_pre_cleanup_register(pool, data, stop);\n",
    "apr_thread_create(&thread, nullptr, run, this, pool);\n",
    "apr_proc_other_child_register(process, died, process, nullptr, pool);\n",
    'apr_dynamic_fn_register("x", reinterpret_cast<apr_opt_fn_t*>(x));\n',
    "register_log_handler(pool, letter, log, 0);\n",
    "return answer_expression(parms, variable, name);\n",
    "const authz_provider provider = {judge, read};\n",
    "module m = {\n    .create_dir_config = create,\n};\n",
    "module m = {\n    .register_hooks = register_hooks,\n};\n",
    "int judge(request_rec* r) noexcept { return OK; }\n",
    "bool Stream::feed(const char* data,\n                  std::size_t length) noexcept {\n",
])
def test_a_bare_function_is_seen(code):
    assert len(judged(code)) == 1


@pytest.mark.parametrize("code", [
    "ap_hook_fixups(apr::hook<fill, DECLINED>, nullptr, nullptr, APR_HOOK_MIDDLE);\n",
    "constexpr auto ours = apr::hook<list, nullptr>;\napr_dynamic_fn_register(\"x\", reinterpret_cast<apr_opt_fn_t*>(ours));\n",
    "module m = {\n    .create_dir_config = hook<create, lost>,\n};\n",
    "const auto* hooks = ap_hook_get_ssl_bind_outgoing();\n",
    "int lost(const char* why, conn_rec* c) noexcept {\n",
    "// int judge(request_rec* r) noexcept;\n",
])
def test_what_stands_behind_the_wall_passes(code):
    assert judged(code) == []


def test_the_sources_have_hooks_at_all():
    """Else the rule would look at nothing."""
    registered = sum(len(house_rules.TAKES_FUNCTION.findall(path.read_text()))
                     for path in house_rules.listed("src/*") if path.suffix in (".cpp", ".hpp"))
    assert registered > 40


def test_no_object_makes_a_rust_string_that_can_throw():
    """rust::String(std::string), (const char*), (const char*, size_t), and rust::Str's likewise, throw on text that is not
    UTF-8, and are what an assignment silently becomes. src/apr/to_rust.hpp has what stands for them."""
    objects = sorted((mod_tls_so().parent / "CMakeFiles/mod_tls.dir/src").rglob("*.o"))
    assert len(objects) > 30, "build the module here: its objects are what is looked at"
    throwing = re.compile(r"rust::cxxbridge1::(String|Str)::\1\((std::|char const\*|char16_t)")
    found = []
    for path in objects:
        symbols = subprocess.run(["nm", "-C", "--undefined-only", path], capture_output=True, text=True, check=True).stdout
        found += [f"{path.name}: {line.split(None, 1)[1]}" for line in symbols.splitlines() if throwing.search(line)]
    assert found == []
