"""What linkage costs as records grow: python3 curve.py COUNTRY LINK SCALE FOLDER 1 2 5 10.

COUNTRY, LINK and SCALE are the built programs (`cargo build --release -p country --example country`, `-p linkage --example link`, and
`cargo build --release` in `scale/`); the numbers are millions of records of two agencies. Data that are there already are used again:
`FOLDER/2/agency_a.csv`. Prints the tables of docs/scale.md, and keeps what the programs said beside the data."""
import json
import os
import pathlib
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
MODEL = HERE / "people.json"
TRAINING = [
    "--train", "--random-pairs", "1000000", "--recall", "0.7", "--certain-rule", 'l."number" = r."number"',
    "--train-rule", 'l."birth_date" = r."birth_date" AND l."given" = r."given"',
    "--train-rule", 'l."full_name" = r."full_name" AND l."birth_year" = r."birth_year" AND l."commune" = r."commune"',
]
# So many of the invented country's people make a million records in the files of both agencies.
PERSONS = 518_000


def measured(command, log):
    """Runs a command; seconds, seconds of processor, megabytes at most."""
    with open(log, "wb") as said:
        start = time.monotonic()
        process = subprocess.Popen([str(word) for word in command], stdout=said, stderr=subprocess.STDOUT)
        _, status, used = os.wait4(process.pid, 0)
        wall = time.monotonic() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{command[0]} failed, see {log}")
    return wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def size(folder):
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e6


def said(log, begin):
    """The rest of the line that begins like this."""
    return next(line[len(begin):] for line in log.read_text().splitlines() if line.startswith(begin))


def stages(log):
    """When each stage began, and the end: reading, training, scoring, clusters."""
    times = [float(line.split(" s")[0]) for line in log.read_text().splitlines() if " s" in line[:12]]
    return [later - earlier for earlier, later in zip(times, times[1:])]


def prepare(country, folder, millions):
    if not (folder / "agency_b.csv").exists():
        raw = folder / "raw"
        words = ["--persons", int(millions * PERSONS), "--seed", 1, "--mess", "usual", "--agencies-only", "--out", raw]
        measured([country, *words], folder / "country.log")
        subprocess.run([sys.executable, HERE / "standardise.py", raw, folder], check=True)
        for file in raw.iterdir():
            file.unlink()
        raw.rmdir()
    return [folder / "agency_a.csv", folder / "agency_b.csv"]


def main(country, link, scale, target, sizes):
    machine, buckets, rules = [], [], {}
    for millions in sizes:
        folder = target / f"{millions:g}"
        folder.mkdir(parents=True, exist_ok=True)
        files = prepare(country, folder, millions)
        trained, log = folder / "trained.json", folder / "link.log"
        words = ["--left", files[0], "--right", files[1], "--model", MODEL, *TRAINING, "--threshold", "0.5", "--en"]
        words += ["--out", folder / "pairs.csv", "--clusters", folder / "clusters.csv", "--save-model", trained]
        wall, cpu, memory = measured([link, *words], log)
        records, pairs = int(said(log, "Records: ")), int(said(log, "Pairs compared: "))
        parts = " / ".join(f"{seconds:.1f}" for seconds in stages(log))
        csv = sum(file.stat().st_size for file in files) / 1e6
        machine.append(f"| {records:,} | {csv:,.0f} | {pairs:,} | {pairs / records:.2f} | {wall:.1f} | {parts} | {cpu:.1f} | {memory:,.0f} |")

        divided, found = folder / "buckets", folder / "found"
        subprocess.run(["rm", "-rf", divided, found], check=True)
        count = max(2, round(records / 200_000))
        made = [scale, "bucket", *files, "--model", MODEL, "--out", divided, "--buckets", count, "--en"]
        once = measured(made, folder / "bucket.log")
        then = measured([scale, "link", "--records", divided, "--model", trained, "--threshold", "0.5", "--out", found, "--en"], folder / "scale.log")
        written = json.loads((divided / "buckets.json").read_text())
        largest = max(rule["largest"] for rule in written["rules"])
        buckets.append(
            f"| {records:,} | {count} | {size(divided):,.0f} | {largest:,} | {once[0]:.1f} | {once[1]:.1f} | {once[2]:,.0f} "
            f"| {then[0]:.1f} | {then[1]:.1f} | {then[2]:,.0f} |"
        )
        for rule in written["rules"]:
            rules.setdefault(rule["rule"], []).append(f"{rule['pairs'] / records:.3f}")
    print("| Records | CSV, MB | Pairs | A record | Wall, s | Reading / training / scoring / clusters, s | CPU, s | Memory, MB |\n|--:|--:|--:|--:|--:|---|--:|--:|")
    print("\n".join(machine))
    print("\n| Records | Buckets a rule | Parquet, MB | Largest bucket | Dividing, s | CPU, s | Memory, MB | Linking, s | CPU, s | Memory, MB |\n|" + "--:|" * 10)
    print("\n".join(buckets))
    print("\n| Pairs a record, by rule | " + " | ".join(f"{millions:g} million" for millions in sizes) + " |\n|---|" + "--:|" * len(sizes))
    print("\n".join(f"| `{rule}` | {' | '.join(figures)} |" for rule, figures in rules.items()))


if __name__ == "__main__":
    main(*sys.argv[1:4], pathlib.Path(sys.argv[4]), [float(n) for n in sys.argv[5:]])
