"""`gada doctor`: is this machine ready?"""

from pathlib import Path


def doctor(data: Path | None = None) -> int:
    """Check versions, devices, disk and data in one screen; the exit code says whether all is well.

    Exit code 0: all is well, perhaps with warnings; 2: the installation must be mended; 3: so must the data.

    Args:
        data: Folder of a database to check too; by default what is found in `data/`.
    """
    from gada.experiments.doctor import examine
    from gada.usage import ended

    findings = list(examine(data))
    for finding in findings:
        print(f"{finding.mark:<5} {finding.what:<12} {finding.words}")
    failed = [finding for finding in findings if finding.mark == "FAIL"]
    warned = sum(finding.mark == "warn" for finding in findings)
    print(f"\n{len(failed)} to mend, {warned} to know of." if failed or warned else "\nAll is well.")
    if not failed:
        ended(following="gada score photos/")
    return max((finding.code for finding in failed), default=0)
