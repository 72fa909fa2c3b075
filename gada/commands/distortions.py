"""`gada distortions`: what the distortion library holds."""

from pathlib import Path


def distortions(into: Path | None = None, photo: Path | None = None, out: Path | None = None) -> None:
    """Print the table of distortion families, or draw TID2013's 24 types of one photo.

    Args:
        into: Markdown file whose block "gada distortions" is to be replaced instead of printing.
        photo: image to distort, at least 176 x 132 pixels.
        out: JPEG or PNG file for the contact sheet.
    """
    from gada.errors import ConfigError
    from gada.experiments.distortions import distortion_sheet, families_table, write_sheet
    from gada.io.images import read_image
    from gada.reports.markdown import replace_block
    from gada.usage import ended

    if (photo is None) != (out is None):
        raise ConfigError("--photo and --out go together: give the image and the file to draw to, or neither.")
    if photo is not None and out is not None:
        write_sheet(out, distortion_sheet(read_image(photo), photo.name))
        ended(str(out))
    elif into is not None:
        replace_block(into, "gada distortions", families_table())
    else:
        print(families_table(), end="")
