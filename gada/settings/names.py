"""Settings of the previous version that were renamed or dropped."""

import re

RENAMED = {
    "training.trunk_rate": "training.trunk_lr",
    "training.head_rate": "training.head_lr",
    "training.generator_rate": "training.generator_lr",
    "training.later_rate": "training.later_lr_factor",
    "training.generated_share": "training.generated_fraction",
    "split.ceiling": "split.upper_bound",
    "training.rate": "training.lr",
    "training.rate_decay": "training.lr_decay",
    "training.decay_every": "training.decay_fraction, a fraction of the epochs,",
    "training.shares": "training.fractions",
    "whole.head_epochs": "whole.head_steps",
    "training.asked": "training.target_qualities",
    "input.deviation": "input.std",
    "photograph": "example",
    "rate": "lr",
    "judge": "evaluator",
    "validation_pairs": "validation_images",
    "classifier": "classifiers",
}
"""What they are called now."""
DROPPED = {"loss.quality": "squared", "class_weight": "0.1"}
"""The value that holds now for everybody."""
RENAMED_OPTIONS = {
    "benchmark no_pictures": "no_images",
    "distortions sheet": "out",
    "distortions photograph": "photo",
    "dlp references": "photos",
}
"""The same of options of one verb."""
UNKNOWN = re.compile(r"(?:Group '([\w.]+)' does not accept (?:option|nested key)|Option) '([\w.]+)'|--([\w.]+)")


def renamed(message: str, verb: str = "") -> str:
    """Return what became of a setting of the previous version of which a verb's parser complains; "" of others."""
    for group, key, option in UNKNOWN.findall(message):
        for name in (option, f"{group}.{key}", key):
            if now := RENAMED_OPTIONS.get(f"{verb} {name}"):
                return f"{name} is called {now} now."
            if name in RENAMED:
                return f"{name} is called {RENAMED[name]} now."
            if name in DROPPED:
                return f"{name} is gone, it is always {DROPPED[name]}; leave it out."
    return ""
