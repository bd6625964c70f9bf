#!/usr/bin/env python3
"""Writes data/units/*.csv from the PyPI package vietnamadminunits 1.0.4 (MIT licence).

How to run it again, from the root of the repository:

    python3 -m venv ~/venv-units
    ~/venv-units/bin/pip install vietnamadminunits==1.0.4
    ~/venv-units/bin/python data/tools/units.py

Only facts are taken from the package (codes, names, kinds, which unit became which). Coordinates are read
to mark doubtful successors and are not written. The script stops when a count differs from what it expects,
so that a new version of the package cannot change the data unseen.

What it decides:
- The name column of the package is trusted over its type column: five rows disagree, and the name is right in each.
- Tone marks in open syllables stand on the first vowel (Hòa, Thủy, not Hoà, Thuỷ), as in the official lists.
- A unit of the list before 1 July 2025 is dated from 1 January 2025: the package holds one state of that list,
  the one in force when the level of districts was abolished, not its history since 2004.
- A successor of a divided commune whose centre is more than FAR_KM away is marked `far`: the package matches by
  name, and two communes of the same name in provinces that merged are sometimes taken for one.
"""

import csv
import importlib.metadata
import importlib.resources
import json
import math
import pathlib
import re
import sqlite3
import unicodedata

VERSION = "1.0.4"
OLD_FROM, OLD_TO, NEW_FROM = "2025-01-01", "2025-06-30", "2025-07-01"
FAR_KM = 25
OUT = pathlib.Path(__file__).resolve().parent.parent / "units"
# Codes whose name before the reform belonged to another province than the one that bears the code now.
CHANGED_MEANING = {"15", "24", "44", "52", "80", "82", "91"}
ENGLISH = {"01": "Ha Noi", "79": "Ho Chi Minh City"}

# Open syllables ending in oa, oe, uy: the tone stands on the first vowel. Not after q (quý) and not before a consonant (hoàn).
OPEN = {}
for first, second, rows in (
    ("o", "a", ("àò", "áó", "ảỏ", "ãõ", "ạọ")),
    ("o", "e", ("èò", "éó", "ẻỏ", "ẽõ", "ẹọ")),
    ("u", "y", ("ỳù", "ýú", "ỷủ", "ỹũ", "ỵụ")),
):
    for marked_second, marked_first in rows:
        OPEN[first + marked_second] = marked_first + second
OPEN_PATTERN = re.compile(r"(?<![qQ])(" + "|".join(OPEN) + r")(?!\w)")


def clean(name):
    """NFC, single spaces, one apostrophe, one placement of tone marks."""
    name = " ".join(unicodedata.normalize("NFC", name).split()).replace("’", "'").replace("`", "'")

    def move(match):
        return OPEN[match[1]]

    return OPEN_PATTERN.sub(move, name)


KINDS = ("thị trấn", "thị xã", "thành phố", "đặc khu", "phường", "huyện", "quận", "tỉnh", "xã")


def split_kind(full):
    """'Phường Hồng Hà' -> ('phường', 'Hồng Hà')."""
    full = clean(full)
    for kind in KINDS:
        if full.lower().startswith(kind + " "):
            return kind, full[len(kind) + 1 :]
    raise SystemExit(f"no kind in {full!r}")


def plain(name):
    """Without diacritics, for English pages."""
    flat = unicodedata.normalize("NFD", name.replace("đ", "d").replace("Đ", "D"))
    return "".join(c for c in flat if not unicodedata.combining(c))


def kilometres(lat1, lon1, lat2, lon2):
    return 111.2 * math.hypot(lat1 - lat2, (lon1 - lon2) * math.cos(math.radians(lat1)))


def write(name, header, rows):
    rows = sorted(rows)
    keys = [(r[0], r[1], r[2]) for r in rows]
    assert len(keys) == len(set(keys)), name
    with (OUT / name).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
    print(f"{name}: {len(rows)} rows, {(OUT / name).stat().st_size} bytes")


def expect(what, found, expected):
    print(f"{what}: {found}")
    if found != expected:
        raise SystemExit(f"expected {expected}: check before committing")


def main():
    if importlib.metadata.version("vietnamadminunits") != VERSION:
        raise SystemExit(f"vietnamadminunits {VERSION} is needed")
    data = importlib.resources.files("vietnamadminunits") / "data"
    database = sqlite3.connect(str(data / "dataset.db"))
    database.row_factory = sqlite3.Row
    old = database.execute("select * from admin_units_legacy").fetchall()
    new = database.execute("select * from admin_units").fetchall()
    converter = json.loads((data / "converter_2025.json").read_text(encoding="utf-8"))

    # Provinces.
    old_provinces = {r["provinceCode"]: r["province"] for r in old}
    new_provinces = {r["provinceCode"]: r["province"] for r in new}
    old_code = {r["provinceKey"]: r["provinceCode"] for r in old}
    new_code = {r["provinceKey"]: r["provinceCode"] for r in new}
    predecessors = {new_code[k]: sorted(old_code[o] for o in olds) for k, olds in converter["DICT_PROVINCE"].items()}
    changed = {c for c in new_provinces if split_kind(old_provinces[c])[1] != split_kind(new_provinces[c])[1]}
    expect("codes that changed meaning", sorted(changed), sorted(CHANGED_MEANING))
    rows = []
    for code, full in old_provinces.items():
        kind, name = split_kind(full)
        rows.append((code, OLD_FROM, OLD_TO, kind, name, ENGLISH.get(code, plain(name)), "", ""))
    for code, full in new_provinces.items():
        kind, name = split_kind(full)
        note = f"before 2025-07-01 this code was {split_kind(old_provinces[code])[1]}" if code in changed else ""
        rows.append((code, NEW_FROM, "", kind, name, ENGLISH.get(code, plain(name)), " ".join(predecessors[code]), note))
    expect("provinces before", len(old_provinces), 63)
    expect("provinces in force", len(new_provinces), 34)
    expect("predecessors of provinces", sum(len(p) for p in predecessors.values()), 63)
    write("provinces.csv", ("code", "valid_from", "valid_to", "kind", "name", "name_en", "predecessors", "note"), rows)

    # Districts.
    districts = {r["districtCode"]: (r["district"], r["provinceCode"]) for r in old}
    expect("districts", len(districts), 696)
    write(
        "districts-2024.csv",
        ("code", "valid_from", "valid_to", "kind", "name", "province_code"),
        [(c, OLD_FROM, OLD_TO, *split_kind(full), province) for c, (full, province) in districts.items()],
    )

    # Communes. Five island districts had no communes: they appear in the district list and in the changes only.
    rows, kinds = [], {}
    for r in old:
        if r["wardCode"]:
            rows.append((r["wardCode"], OLD_FROM, OLD_TO, *split_kind(r["ward"]), r["provinceCode"], r["districtCode"]))
    for r in new:
        kind, name = split_kind(r["ward"])
        kinds[kind] = kinds.get(kind, 0) + 1
        rows.append((r["wardCode"], NEW_FROM, "", kind, name, r["provinceCode"], ""))
    expect("communes before", sum(1 for r in rows if r[2]), 10_035)
    expect("island districts without communes", sum(1 for r in old if not r["wardCode"]), 5)
    expect("communes in force", kinds, {"phường": 687, "xã": 2621, "đặc khu": 13})
    write("communes.csv", ("code", "valid_from", "valid_to", "kind", "name", "province_code", "district_code"), rows)

    # Changes.
    before = {f"{r['provinceKey']}_{r['districtKey']}_{r['wardKey'] or ''}": r for r in old}
    after = {(r["provinceKey"], r["wardKey"]): r for r in new}
    pairs, single, divided = [], 0, 0
    for province, wards in converter["DICT_PROVINCE_WARD_NO_DIVIDED"].items():
        for ward, olds in wards.items():
            for key in olds:
                pairs.append((before[key], after[province, ward], True, 1))
                single += 1
    for province, wards in converter["DICT_PROVINCE_WARD_DIVIDED"].items():
        for key, successors in wards.items():
            divided += 1
            assert sum(s["isDefaultNewWard"] for s in successors) == 1, key
            for s in successors:
                pairs.append((before[key], after[province, s["newWardKey"]], s["isDefaultNewWard"], len(successors)))
    expect("one successor", single, 9_569)
    expect("divided", divided, 471)
    expect("units with a predecessor", len({n["wardCode"] for _, n, _, _ in pairs}), 3_321)
    parents = {}
    for _, n, _, _ in pairs:
        parents[n["wardCode"]] = parents.get(n["wardCode"], 0) + 1
    rows, far, relations = [], set(), {}
    for o, n, default, count in pairs:
        note = ""
        if count > 1:
            relation = "split"
            if kilometres(o["wardLat"], o["wardLon"], n["wardLat"], n["wardLon"]) > FAR_KM:
                note = "far"
                far.add(o["wardCode"])
        elif parents[n["wardCode"]] > 1:
            relation = "merged"
        else:
            same = o["ward"] and split_kind(o["ward"]) == split_kind(n["ward"])
            relation = "unchanged" if same else "renamed"
        relations[relation] = relations.get(relation, 0) + 1
        code = o["wardCode"] or o["districtCode"]
        rows.append((code, OLD_FROM, n["wardCode"], NEW_FROM, NEW_FROM, relation, int(default), note))
    for code, olds in predecessors.items():
        for o in olds:
            same = split_kind(old_provinces[o]) == split_kind(new_provinces[code])
            relation = "merged" if len(olds) > 1 else "unchanged" if same else "renamed"
            rows.append((o, OLD_FROM, code, NEW_FROM, NEW_FROM, relation, 1, ""))
    print("relations of communes:", relations, "; divided with a far successor:", len(far))
    write(
        "changes-2025.csv",
        ("old_code", "old_valid_from", "new_code", "new_valid_from", "effective", "relation", "is_default", "note"),
        rows,
    )


if __name__ == "__main__":
    main()
