"""What several devices may do, and what is left of their errors."""

import pytest
from torch.multiprocessing.spawn import ProcessRaisedException

from gada.errors import ConfigError, DataError, DivergedError
from gada.training.stage import error_of_a_device

TRACEBACK = """

-- Process 1 terminated with the following error:
Traceback (most recent call last):
  File "gada/training/guard.py", line 1, in look
    raise DivergingError(bad)
"""


@pytest.mark.parametrize(
    ("line", "kind", "words"),
    [
        ("gada.training.guard.DivergingError: steps [4, 5, 6] were bad", DivergedError, "phase1 diverged (steps"),
        ("gada.training.checkpoints.NotFiniteError: a is not finite", DivergedError, "(a is not finite)"),
        ("gada.errors.DataError: last.ckpt: cannot be written", DataError, "last.ckpt: cannot be written"),
        ("gada.errors.ConfigError: no", ConfigError, "no"),
        ("RuntimeError: CUDA error", ProcessRaisedException, "CUDA error"),
    ],
)
def test_the_error_of_a_device_is_that_of_its_process(line: str, kind: type[Exception], words: str) -> None:
    raised = error_of_a_device("phase1", ProcessRaisedException(TRACEBACK + line + "\n", 1, 4711))
    assert type(raised) is kind
    assert words in str(raised)
