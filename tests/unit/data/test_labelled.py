"""Labels from folders, names, tables and ImageNet's layouts; the view of a network; ladders by name."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from toys import coloured, folders

from gada.data.distorted import CLEAN, DistortedImages, View, steps_of
from gada.data.labelled import load_labelled
from gada.data.labels import IMAGENET, class_indices, read_classes, shown_classes
from gada.errors import ConfigError, DataError
from gada.settings import ImageSettings

TENCH, GOLDFISH, LAST = "n01440764", "n01443537", "n15075141"


def picture(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (32, 32)).save(path)


def test_imagenets_classes() -> None:
    names = read_classes(IMAGENET)
    assert len(names) == len(set(names)) == 1000
    assert names == sorted(names)
    assert (names[0], names[1], names[65], names[999]) == (TENCH, GOLDFISH, "n01751748", LAST)
    assert shown_classes([names[0], names[283], "dog"]) == ["tench", "Persian cat", "dog"]


def test_a_folder_is_a_class(tmp_path: Path) -> None:
    images = load_labelled(ImageSettings(folders(tmp_path / "set", each=2)))
    assert images.title == "set"
    assert images.classes == 3
    assert images.labels.tolist() == [0, 0, 1, 1, 2, 2]
    assert images.names[0] == "blue/0.png"


def test_a_hidden_folder_is_not_a_class(tmp_path: Path) -> None:
    folders(tmp_path / "set", each=2)
    for side in (".ipynb_checkpoints/0-checkpoint.png", "__MACOSX/blue/._0.png", "blue/._0.png", "@eaDir/0.png"):
        picture(tmp_path / "set" / side)
    images = load_labelled(ImageSettings(tmp_path / "set"))
    assert (images.classes, len(images.labels)) == (3, 6)


def test_wordnet_ids_need_no_list(tmp_path: Path) -> None:
    for name in (f"{GOLDFISH}_gold_fish.png", f"{LAST}_toilet_tissue.png"):
        picture(tmp_path / name)
    images = load_labelled(ImageSettings(tmp_path, "names"))
    assert (images.labels.tolist(), images.classes) == ([1, 999], 1000)


@pytest.mark.parametrize(
    ("table", "text"),
    [
        ("val.txt", f"ILSVRC2012_val_00000001.JPEG 1\nILSVRC2012_val_00000002.JPEG {LAST}\n"),
        (
            "LOC_val_solution.csv",
            f"ImageId,PredictionString\nILSVRC2012_val_00000001,{GOLDFISH} 1 2 3 4\n"
            f"ILSVRC2012_val_00000002,{LAST} 85 1 499 272 {LAST} 1 1 1 1\n",
        ),
    ],
)
def test_imagenets_validation_layout(table: str, text: str, tmp_path: Path) -> None:
    for number in (1, 2):
        picture(tmp_path / "val" / f"ILSVRC2012_val_0000000{number}.JPEG")
    (tmp_path / table).write_text(text)
    if table == "val.txt":
        (tmp_path / "classes.txt").write_text("\n".join(read_classes(IMAGENET)))
    classes = tmp_path / "classes.txt" if table == "val.txt" else None
    images = load_labelled(ImageSettings(tmp_path, "imagenet", table, classes=classes))
    assert images.labels.tolist() == [1, 999]


def test_a_table_with_names_and_a_list_of_classes(tmp_path: Path) -> None:
    picture(tmp_path / "a.png")
    (tmp_path / "t.csv").write_text("file,is\na.png,red\n")
    (tmp_path / "classes.txt").write_text("green a colour\nred another\n")
    settings = ImageSettings(tmp_path, "table", "t.csv", "file", "is", tmp_path / "classes.txt")
    for text in ("file,is\na.png,red\n", f"file;is;\r\n;;\r\n{tmp_path / 'a.png'};red;\r\n"):
        (tmp_path / "t.csv").write_text(text)
        images = load_labelled(settings)
        assert (images.labels.tolist(), images.names) == ([1], ("a.png",))


def write(text: str) -> Callable[[Path], None]:
    def prepare(root: Path) -> None:
        (root / "labels.csv").write_bytes(text.encode("latin-1"))

    return prepare


@pytest.mark.parametrize(
    ("prepare", "layout", "said"),
    [
        (
            write("image,name\na.png,1\n"),
            "table",
            "it has image, name; name yours with --images.label_column",
        ),
        (write("image,label\na.png,\n"), "table", "line 2, lacks an image or its label"),
        (write(""), "table", "is empty; its first line must name the columns"),
        (write("image,label\n"), "table", "has no rows below its column names"),
        (write("image,label\na.png,fish\n"), "table", "label 'fish', which is none of the classes"),
        (write("image,label\n../a.png,one\n"), "table", r"line 2: '\.\./a\.png' lies outside"),
        (write("image,label\nlink.png,one\n"), "table", r"line 2: link\.png leads out of"),
        (write("image,label\nb.png,one\n"), "table", r"line 2: the image .*b\.png does not exist"),
        (write("a.png \xe9\n"), "imagenet", "cannot be read as a file name and its class in each line"),
        (write("b.JPEG 3\n"), "imagenet", "line 1, names b.JPEG, which is not in"),
        (write("a.png\n"), "imagenet", "line 1, has no label"),
    ],
)
def test_wrong_labels(prepare: Callable[[Path], None], layout: str, said: str, tmp_path: Path) -> None:
    root = tmp_path / "set"
    picture(tmp_path / "a.png")
    picture(root / "a.png")
    (root / "link.png").symlink_to(tmp_path / "a.png")
    prepare(root)
    (root / "classes.txt").write_text("one\ntwo\n")
    with pytest.raises(DataError, match=said):
        load_labelled(ImageSettings(root, layout, classes=root / "classes.txt"))  # type: ignore[arg-type]


def test_a_class_list_names_each_once(tmp_path: Path) -> None:
    (tmp_path / "classes.txt").write_text("one\ntwo\none\n")
    with pytest.raises(DataError, match="names the class 'one' twice"):
        read_classes(tmp_path / "classes.txt")


def test_a_draw_is_seeded_and_nested(tmp_path: Path) -> None:
    root = folders(tmp_path / "set", each=5)
    few, more, other = (
        set(load_labelled(ImageSettings(root, per_class=count, seed=seed)).names)
        for count, seed in ((2, 0), (3, 0), (3, 1))
    )
    assert few < more
    assert more != other
    assert len(more) == 9


def test_a_view_is_the_middle_of_the_resized_photograph() -> None:
    photograph = np.zeros((60, 100, 3), np.uint8)
    photograph[:, 45:55] = 255
    seen = View(20, 30)(photograph)
    assert seen.shape == (20, 20, 3)
    assert seen[10].argmax(axis=0)[0] in (7, 8)  # the bar is 5 wide and in the middle
    np.testing.assert_array_equal(seen, seen[:, ::-1])
    np.testing.assert_array_equal(View(60, None)(photograph), photograph[:, 20:80])
    with pytest.raises(DataError, match="fewer than the network's"):
        View(61, None)(photograph)
    with pytest.raises(DataError, match="2000000 x 1 pixels are too thin"):
        View(20, 30)(np.zeros((1, 2_000_000, 3), np.uint8))


def test_ladders_by_name() -> None:
    assert len(steps_of(["dodge-karam"])) == 1 + 10 + 11 + 10 + 9 + 10
    assert steps_of(["iqa-ls/blur"]) == [CLEAN, *[("iqa-ls/blur", level) for level in (1, 2, 3)]]
    assert len({step.family for step in steps_of(["tid2013"])}) == 25
    with pytest.raises(ConfigError, match="unknown"):
        steps_of(["fog"])


def test_labels_are_the_classifier_s_classes_where_it_names_them(tmp_path: Path) -> None:
    for name in ("2", "10"):
        (tmp_path / name).mkdir()
        Image.fromarray(coloured(0, 0)).save(tmp_path / name / "a.png")
    known = sorted(map(str, range(11)))  # as `gada classify` numbers folders: 0, 1, 10, 2, ...
    images = load_labelled(ImageSettings(tmp_path), known)
    assert {path.parent.name: known[label] for path, label in zip(images.paths, images.labels, strict=True)} == {
        "2": "2",
        "10": "10",
    }
    with pytest.raises(DataError, match="the label '10', which is none of the classifier's classes"):
        load_labelled(ImageSettings(tmp_path), ["one", "ten"])
    (tmp_path / "classes.txt").write_text("10\n2\n")
    with pytest.raises(ConfigError, match="lists other classes than the classifier knows"):
        load_labelled(ImageSettings(tmp_path, classes=tmp_path / "classes.txt"), known)


def test_indices_may_be_written_as_spreadsheets_do() -> None:
    assert class_indices(["2.0", "10.0"], None) == ([2, 10], ())
    assert class_indices(["2.5", "10"], None) == ([1, 0], ("10", "2.5"))  # names, then
    assert class_indices(["1" * 20], None) == ([0], ("1" * 20,))


def test_an_image_too_small_to_be_distorted_is_left_out(tmp_path: Path) -> None:
    root = folders(tmp_path / "set", each=2)
    Image.fromarray(coloured(0, 0)[:24]).save(root / "blue" / "0.png")
    images, view = load_labelled(ImageSettings(root)), View(32, 32)
    assert not DistortedImages(images, view, "crop", folder=tmp_path / "made").failed
    failed = DistortedImages(images, view, "image", folder=tmp_path / "made").failed
    assert list(failed) == ["blue/0.png"]
    assert "40 x 24 pixels are too few to be distorted" in failed["blue/0.png"]
