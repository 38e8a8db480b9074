"""The training loop: time-boxed, resumable, reproducible from its seed."""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from triage.errors import TrainingError
from triage.logging import get_logger
from triage.training.batches import iterate, plan_batches
from triage.training.checkpoint import load_checkpoint, save_checkpoint
from triage.training.corpus import Corpus
from triage.training.encode import Encoded, encode, load_tokenizer
from triage.training.examples import Example
from triage.training.labels import Taxonomy
from triage.training.losses import class_weights, multi_task_loss
from triage.training.model import MultiHeadModel, load_encoder
from triage.training.schedule import Schedule
from triage.training.tokenizer import prepare_tokenizer
from triage.training.validation import figures, overall, predict

log = get_logger(__name__)


@dataclass(frozen=True)
class Options:
    """What a run depends on besides its data. Written into the checkpoint."""

    base: str
    layers: int | None = None
    epochs: float = 2.0
    max_minutes: float | None = None
    seed: int = 1
    learning_rate: float = 8e-5
    head_learning_rate: float = 5e-4
    weight_decay: float = 0.01
    warmup_steps: int = 100
    token_budget: int = 2_048
    max_tokens: int = 128
    bf16: bool = True
    validate_minutes: float = 10.0
    validation_cap: int = 150
    checkpoint_minutes: float = 5.0
    threads: int | None = None
    start_from: str | None = None
    extra: dict[str, Any] = field(default_factory=dict)


class Run:
    """One training run in `work`: resume.pt while it goes on, and `best`, a checkpoint, after each validation."""

    def __init__(self, corpus: Corpus, taxonomy: Taxonomy, options: Options, work: Path, console: Console) -> None:
        if options.threads:
            torch.set_num_threads(options.threads)
        torch.manual_seed(options.seed)
        self.corpus, self.taxonomy, self.options, self.work, self.console = corpus, taxonomy, options, work, console
        work.mkdir(parents=True, exist_ok=True)
        encoder = load_encoder(options.base, options.layers)
        self.pad_id = int(encoder.config.pad_token_id)
        self.tokenizer_file = work / "tokenizer.json"
        self.tokenizer_file.write_text(prepare_tokenizer(_tokenizer_text(options.base)), encoding="utf-8")
        self.tokenizer = load_tokenizer(str(self.tokenizer_file), options.max_tokens)
        self.model = MultiHeadModel(encoder, taxonomy)
        if options.start_from:
            self._start_from(Path(options.start_from))
        self.optimizer = _optimizer(self.model, options)
        self.step = self.texts = 0
        self.minutes = 0.0
        self.best = -1.0
        first = self._encode(corpus.epoch(self._epoch_seed(0)))
        self.epoch_data: tuple[int, list[Encoded]] = (0, first)
        steps = len(plan_batches([len(row.ids) for row in first], options.token_budget, seed=0))
        self.schedule = Schedule(max(1, round(steps * options.epochs)), options.warmup_steps, options.max_minutes)
        self.steps_per_epoch = steps
        self.intent_weights = class_weights((row.intent for row in first), len(taxonomy.intents))
        self.sentiment_weights = class_weights((row.sentiment for row in first), len(taxonomy.sentiments))
        self.held_out = _held_out(corpus, options.validation_cap)
        self.held_out_encoded = self._encode(self.held_out)

    def fit(self) -> dict[str, Any]:
        """Train until the epochs or the minutes are over; returns the info of the best checkpoint.

        Raises TrainingError if the loss stops being a number, or the time ends before the first validation.
        """
        started = time.monotonic() - self.minutes * 60
        saved = validated = self.minutes
        with _progress(self.console) as progress:
            task = progress.add_task("training", total=1.0)
            while not self.schedule.done(self.step, self.minutes):
                loss = self._one_step()
                self.minutes = (time.monotonic() - started) / 60
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
                    validated = (time.monotonic() - started) / 60
                if self.minutes - saved >= self.options.checkpoint_minutes:
                    self._save()
                    saved = (time.monotonic() - started) / 60
        return self._validate()

    def resume(self) -> bool:
        """Go on from resume.pt, if `work` has one of the same options; False if there is none.

        Raises TrainingError if it belongs to other options.
        """
        path = self.work / "resume.pt"
        if not path.exists():
            return False
        state = torch.load(path, weights_only=True)
        if state["options"] != _identity(self.options):
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

    def _one_step(self) -> float:
        epoch, position = divmod(self.step, self.steps_per_epoch)
        if self.epoch_data[0] != epoch or not hasattr(self, "_batches"):
            data = self._encode(self.corpus.epoch(self._epoch_seed(epoch)))
            self.epoch_data = (epoch, data)
            plan = plan_batches([len(row.ids) for row in data], self.options.token_budget, seed=self._epoch_seed(epoch))
            # An epoch is as many steps as the first: capped sources differ by a few texts from draw to draw.
            plan = [plan[index % len(plan)] for index in range(self.steps_per_epoch)]
            self._batches = iterate(data, plan[position:], self.pad_id)
        batch = next(self._batches)
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
            "started_from": Path(self.options.start_from).name if self.options.start_from else None,
            "seed": self.options.seed,
            "options": {
                key: value for key, value in asdict(self.options).items() if key not in ("extra", "base", "start_from")
            },
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
            "options": _identity(self.options),
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

    def _epoch_seed(self, epoch: int) -> int:
        return self.options.seed * 1_000 + epoch


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


def _identity(options: Options) -> dict[str, Any]:
    return {key: value for key, value in asdict(options).items() if key not in ("extra", "threads", "max_minutes")}


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
