from pathlib import Path

import pytest
import torch
from evaluators import save_evaluator

import gada

torch.set_num_threads(1)  # threads that wait for each other are slow on a busy machine


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_evaluator(tmp_path_factory.mktemp("model") / "evaluator.safetensors")


@pytest.fixture(scope="session")
def scorer(checkpoint: Path) -> gada.Scorer:
    return gada.load_scorer(checkpoint, device="cpu")
