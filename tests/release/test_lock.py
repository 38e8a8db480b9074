"""`.ci/lock` splits locks without losing a pin, also of packages that have one for each version of Python."""

from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader

import pytest
from checkout import ROOT


@pytest.fixture(scope="module")
def lock():
    loader = SourceFileLoader("triage_lock", str(ROOT / ".ci" / "lock"))
    spec = spec_from_loader(loader.name, loader)
    module = module_from_spec(spec)
    loader.exec_module(module)
    return module


def pin(name, *needed_by, hashed="0"):
    return f"{name} \\\n    --hash=sha256:{hashed}\n" + "".join(f"    # via {who}\n" for who in needed_by)


OLD, NEW = pin("numpy==2.4 ; python_full_version < '3.12'", "a"), pin("numpy==2.5 ; python_full_version >= '3.12'", "a")


def test_what_all_have_in_common_is_moved_whole(lock):
    found = lock.split({"cpu": OLD + NEW + pin("runtime==1", "b"), "gpu": pin("driver==3") + OLD + NEW})
    assert found["base"].count("numpy==") == 2
    assert "# via" not in found["base"]
    assert found["cpu"] == "-r base.txt\n" + pin("runtime==1", "b")
    assert found["gpu"] == "-r base.txt\n" + pin("driver==3")


def test_another_pin_or_hash_stays_with_its_lock(lock):
    found = lock.split({"cpu": pin("a==1") + pin("b==1"), "gpu": pin("a==2") + pin("b==1", hashed="f")})
    assert found == {"base": "", "cpu": "-r base.txt\n" + pin("a==1") + pin("b==1"),
                     "gpu": "-r base.txt\n" + pin("a==2") + pin("b==1", hashed="f")}  # fmt: skip
    with pytest.raises(ValueError, match=r"pins differ.*b==1"):
        lock.without(pin("b==1", hashed="f"), lock.pins(pin("b==1")))


def test_wheels_that_no_supported_machine_takes_are_left_out(lock):
    wanted = [
        "cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64",
        "cp39-abi3-macosx_11_0_arm64",
        "cp314-cp314-macosx_11_0_universal2",
    ]
    others = [
        "cp310-cp310-manylinux_2_17_x86_64",
        "pp311-pypy311_pp73-manylinux_2_17_x86_64",
        "cp311-cp311-musllinux_1_2_x86_64",
    ]
    others += [
        "cp314-cp314-win_amd64",
        "cp312-cp312-macosx_10_13_x86_64",
        "cp312-cp312-manylinux_2_17_s390x",
        "cp314-cp314t-manylinux_2_17_x86_64",
    ]
    files = [f"fast-1-{tag}.whl" for tag in wanted + others]
    names = {f"sha256:{number:064}": name for number, name in enumerate(files)}
    sources = "sha256:" + "f" * 64
    hashes = "".join(f" \\\n    --hash={found}" for found in (*names, sources))
    text = f"fast==1{hashes}\n    # via other\n"
    kept = [name for found, name in names.items() if found in lock.installable(text, names)]
    assert kept == files[:3]
    assert sources in lock.installable(text, names)
    assert lock.installable(text, names).endswith("\n    # via other\n")


def test_a_package_with_no_other_file_keeps_its_hashes(lock):
    text = pin("odd==1", hashed="0" * 64)
    assert lock.installable(text, {"sha256:" + "0" * 64: "odd-1-cp311-cp311-musllinux_1_2_x86_64.whl"}) == text


def test_file_names_come_from_the_lock_in_the_standard_format(lock):
    wheel = {"url": "https://files.example/a/fast-1%2Bcpu-py3-none-any.whl", "hashes": {"sha256": "ab"}}
    assert lock.file_names({"packages": [{"name": "fast", "wheels": [wheel]}, {"name": "sources-only"}]}) == {
        "sha256:ab": "fast-1%2Bcpu-py3-none-any.whl"
    }
    assert lock.is_wanted("fast-1%2Bcpu-py3-none-any.whl")


def test_the_committed_locks_hold_each_pin_once(lock):
    texts = {path.stem: path.read_text("utf-8") for path in (ROOT / "requirements").glob("*.txt")}
    for names in (("base", "cpu", "dev"), ("base", "gpu"), ("base", "openvino"), ("base", "train")):
        found = [pin for name in names for pin in lock.packages(texts[name])]
        assert len(found) == len(set(found))
