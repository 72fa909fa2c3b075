"""`gada distortions`: what the distortion library holds."""

from pathlib import Path


def distortions(into: Path | None = None, photograph: Path | None = None, sheet: Path | None = None) -> None:
    """Print the table of distortion families, or draw TID2013's 24 types of one photo.

    Args:
        into: Markdown file whose block "gada distortions" is to be replaced instead of printing.
        photograph: image to distort, at least 176 x 132 pixels.
        sheet: JPEG or PNG file for the contact sheet.
    """
    from gada.errors import ConfigError
    from gada.experiments.distortions import distortion_sheet, families_table, write_sheet
    from gada.io.images import read_image
    from gada.reports.markdown import replace_block

    if (photograph is None) != (sheet is None):
        raise ConfigError("photograph and sheet go together: give the image and the file to draw to, or neither")
    if photograph is not None and sheet is not None:
        write_sheet(sheet, distortion_sheet(read_image(photograph), photograph.name))
    elif into is not None:
        replace_block(into, "gada distortions", families_table())
    else:
        print(families_table(), end="")
