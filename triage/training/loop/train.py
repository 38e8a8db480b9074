"""Runs the training loop: limited by time or steps, resumable, reproducible from its seed.

One thread does everything: it computes the steps, validates, and saves the best checkpoint and the state for a resume.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from torch import Tensor

from triage.clock import Clock, SystemClock
from triage.errors import TrainingError
from triage.logging import get_logger
from triage.training.data.batches import Batch
from triage.training.data.corpus import Corpus
from triage.training.data.encode import Encoded, encode, load_tokenizer
from triage.training.data.examples import Example
from triage.training.data.files import BEST
from triage.training.data.labels import Taxonomy
from triage.training.data.stream import BatchStream
from triage.training.loop.adapters import add_adapters, can_merge, merge_adapters, parameter_counts, update_ranks
from triage.training.loop.augment import augment_examples
from triage.training.loop.averaging import WeightAverage
from triage.training.loop.checkpoint import load_state, save_checkpoint, save_state
from triage.training.loop.encoders import load_encoder
from triage.training.loop.history import History, draw_learning_curve
from triage.training.loop.losses import Objective, adversarial_step, class_weights, distillation_loss
from triage.training.loop.model import MultiHeadModel
from triage.training.loop.optimizer import build_optimizer, freeze
from triage.training.loop.options import Options
from triage.training.loop.schedule import Schedule
from triage.training.loop.start import load_teacher, start_from
from triage.training.loop.tokenizer import prepare_tokenizer, tokenizer_text
from triage.training.loop.validation import (
    head_means,
    overall_score,
    predict,
    validation_sample,
    validation_scores,
)

log = get_logger(__name__)

_HISTORY_STEPS = 10  # steps between two lines of history.jsonl
_LOG_STEPS = 50
_STATE = ("step", "texts", "minutes", "best", "unimproved")


class TrainingRun:
    """One training run in the folder `work`.

    The folder contains resume.pt during the run, history.jsonl, learning_curve.png, and the checkpoint `best`, which is
    written after each validation with a new best score.

    Raises TrainingError or ConfigError for an unsuitable base, start or teacher, before training starts.
    """

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
        self.tokenizer_file.write_text(prepare_tokenizer(tokenizer_text(options.base)), encoding="utf-8")
        self.tokenizer = load_tokenizer(str(self.tokenizer_file), options.max_tokens)
        self.model = MultiHeadModel(encoder, taxonomy)
        self.earlier_stages = start_from(self.model, Path(options.start_from), taxonomy) if options.start_from else []
        self.teacher = load_teacher(Path(options.teacher), taxonomy, self.tokenizer_file) if options.teacher else None
        freeze(self.model, options)
        self.stream = BatchStream(corpus, self._encode, self.pad_id, options.token_budget, options.seed, self._augment)
        steps = max(1, round(self.stream.steps_per_epoch * options.epochs / options.accumulate))
        steps = min(steps, options.max_steps or steps)
        self.schedule = Schedule(steps, options.warmup_steps, options.max_minutes)
        add_adapters(self.model, options, steps)
        self.optimizer = build_optimizer(self.model, options)
        self.average = WeightAverage(self.model, options.ema_decay) if options.ema_decay else None
        self.objective = Objective(
            class_weights(self.stream.intents, len(taxonomy.intents)),
            class_weights(self.stream.sentiments, len(taxonomy.sentiments)),
            options.label_smoothing,
            options.sentiment_smoothing,
            options.head_weights,
        )
        self.step = self.texts = self.unimproved = 0
        self.minutes = 0.0
        self.best = -1.0
        self.history = History(work)
        self.validation = validation_sample(corpus, options.validation_cap)
        self.validation_encoded = self._encode(self.validation)

    def fit(self) -> dict[str, Any]:
        """Train to the end of the epochs, steps, minutes or patience; returns the result of the last `validate`.

        Raises TrainingError if the loss is not finite or the disk is full.
        """
        started = self.clock.monotonic() - self.minutes * 60
        saved = validated = self.minutes
        self.history.start(self.step)
        trainable, parameters = parameter_counts(self.model)
        log.info("training_started", steps=self.schedule.steps, learning=trainable, parameters=parameters)
        with _progress_bar(self.console) as progress:
            task = progress.add_task("training", total=1.0)
            while not self.schedule.done(self.step, self.minutes) and not self._out_of_patience():
                loss = self._one_step()
                self.minutes = (self.clock.monotonic() - started) / 60
                done = self.schedule.progress(self.step, self.minutes)
                rate = self.texts / max(1e-9, self.minutes * 60)
                progress.update(
                    task, completed=done, description=f"step {self.step} loss {loss:.3f} {rate:.0f} texts/s"
                )
                if self.step % _LOG_STEPS == 0:
                    log.info(
                        "training", step=self.step, loss=round(loss, 3), texts_per_s=round(rate, 1), done=round(done, 3)
                    )
                if self.minutes - validated >= self.options.validate_minutes:
                    self.validate()
                    validated = (self.clock.monotonic() - started) / 60
                if self.minutes - saved >= self.options.checkpoint_minutes:
                    self.save()
                    saved = (self.clock.monotonic() - started) / 60
        info = self.validate()
        draw_learning_curve(self.work)
        return info

    def resume(self) -> bool:
        """Restore the state in resume.pt; False if there is none.

        Weights, averages, optimizer, random numbers and the order of the data continue as in a run that was never
        stopped. Raises TrainingError if the file belongs to a run with other options.
        """
        state = load_state(self.work, self.options)
        if state is None:
            return False
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        if self.average is not None:
            self.average.load(state["average"])
        torch.set_rng_state(state["random"])
        for name in _STATE:
            setattr(self, name, state[name])
        log.info("training_resumed", step=self.step, minutes=round(self.minutes, 1))
        return True

    def save(self) -> None:
        """Write the state that `resume` restores. Raises TrainingError if the disk is full."""
        state = {name: getattr(self, name) for name in _STATE}
        state |= {
            "options": self.options.identity(),
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "average": self.average.state() if self.average else None,
            "random": torch.get_rng_state(),
        }
        save_state(self.work, state)

    def _one_step(self) -> float:
        """Update the weights from `accumulate` batches; returns their mean loss."""
        self.model.train()
        factor = self.schedule.factor(self.step, self.minutes)
        for group in self.optimizer.param_groups:
            group["lr"] = group["peak"] * factor
        parts = self.options.accumulate
        totals: dict[str, float] = {}
        for part in range(parts):
            batch = self.stream.batch(self.step * parts + part)
            for head, loss in self._backward(batch, parts).items():
                totals[head] = totals.get(head, 0.0) + loss / parts
            self.texts += len(batch.input_ids)
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        update_ranks(self.model, self.options, self.step)
        self.optimizer.zero_grad(set_to_none=True)
        if self.average is not None:
            self.average.update(self.model)
        self.step += 1
        if self.step % _HISTORY_STEPS == 0:
            self.history.add(step=self.step, minutes=round(self.minutes, 2), texts=self.texts, lr=factor, losses=totals)
        return sum(totals.values())

    def _backward(self, batch: Batch, parts: int) -> dict[str, float]:
        """Add the gradients of one of `parts` batches; returns its losses by head."""
        losses = self._losses(batch)
        total = torch.stack(list(losses.values())).sum() if losses else None
        if total is None:
            return {}
        if not torch.isfinite(total):
            raise TrainingError(f"the loss is {float(total.detach())} at step {self.step}; lower --learning-rate")
        (total / parts).backward()
        if self.options.adversarial:
            words = self.model.encoder.get_input_embeddings().weight
            adversarial_step(
                words,
                self.options.adversarial,
                lambda: torch.stack(list(self._losses(batch).values())).sum() / parts,
            )
        return {head: float(loss.detach()) for head, loss in losses.items()}

    def _losses(self, batch: Batch) -> dict[str, Tensor]:
        with torch.autocast("cpu", torch.bfloat16, enabled=self.options.bf16):
            logits = self.model(batch.input_ids, batch.attention_mask)
        losses = self.objective(logits, batch)
        if self.teacher is not None:
            with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=self.options.bf16):
                target = self.teacher(batch.input_ids, batch.attention_mask)
            losses["teacher"] = self.options.distill_weight * distillation_loss(
                logits, target, batch.attention_mask, self.options.distill_temperature
            )
        return losses

    def validate(self) -> dict[str, Any]:
        """Evaluate the weights (or their average) and save them as the checkpoint `best` if they are the best so far.

        Returns the checkpoint's info: base, options, steps, minutes, data, and the scores by head under `validation`.
        """
        if self.average is None:
            return self._validate_weights()
        with self.average.applied(self.model):
            return self._validate_weights()

    def _validate_weights(self) -> dict[str, Any]:
        outputs = predict(self.model, self.validation_encoded, self.pad_id, bf16=self.options.bf16)
        sources = [example.source for example in self.validation]
        by_head = validation_scores(outputs, self.validation_encoded, sources, self.taxonomy)
        score = overall_score(by_head)
        trainable, parameters = parameter_counts(self.model)
        info = {
            **self.options.extra,
            "base": Path(self.options.base).name,
            "earlier_stages": self.earlier_stages,
            "seed": self.options.seed,
            "options": self.options.published(),
            "texts": self.texts,
            "steps": self.step,
            "minutes": round(self.minutes, 1),
            "parameters": parameters,
            "learning_parameters": trainable,
            "mix": self.corpus.mix,
            "corpus": {name: len(examples) for name, examples in self.corpus.train.items()},
            "dropped_as_leaks": dict(self.corpus.dropped),
            "validation": {"overall": score, **by_head},
        }
        log.info("validated", step=self.step, overall=round(score, 4), **{h: _rounded(v) for h, v in by_head.items()})
        self.history.add(
            step=self.step,
            minutes=round(self.minutes, 2),
            validation={"overall": round(score, 4), **_rounded(head_means(by_head))},
        )
        if score > self.best:
            self.best, self.unimproved = score, 0
            if can_merge(self.model):
                model = merge_adapters(self.model)
                save_checkpoint(self.work / BEST, model, self.taxonomy, self.tokenizer_file, info)
        else:
            self.unimproved += 1
        return info

    def _out_of_patience(self) -> bool:
        return self.options.patience is not None and self.unimproved >= self.options.patience

    def _encode(self, examples: Sequence[Example]) -> list[Encoded]:
        return list(encode(examples, self.tokenizer, self.taxonomy))

    def _augment(self, examples: Sequence[Example], seed: int) -> Sequence[Example]:
        return augment_examples(examples, self.options.augment, seed, self.options.augmentations)


def _progress_bar(console: Console) -> Progress:
    """A progress bar; invisible if `console` is not a terminal."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeElapsedColumn(),
        console=console,
        disable=not console.is_terminal,
    )


def _rounded(values: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 3) for name, value in values.items()}
