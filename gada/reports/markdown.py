"""Generated parts of hand-written Markdown files."""

from pathlib import Path

from gada.errors import ConfigError
from gada.io.files import write_text


def replace_block(path: Path, name: str, text: str) -> None:
    """Replace what stands between `<!-- name -->` and the next `<!-- end -->`.

    Args:
        path: Markdown file.
        name: of the block: the command that makes it.
        text: its new content.

    Raises:
        ConfigError: if the file or the block is missing.
    """
    before, after = around_block(path, name)
    write_text(path, f"{before}\n{text.strip()}\n{after}")


def around_block(path: Path, name: str) -> tuple[str, str]:
    """Return what stands before and after the content of a block; long work checks it before it starts.

    Raises:
        ConfigError: if the file or the block is missing.
    """
    begin, end = f"<!-- {name} -->", "<!-- end -->"
    if not path.is_file():
        raise ConfigError(f"{path} is not a file; name a Markdown file with the lines '{begin}' and '{end}'.")
    try:
        content = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not UTF-8 text; name a Markdown file with '{begin}' and '{end}'.") from error
    head, found, rest = content.partition(begin)
    _, closed, tail = rest.partition(end)
    if not (found and closed):
        raise ConfigError(f"{path} has no block that begins with '{begin}' and ends with '{end}'; add both lines.")
    return head + begin, closed + tail
