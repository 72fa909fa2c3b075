"""`gada fidelity`: the re-simulated TID2013 against what is published of the real one."""

from pathlib import Path


def fidelity(
    references: Path | None = None,
    crops: Path | None = None,
    published: Path | None = None,
    ranking: Path | None = None,
    results: Path = Path("docs/results"),
    seed: int = 0,
    into: Path | None = None,
) -> None:
    """Measure, or with nothing but `results` print again, how near the distortions come to TID2013.

    Args:
        references: Folder of the Kodak photos.
        crops: CSV table of TID2013's crops: reference, kodak, top, left.
        published: CSV table of published values: reference, distortion, level, psnr_db, ssim.
        ranking: Folder of TID2013-R; measures the SROCC of PSNR and SSIM with its human scores.
        results: Folder of fidelity.jsonl and fidelity-ranking.jsonl: what is measured is written there.
        seed: Seed of the noise, as in synthesize.
        into: Markdown file whose blocks "gada fidelity" and "gada fidelity ranking" are replaced instead of printing.
    """
    from gada.data.table import load_synthetic
    from gada.errors import ConfigError, DataError
    from gada.experiments.fidelity import fidelity_table, measure_fidelity, rank_full_reference, ranking_table
    from gada.io.records import read_results, write_rows
    from gada.reports.markdown import around_block, replace_block
    from gada.settings import DataSettings
    from gada.usage import ended, listed_files

    files = {"gada fidelity": results / "fidelity.jsonl", "gada fidelity ranking": results / "fidelity-ranking.jsonl"}
    measured = {"gada fidelity": bool(references), "gada fidelity ranking": bool(ranking)}
    for block, file in files.items():
        if into and (measured[block] or file.exists()):
            around_block(into, block)
    if references and crops and published:
        write_rows(files["gada fidelity"], measure_fidelity(references, crops, published, seed))
    elif references or crops or published:
        raise ConfigError("references, crops and published go together: give all three, or none to print again")
    if ranking:
        rows = rank_full_reference(load_synthetic(DataSettings(root=ranking)))
        write_rows(files["gada fidelity ranking"], rows)
    if not any(file.exists() for file in files.values()):
        raise DataError(
            f"{results} holds no fidelity.jsonl and no fidelity-ranking.jsonl; name the folder with --results."
        )
    for (block, file), table in zip(files.items(), (fidelity_table, ranking_table), strict=True):
        if file.exists():
            text = table(read_results([file], block.removeprefix("gada ")))
            if into:
                replace_block(into, block, text)
            else:
                print(text)
    written = [files[block] for block in files if measured[block]]
    if written or into:
        ended(listed_files(*written, into), "" if into else f"gada fidelity --results {results} --into PAGE.md")
