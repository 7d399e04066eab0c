"""One readable training loop: batches, Adam or SGD, early stopping on validation data only; the same on CPU and GPU.

Legend: n examples. Same seed, same device, same number of threads: same weights, also after a kill.
"""

from __future__ import annotations

import copy
import math
import os
import warnings
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from tqdm import tqdm

from citylib import checks, seeds
from citylib.errors import FitWarning, InputError
from citylib.neural import devices, fingerprint, memory, resume, store
from citylib.neural import examples as given
from citylib.neural.devices import Place, device
from citylib.neural.resume import Standing
from citylib.neural.setting import Setting

__all__ = ["History", "device", "predict", "train"]

Loss = Callable[..., torch.Tensor]
Examples = Sequence[torch.Tensor]
SOUND = 50  # steps from one look at weights whose loss is known to be finite to the next
STRIDE = 0x9E3779B97F4A7C15  # odd: steps of one training never draw the same numbers


@dataclass(frozen=True)
class History:
    """How a training went.

    Parameters
    ----------
    train : tuple of float
        Mean loss over the batches of each epoch.
    validation : tuple of float
        Loss on the validation data after each epoch; empty without any.
    best : int
        Epoch whose weights were kept, from 1; the last without validation data.
    steps : tuple of float
        Loss of each step, before it.
    stopped : {"epochs", "steps", "patience", "not finite"}
        Why it ended.
    """

    train: tuple[float, ...]
    validation: tuple[float, ...]
    best: int
    steps: tuple[float, ...] = ()
    stopped: str = "epochs"


@dataclass(frozen=True, eq=False)
class _Run:
    """What stays the same while a training goes on."""

    bare: nn.Module
    model: nn.Module  # the same, wrapped for its place
    optimiser: torch.optim.Optimizer
    wrapped: Any
    loss: Loss
    examples: Examples
    validation: Examples | None
    place: Place
    setting: Setting
    base: int
    keep: Path | None
    every: int | None
    told: dict[str, Any]


def train(
    model: nn.Module,
    loss: Loss,
    examples: Examples,
    *,
    generator: torch.Generator,
    epochs: int,
    rate: float = 1e-2,
    batch: int = 128,
    decay: float = 0.0,
    validation: Examples | None = None,
    patience: int = 10,
    method: str = "adam",
    momentum: float = 0.9,
    schedule: str = "constant",
    warm: float = 0.0,
    clip: float | None = None,
    steps: int | None = None,
    keep: str | os.PathLike[str] | None = None,
    every: int | None = None,
    on: Place | None = None,
    progress: bool = False,
) -> History:
    """Train `model` in place; with validation data, stop when it gets no better and keep the best weights.

    Parameters
    ----------
    model : torch.nn.Module
        Its weights are the start, and hold the result. Only those that require gradients learn.
    loss : callable
        ``loss(model, *batch)`` gives the mean loss of a batch, and calls the model itself (``model(x)``).
    examples : sequence of torch.Tensor
        Tensors with n rows each. They may hold numbers of windows that `loss` gathers from a series.
    generator : torch.Generator
        Of the CPU, from `citylib.seeds.torch_generator`; draws the order of the examples, and dropout.
    epochs : int
        At most so many passes over the examples.
    rate : float, default 0.01
        Step size.
    batch : int, default 128
        Examples a step, over all processes together.
    decay : float, default 0
        Weight decay (decoupled for Adam: AdamW).
    validation : sequence of torch.Tensor, optional
        Like `examples`. Nothing is learned from them but when to stop.
    patience : int, default 10
        Epochs without a better validation loss after which training stops.
    method : {"adam", "sgd"}
        Optimiser.
    momentum : float, default 0.9
        Of SGD.
    schedule : {"constant", "cosine", "one-cycle"}
        How the rate moves over all steps: not, down to 0 by half a cosine, or up for 30 % and then down.
    warm : float, default 0
        Share of the steps over which the rate rises from 0.
    clip : float, optional
        Longest gradient; longer ones are shortened to it.
    steps : int, optional
        At most so many steps in all.
    keep : path, optional
        Folder where the training is kept while it goes on. Called again with the same arguments after a kill
        it goes on from there, to the same weights bit for bit on a CPU; a training that ended is not repeated.
        Other data, also those the loss closes over, another start, seed or setting are refused.
    every : int, optional
        Keep it every so many steps too, not after epochs only.
    on : Place, optional
        Device, precision and processes, from `citylib.neural.devices.place`; by default where the model is.
    progress : bool, default False
        Show a bar.

    Returns
    -------
    History

    Raises
    ------
    InputError
        No examples, no tensors, tensors of different lengths, or of float64 beside a model in float32; a model in
        which nothing learns; a number out of bounds; a loss that is not one number; a batch too large for the
        memory (the largest that fits is named); a folder `keep` of another training, or a file.

    Warns
    -----
    FitWarning
        The loss is not finite any more: training stopped, the last good weights are kept.

    References
    ----------
    Loshchilov, I. and Hutter, F. (2019). Decoupled weight decay regularization. ICLR.

    Examples
    --------
    >>> from citylib import seeds
    >>> line = nn.Linear(1, 1)
    >>> _ = nn.init.zeros_(line.weight), nn.init.zeros_(line.bias)
    >>> x = torch.linspace(0, 1, 32)[:, None]
    >>> square = lambda model, x, y: ((model(x) - y) ** 2).mean()
    >>> history = train(line, square, (x, 2 * x), generator=seeds.torch_generator(0), epochs=200, rate=0.05)
    >>> len(history.train), history.train[-1] < 1e-3
    (200, True)
    """
    count = given.count("examples", examples)
    if validation is not None:
        given.count("validation", validation)
    if every is not None:
        checks.integer("every", every, minimum=1)
    folder = None if keep is None else Path(keep)
    if folder is not None and folder.exists() and not folder.is_dir():
        raise InputError("keep", "be a folder", folder.name)
    given.learnable(model)
    setting = Setting(epochs, rate, batch, decay, patience, method, momentum, schedule, warm, clip, steps)
    base = int(torch.randint(2**62, (1,), generator=generator))
    place = devices.of(model) if on is None else on
    for name, tensors in (("examples", examples), ("validation", validation or ())):
        given.same_numbers(name, tensors, place, model)
    told: dict[str, Any] = {}
    if keep is not None:
        told = asdict(setting) | {"seed of the order": base, "precision": place.precision}
        told |= fingerprint.of_training(model, loss, examples, validation)
    optimiser = setting.optimiser(model)
    wrapped_model, wrapped = place.fabric.setup(model, optimiser)
    run = _Run(
        model, wrapped_model, optimiser, wrapped, loss, examples, validation, place, setting, base, folder, every, told
    )
    standing = Standing(_copy(model), _copy(model))
    if folder is not None and (folder / store.MANIFEST).exists():
        resume.load(folder, standing, model, optimiser, told)
    with tqdm(total=setting.total(count), unit="step", disable=not (progress and place.rank == 0)) as bar:
        bar.update(len(standing.losses))
        while not standing.stopped:
            _epoch(run, standing, count, bar)
            _keep(run, standing)
    model.load_state_dict(standing.kept)
    lines = (tuple(standing.train), tuple(standing.validation), standing.best, tuple(standing.losses))
    return History(*lines, standing.stopped)


def predict(model: nn.Module, *inputs: torch.Tensor, batch: int = 1024) -> torch.Tensor:
    """Return what a model gives, batch by batch, without gradients and as when it is used (no dropout).

    Parameters
    ----------
    model : torch.nn.Module
        Called with a slice of each input.
    *inputs : torch.Tensor
        With n rows each.
    batch : int, default 1024
        Rows a call.

    Returns
    -------
    torch.Tensor
        n rows, on the CPU.

    Raises
    ------
    InputError
        No inputs, or of different lengths.

    Examples
    --------
    >>> predict(nn.Identity(), torch.arange(3.0), batch=2)
    tensor([0., 1., 2.])
    """
    count, batch = given.count("inputs", inputs), checks.integer("batch", batch, minimum=1)
    first = next(model.parameters(), None)
    where = torch.device("cpu") if first is None else first.device
    was, parts = model.training, []
    model.eval()
    try:
        with torch.inference_mode():
            for begin in range(0, count, batch):
                parts.append(model(*(x[begin : begin + batch].to(where) for x in inputs)).cpu())
    finally:
        model.train(was)
    return torch.cat(parts).clone()


def _epoch(run: _Run, standing: Standing, count: int, bar: tqdm[Any]) -> None:
    """Go on to the end of an epoch, and say in `standing` whether training ends there."""
    setting, total = run.setting, run.setting.total(count)
    order = torch.randperm(count, generator=torch.Generator().manual_seed(_seed(run.base, -1 - standing.epoch)))
    batches = torch.split(order, setting.batch)
    for rows in batches[standing.step :]:
        done = len(standing.losses)
        if done == total:
            break
        trial = _copy(run.bare) if standing.step == 0 or done % SOUND == 0 else None
        value = _step(run, rows, done, total)
        standing.losses.append(value)
        standing.step += 1
        bar.update()
        if not math.isfinite(value):
            return _broken(run, standing, f"step {done + 1}", _take(run, run.examples, rows))
        if trial is not None:
            standing.sound, standing.sound_at = trial, done + 1
        if run.every and len(standing.losses) % run.every == 0 and standing.step < len(batches):
            _keep(run, standing)
    taken = batches[: standing.step]
    lengths = [len(rows) for rows in taken]
    last = standing.losses[len(standing.losses) - len(taken) :]
    standing.train.append(sum(v * n for v, n in zip(last, lengths, strict=True)) / sum(lengths))
    standing.epoch, standing.step = standing.epoch + 1, 0
    _judge(run, standing, total)


def _judge(run: _Run, standing: Standing, total: int) -> None:
    """After an epoch: keep its weights if they are the best so far, and stop when it is time."""
    if run.validation is None:
        standing.kept, standing.best = _copy(run.bare), standing.epoch
    else:
        now = _value(run, run.validation)
        standing.validation.append(now)
        if not math.isfinite(now):
            return _broken(run, standing, "the validation")
        if now < standing.lowest:
            standing.kept, standing.best, standing.lowest = _copy(run.bare), standing.epoch, now
        elif standing.epoch - standing.best >= run.setting.patience:
            standing.stopped = "patience"
    if not standing.stopped and len(standing.losses) >= total:
        standing.stopped = "epochs" if standing.epoch >= run.setting.epochs else "steps"
    return None


def _step(run: _Run, rows: torch.Tensor, number: int, total: int) -> float:
    """Take one step on the rows, and return their loss before it; where memory runs out, say how many would fit."""
    try:
        return _tried(run, rows, number, total)
    except (torch.OutOfMemoryError, RuntimeError) as reason:
        if not memory.is_short(reason):
            raise
        told = str(reason)[:80]
    # here the failed step is let go, with all it held
    model = run.model if run.place.processes == 1 else run.bare
    fits = memory.fitting(lambda some: run.loss(model, *_take(run, run.examples, some)), rows)
    hint = f"{fits} fits" if fits else "not even one example fits: use a smaller model"
    raise InputError("batch", f"fit into the memory of {run.place.device}", run.setting.batch, f"{hint} ({told})")


def _tried(run: _Run, rows: torch.Tensor, number: int, total: int) -> float:
    """Take one step on the rows, shared among the processes, and return their loss before it."""
    place, share = run.place, rows[run.place.rank :: run.place.processes]
    weight = len(share) * place.processes / len(rows)
    for group in run.optimiser.param_groups:
        group["lr"] = run.setting.rate * run.setting.factor(number / total, step=1 / total)
    run.model.train()
    drawn = _seed(run.base, number * place.processes + place.rank)
    batch = _take(run, run.examples, share if len(share) else rows[:1])
    with seeds.torch_lent(drawn, device=str(place.device)):
        value = run.loss(run.model, *batch) * weight
    if value.dim():
        raise InputError("loss", "be one number a batch: its mean", f"shape {tuple(value.shape)}")
    loss = float(place.sum(value.detach())) / place.processes
    if math.isfinite(loss):
        run.wrapped.zero_grad()
        place.fabric.backward(value)
        if run.setting.clip is not None:
            place.fabric.clip_gradients(run.model, run.wrapped, max_norm=run.setting.clip, error_if_nonfinite=False)
        run.wrapped.step()
    return loss


def _broken(run: _Run, standing: Standing, where: str, batch: Sequence[torch.Tensor] = ()) -> None:
    """Stop a training whose loss is not finite, with the last weights of which a loss was."""
    standing.stopped = "not finite"
    kept = f"weights of epoch {standing.best}" if standing.best else "weights it started with"
    if run.validation is None:
        standing.kept, kept = standing.sound, f"weights before step {standing.sound_at}"
    bad = any(bool((~torch.isfinite(part)).any()) for part in batch if part.is_floating_point())
    why = "mask what is not finite in its batch" if bad else "lower the rate or clip"
    text = f"the loss is not finite in epoch {len(standing.train) + (where != 'the validation')}, {where}"
    warnings.warn(f"{text}: stopped, {kept} kept; {why}", FitWarning, stacklevel=5)


def _value(run: _Run, examples: Examples) -> float:
    run.model.eval()
    count, total, at, size = len(examples[0]), 0.0, 0, max(run.setting.batch, 4096)
    with torch.no_grad():
        while at < count:
            rows = torch.arange(at, min(at + size, count))
            try:
                total += float(run.loss(run.model, *_take(run, examples, rows))) * len(rows)
            except (torch.OutOfMemoryError, RuntimeError) as reason:
                if not memory.is_short(reason) or size <= run.setting.batch:
                    raise
                size = run.setting.batch  # what fits when training fits here too
                continue
            at += len(rows)
    return total / count


def _take(run: _Run, examples: Examples, rows: torch.Tensor) -> list[torch.Tensor]:
    return [tensor[rows.to(tensor.device)].to(run.place.device) for tensor in examples]


def _keep(run: _Run, standing: Standing) -> None:
    if run.keep is not None and run.place.rank == 0:
        resume.save(run.keep, standing, run.bare, run.optimiser, run.told)


def _copy(model: nn.Module) -> dict[str, torch.Tensor]:
    return copy.deepcopy(model.state_dict())


def _seed(base: int, number: int) -> int:
    return (base + (number + 1) * STRIDE) % 2**63
