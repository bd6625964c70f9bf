"""The records of two agencies that `country` wrote, standardised in the simplest way: python3 standardise.py FROM TO.

Marks and case folded, dates as ISO, telephones as national numbers, card numbers by their length. The truth becomes the column
`person`, which no model names; what slipped is left out. Real files go through the crate `cleansing` instead."""
import csv
import pathlib
import re
import sys
import unicodedata

COLUMNS = ["rec_id", "full_name", "given", "birth_date", "birth_year", "sex", "number", "card", "phone", "address", "commune"]
COLUMNS += ["father_name", "mother_name", "person"]


def fold(text):
    plain = unicodedata.normalize("NFD", text.lower()).replace("đ", "d")
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    return " ".join(re.findall(r"[a-z0-9]+", plain))


def date(text):
    for pattern, order in [(r"^(\d{4})-(\d{1,2})-(\d{1,2})$", (1, 2, 3)), (r"^(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})$", (3, 2, 1))]:
        found = re.match(pattern, text.strip())
        if found:
            year, month, day = (found.group(n) for n in order)
            return f"{year}-{int(month):02}-{int(day):02}"
    return ""


def phone(text):
    digits = re.sub(r"\D", "", text)
    if digits.startswith("84"):
        digits = digits[2:]
    return digits.lstrip("0")


def sex(text):
    return {"nu": "F", "0": "F", "f": "F", "nam": "M", "1": "M", "m": "M"}.get(fold(text), "")


def main(source, target):
    target.mkdir(parents=True, exist_ok=True)
    for agency in ["agency_a", "agency_b"]:
        with open(source / f"{agency}.csv", newline="", encoding="utf-8") as file, open(
            target / f"{agency}.csv", "w", newline="", encoding="utf-8"
        ) as out:
            writer = csv.writer(out)
            writer.writerow(COLUMNS)
            for row in csv.DictReader(file):
                name = fold(row["full_name"])
                born = date(row["birth_date"])
                digits = re.sub(r"\D", "", row["person_number"])
                writer.writerow(
                    [
                        row["record"],
                        name,
                        name.split(" ")[-1],
                        born,
                        born[:4],
                        sex(row["sex"]),
                        digits if len(digits) == 12 else "",
                        digits if len(digits) == 9 else "",
                        phone(row["phone"]),
                        fold(row["address"]),
                        row["commune"],
                        fold(row["father_name"]),
                        fold(row["mother_name"]),
                        row["cluster"],
                    ]
                )


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
