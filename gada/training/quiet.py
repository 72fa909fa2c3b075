"""Which of Lightning's messages a user is spared."""

import logging
import warnings


def quiet_lightning() -> None:
    """Keep advertisements and warnings that do not apply off the screen; each process must be told."""
    for name in ("pytorch_lightning", "lightning.pytorch", "lightning_fabric", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.ERROR)
    for message in (
        ".*does not have many workers.*",  # batches are cut from a memory map, faster than any step consumes them
        ".*in eval mode at the start of training.*",  # the frozen generator of phase 2
        ".*isinstance.treespec, LeafSpec.*",  # between Lightning 2.6 and torch 2.13
        ".*sync_dist=True.*",  # every device validates on all images, and the first one's metrics are kept
        ".*Checkpoint directory.*",  # it holds the stage's other files, and the checkpoint that is resumed
    ):
        warnings.filterwarnings("ignore", message=message)
