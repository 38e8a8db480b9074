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


def test_the_committed_locks_hold_each_pin_once(lock):
    texts = {path.stem: path.read_text("utf-8") for path in (ROOT / "requirements").glob("*.txt")}
    for names in (("base", "cpu", "dev"), ("base", "gpu"), ("base", "openvino")):
        found = [pin for name in names for pin in lock.packages(texts[name])]
        assert len(found) == len(set(found))
