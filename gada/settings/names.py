"""Settings that were renamed or removed, for whoever still writes the old name."""

import re

NOW = {
    "training.trunk_rate": "is called training.trunk_lr now",
    "training.head_rate": "is called training.head_lr now",
    "training.generator_rate": "is called training.generator_lr now",
    "training.later_rate": "is called training.later_lr_factor now",
    "training.generated_share": "is called training.generated_fraction now",
    "split.ceiling": "is called split.upper_bound now",
    "loss.quality": "is gone: the quality loss is the squared error; leave it out",
}
UNKNOWN = re.compile(r"Group '(\w+)' does not accept (?:option|nested key) '([\w.]+)'|--([\w.]+)")


def explained(message: str) -> str:
    """Return a parser's message about an unknown setting; of one that was renamed, what it is called now."""
    for group, key, option in UNKNOWN.findall(message):
        for name in (option, key, f"{group}.{key}"):
            if name in NOW:
                return f"{name} {NOW[name]}."
    return message
