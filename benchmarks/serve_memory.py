"""`make bench NAME=serve_memory`: memory of `triage serve` after each step of its start and of its first work.

The steps run in one process without Kafka and Elasticsearch. RSS is all resident memory; of PSS, pages that several
processes map count in parts; what is anonymous can't be shared. With `--device`, another runtime; the sentence encoder
is measured if it is built.
"""

import argparse
from pathlib import Path

from benchmarks.report import Row, publish

TEXTS = ("I want a refund for my jacket", "快递三天了还没到，打客服电话也没人接") * 16


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cpu", choices=["cpu", "openvino"])
    rows = measured(parser.parse_args().device)
    publish("serve_memory", rows)


def measured(device: str) -> list[Row]:
    """A row for each step, MiB resident after it."""
    rows = [_row("interpreter")]
    import triage.serving.serve  # noqa: F401

    rows.append(_row("imports"))
    from triage.assist.conversations.answers import HttpWebhooks
    from triage.assist.conversations.assemble import build_taker
    from triage.assist.conversations.facts import facts_by_rules
    from triage.assist.encoder.onnx_encoder import open_encoder
    from triage.config import load_settings
    from triage.inference.model import OnnxModel
    from triage.redaction import Redactor
    from triage.rules import load_rules
    from triage.runtime.memory import release_large_blocks, return_freed_memory

    release_large_blocks()
    settings = load_settings(None, {"model.device": device})
    model = OnnxModel.load(settings.model)
    rows.append(_row("model"))
    load_rules(None)
    build_taker(settings.conversations, HttpWebhooks(settings.conversations.webhooks))
    facts_by_rules(TEXTS[0], Redactor(settings.redaction))
    rows.append(_row("rules, playbooks, redaction"))
    return_freed_memory()
    rows.append(_row("freed memory returned"))
    for _ in range(5):
        model.predict(list(TEXTS))
    rows.append(_row("texts classified, 32 at once"))
    encoder = open_encoder(settings)
    if encoder is not None:
        rows.append(_row("encoder opened"))
        encoder.encode_questions(TEXTS[:2])
        rows.append(_row("a question encoded"))
    return rows


def _row(name: str) -> Row:
    fields = {}
    for line in Path("/proc/self/smaps_rollup").read_text("ascii").splitlines()[1:]:
        key, _, value = line.partition(":")
        fields[key] = int(value.split()[0]) / 1024
    rss = fields["Rss"]
    return Row(name, "MiB", rss, rss, rss, 1, {"PSS": fields["Pss"], "anonymous": fields["Anonymous"]})


if __name__ == "__main__":
    main()
