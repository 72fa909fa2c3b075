"""Which training steps there are, and in which order they are taken."""

from collections.abc import Iterator

from torch.utils.data import Sampler


class Steps(Sampler[int]):
    """The training steps of each Lightning epoch, which is the stretch between two validations.

    A step is known by its number in the whole stage, so a resumed run reads exactly the batches still to come.
    """

    def __init__(self, steps: int, every: int) -> None:
        self.steps = steps
        self.every = every
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the stretch; Lightning calls this."""
        self.epoch = epoch

    def __iter__(self) -> Iterator[int]:
        """Yield the numbers of the stretch's steps."""
        return iter(range(self.epoch * self.every, self.epoch * self.every + len(self)))

    def __len__(self) -> int:
        """Return the length of the stretch; the last may be shorter, and behind it there is nothing left."""
        return max(0, min(self.every, self.steps - self.epoch * self.every))
