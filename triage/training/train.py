"""The training loop: time-boxed, resumable, reproducible from its seed."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from triage.clock import Clock, SystemClock
from triage.errors import TrainingError
from triage.logging import get_logger
from triage.training.checkpoint import load_checkpoint, save_checkpoint
from triage.training.corpus import Corpus
from triage.training.encode import Encoded, encode, load_tokenizer
from triage.training.examples import Example
from triage.training.labels import Taxonomy
from triage.training.losses import class_weights, multi_task_loss
from triage.training.model import MultiHeadModel, load_encoder
from triage.training.options import Options
from triage.training.schedule import Schedule
from triage.training.stream import BatchStream
from triage.training.tokenizer import prepare_tokenizer
from triage.training.validation import figures, overall, predict

log = get_logger(__name__)

STAGE = ("commit", "seed", "texts", "steps", "minutes", "options")
"""What a later stage keeps of the account of an earlier one."""


class Run:
    """One training run in `work`: resume.pt while it goes on, and `best`, a checkpoint, after each validation."""

    def __init__(
        self,
        corpus: Corpus,
        taxonomy: Taxonomy,
        options: Options,
        work: Path,
        console: Console,
        clock: Clock | None = None,
    ) -> None:
        if options.threads:
            torch.set_num_threads(options.threads)
        torch.manual_seed(options.seed)
        self.corpus, self.taxonomy, self.options, self.work, self.console = corpus, taxonomy, options, work, console
        self.clock = clock or SystemClock()
        encoder = load_encoder(options.base, options.layers)
        self.pad_id = int(encoder.config.pad_token_id)
        work.mkdir(parents=True, exist_ok=True)
        self.tokenizer_file = work / "tokenizer.json"
        self.tokenizer_file.write_text(prepare_tokenizer(_tokenizer_text(options.base)), encoding="utf-8")
        self.tokenizer = load_tokenizer(str(self.tokenizer_file), options.max_tokens)
        self.model = MultiHeadModel(encoder, taxonomy)
        self.earlier_stages: list[dict[str, Any]] = []
        if options.start_from:
            self._start_from(Path(options.start_from))
        self.optimizer = _optimizer(self.model, options)
        self.step = self.texts = 0
        self.minutes = 0.0
        self.best = -1.0
        self.stream = BatchStream(corpus, self._encode, self.pad_id, options.token_budget, options.seed)
        steps = max(1, round(self.stream.steps_per_epoch * options.epochs))
        self.schedule = Schedule(steps, options.warmup_steps, options.max_minutes)
        self.intent_weights = class_weights(self.stream.intents, len(taxonomy.intents))
        self.sentiment_weights = class_weights(self.stream.sentiments, len(taxonomy.sentiments))
        self.held_out = _held_out(corpus, options.validation_cap)
        self.held_out_encoded = self._encode(self.held_out)

    def fit(self) -> dict[str, Any]:
        """Train until the epochs or the minutes are over; returns the account of the last validation.

        Raises TrainingError if the loss stops being a number.
        """
        started = self.clock.monotonic() - self.minutes * 60
        saved = validated = self.minutes
        with _progress(self.console) as progress:
            task = progress.add_task("training", total=1.0)
            while not self.schedule.done(self.step, self.minutes):
                loss = self._one_step()
                self.minutes = (self.clock.monotonic() - started) / 60
                done = self.schedule.progress(self.step, self.minutes)
                rate = self.texts / max(1e-9, self.minutes * 60)
                progress.update(
                    task, completed=done, description=f"step {self.step} loss {loss:.3f} {rate:.0f} texts/s"
                )
                if self.step % 50 == 0:
                    log.info(
                        "training", step=self.step, loss=round(loss, 3), texts_per_s=round(rate, 1), done=round(done, 3)
                    )
                if self.minutes - validated >= self.options.validate_minutes:
                    self._validate()
                    validated = (self.clock.monotonic() - started) / 60
                if self.minutes - saved >= self.options.checkpoint_minutes:
                    self._save()
                    saved = (self.clock.monotonic() - started) / 60
        return self._validate()

    def resume(self) -> bool:
        """Go on from resume.pt, if `work` has one of the same options; False if there is none.

        Raises TrainingError if it belongs to other options.
        """
        path = self.work / "resume.pt"
        if not path.exists():
            return False
        state = torch.load(path, weights_only=True)
        if state["options"] != self.options.identity():
            raise TrainingError(f"{path} belongs to a run with other options; remove it or give another --output")
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.texts, self.minutes, self.best = state["step"], state["texts"], state["minutes"], state["best"]
        log.info("training_resumed", step=self.step, minutes=round(self.minutes, 1))
        return True

    def _start_from(self, folder: Path) -> None:
        """Take the weights of a checkpoint of the same shape and label set: a second stage on another mix."""
        before = load_checkpoint(folder)
        if before.taxonomy != self.taxonomy:
            raise TrainingError(f"{folder} was trained for another taxonomy; start from the base encoder instead")
        try:
            self.model.load_state_dict(before.model.state_dict())
        except RuntimeError as error:
            raise TrainingError(f"{folder} has another shape than --base and --layers give: {error}") from error
        account = {key: before.info.get(key) for key in STAGE}
        self.earlier_stages = [*before.info.get("earlier_stages", []), account]

    def _one_step(self) -> float:
        batch = self.stream.batch(self.step)
        self.model.train()
        factor = self.schedule.factor(self.step, self.minutes)
        for group in self.optimizer.param_groups:
            group["lr"] = group["peak"] * factor
        with torch.autocast("cpu", torch.bfloat16, enabled=self.options.bf16):
            logits = self.model(batch.input_ids, batch.attention_mask)
        losses = multi_task_loss(logits, batch, self.intent_weights, self.sentiment_weights)
        total = torch.stack(list(losses.values())).sum()
        value = float(total.detach())
        if not torch.isfinite(total):
            raise TrainingError(f"the loss is {value} at step {self.step}; lower --learning-rate")
        total.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.step += 1
        self.texts += len(batch.input_ids)
        return value

    def _validate(self) -> dict[str, Any]:
        outputs = predict(self.model, self.held_out_encoded, self.pad_id, bf16=self.options.bf16)
        by_head = figures(outputs, self.held_out_encoded, [example.source for example in self.held_out], self.taxonomy)
        score = overall(by_head)
        info = {
            **self.options.extra,
            "base": Path(self.options.base).name,
            "earlier_stages": self.earlier_stages,
            "seed": self.options.seed,
            "options": self.options.account(),
            "texts": self.texts,
            "steps": self.step,
            "minutes": round(self.minutes, 1),
            "corpus": {name: len(examples) for name, examples in self.corpus.train.items()},
            "dropped_as_leaks": dict(self.corpus.dropped),
            "validation": {"overall": score, **by_head},
        }
        log.info("validated", step=self.step, overall=round(score, 4), **{h: _rounded(v) for h, v in by_head.items()})
        if score > self.best:
            self.best = score
            save_checkpoint(self.work / "best", self.model, self.taxonomy, self.tokenizer_file, info)
        return info

    def _save(self) -> None:
        state = {
            "options": self.options.identity(),
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "texts": self.texts,
            "minutes": self.minutes,
            "best": self.best,
        }
        partial = self.work / "resume.pt.partial"
        torch.save(state, partial)
        partial.replace(self.work / "resume.pt")

    def _encode(self, examples: Sequence[Example]) -> list[Encoded]:
        return list(encode(examples, self.tokenizer, self.taxonomy))


def _held_out(corpus: Corpus, cap: int) -> list[Example]:
    """At most `cap` validation texts a source, the same in every run."""
    chosen: list[Example] = []
    for examples in corpus.validation.values():
        stride = max(1, len(examples) // cap)
        chosen += examples[::stride][:cap]
    return chosen


def _optimizer(model: MultiHeadModel, options: Options) -> torch.optim.Optimizer:
    heads = {id(parameter) for parameter in model.head_parameters()}
    groups: dict[tuple[bool, bool], list[torch.nn.Parameter]] = {}
    for parameter in model.parameters():
        groups.setdefault((id(parameter) in heads, parameter.ndim > 1), []).append(parameter)
    return torch.optim.AdamW(
        [
            {
                "params": parameters,
                "peak": options.head_learning_rate if is_head else options.learning_rate,
                "lr": 0.0,
                "weight_decay": options.weight_decay if is_matrix else 0.0,
            }
            for (is_head, is_matrix), parameters in groups.items()
        ]
    )


def _tokenizer_text(base: str) -> str:
    """tokenizer.json of a folder, or of a hub name through transformers."""
    folder = Path(base)
    if folder.is_dir():
        return (folder / "tokenizer.json").read_text(encoding="utf-8")
    from transformers import AutoTokenizer

    return str(AutoTokenizer.from_pretrained(base).backend_tokenizer.to_str())


def _rounded(values: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 3) for name, value in values.items()}


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeElapsedColumn(),
        console=console,
        disable=not console.is_terminal,
    )
