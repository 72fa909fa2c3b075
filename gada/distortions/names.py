"""What a person calls a distortion class."""

from collections.abc import Sequence

from gada.distortions.families import FAMILIES


def distortion_name(name: str, data: str = "") -> str:
    """Return the name of a distortion class for people: "live/wn" and "wn" are "white Gaussian noise".

    Args:
        name: the class as a database or a recipe writes it; one that is not known keeps its name.
        data: the set it belongs to; two digits are a class of TID2013 in a set named after it alone.
    """
    keys = [name, f"live/{name}", f"web/{name}"]
    keys += [f"tid2013/{name.removeprefix('#')}"] if data.lower().startswith("tid2013") else []
    family = next((FAMILIES[key] for key in keys if key in FAMILIES), None)
    return family.title if family else {"fnoise": "pink noise"}.get(name, name)


def names_of(ladders: Sequence[str]) -> list[str]:
    """Return what people call several families, with their set where there are several."""
    several = len({name.split("/")[0] for name in ladders}) > 1
    return [f"{distortion_name(one)} ({one.split('/')[0]})" if several else distortion_name(one) for one in ladders]
