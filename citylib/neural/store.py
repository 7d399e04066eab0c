"""Tensors and a manifest in one folder: written beside and renamed, checked by sha256 when read, never a pickle."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch

from citylib.errors import ChecksumError, InputError

__all__ = ["MANIFEST", "digest", "read", "write"]

MANIFEST = "manifest.json"
PICKLES = {".pt", ".pth", ".bin", ".ckpt", ".pkl", ".pickle", ".joblib"}


def digest(*tensors: torch.Tensor) -> str:
    """Return the sha256 of tensors: their types, shapes and values.

    Examples
    --------
    >>> digest(torch.zeros(2)) == digest(torch.zeros(2)), digest(torch.zeros(2)) == digest(torch.zeros(2, 1))
    (True, False)
    """
    total = hashlib.sha256()
    for tensor in tensors:
        plain = tensor.detach().cpu().contiguous()
        total.update(f"{plain.dtype} {tuple(plain.shape)}".encode())
        total.update(plain.reshape(-1).view(torch.uint8).numpy().tobytes() if plain.numel() else b"")
    return total.hexdigest()


def write(folder: Path, tensors: Mapping[str, torch.Tensor], manifest: Mapping[str, Any]) -> None:
    """Write tensors and manifest; whoever reads meanwhile, or after a kill, finds the old state or the new one.

    Parameters
    ----------
    folder : pathlib.Path
        Made if it is not there.
    tensors : mapping of str to torch.Tensor
        What is kept.
    manifest : mapping
        Written as JSON beside them; a key ``"weights"`` is added with name and sha256 of the tensors' file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    content = safetensors.torch.save({k: v.detach().cpu().contiguous().clone() for k, v in tensors.items()})
    sha = hashlib.sha256(content).hexdigest()
    name = f"weights-{sha[:16]}.safetensors"
    _replace(folder / name, content)
    whole = {**manifest, "weights": {"file": name, "sha256": sha}}
    _replace(folder / MANIFEST, (json.dumps(whole, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode())
    for old in (*folder.glob("weights-*.safetensors"), *folder.glob(".weights-*"), *folder.glob(f".{MANIFEST}.*")):
        if old.name != name:  # older states, and what a kill left half written; one process writes
            old.unlink(missing_ok=True)


def read(folder: Path, *, argument: str = "folder") -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Return the tensors and the manifest of a folder.

    Parameters
    ----------
    folder : pathlib.Path
        Written by `write`.
    argument : str
        What the caller calls it.

    Raises
    ------
    InputError
        A pickle, no such folder, no manifest, or one that cannot be read.
    ChecksumError
        The tensors are not those the manifest speaks of.
    """
    if folder.suffix.lower() in PICKLES:
        rule = "be a folder with a manifest and safetensors"
        raise InputError(argument, rule, str(folder), "pickles are not opened: they can run any code")
    path = folder / MANIFEST
    if not path.is_file():
        found = sorted(p.name for p in folder.iterdir()) if folder.is_dir() else "no such folder"
        raise InputError(argument, f"hold {MANIFEST}", f"{folder} with {found}")
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        file, sha = str(manifest["weights"]["file"]), str(manifest["weights"]["sha256"])
    except (ValueError, KeyError, TypeError) as reason:
        raise InputError(argument, f"hold a {MANIFEST} that can be read", f"{path}: {reason}") from None
    weights = folder / Path(file).name
    if weights.suffix != ".safetensors" or not weights.is_file():
        raise InputError(argument, "hold the safetensors its manifest names", str(weights))
    content = weights.read_bytes()
    if hashlib.sha256(content).hexdigest() != sha:
        raise ChecksumError(f"{weights} is not the file its manifest speaks of (sha256 {sha[:12]}...)")
    try:
        return dict(safetensors.torch.load(content)), manifest
    except safetensors.SafetensorError as reason:
        raise InputError(argument, "hold safetensors that can be read", f"{weights}: {reason}") from None


def _replace(path: Path, content: bytes) -> None:
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    with beside.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    beside.replace(path)
