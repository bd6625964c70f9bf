"""The models of the runs, written as JSON for both engines: python3 models.py. The JSON is what is committed and read."""
import json
import pathlib


def level(sql, label, **more):
    return {"sql_condition": sql, "label_for_charts": label, **more}


def comparison(column, levels, frequencies=False):
    l, r = f'"{column}_l"', f'"{column}_r"'
    exact = {"tf_adjustment_column": column, "tf_adjustment_weight": 1.0} if frequencies else {}
    return {
        "output_column_name": column,
        "comparison_levels": [
            level(f"{l} IS NULL OR {r} IS NULL", f"{column} is missing", is_null_level=True),
            level(f"{l} = {r}", f"{column} is equal", **exact),
            *(level(sql.format(l=l, r=r), label) for sql, label in levels),
            level("ELSE", "otherwise"),
        ],
    }


def jaro_winkler(*thresholds):
    return [(f"jaro_winkler_similarity({{l}}, {{r}}) >= {t}", f"Jaro-Winkler {t}") for t in thresholds]


def damerau(*thresholds):
    return [(f"damerau_levenshtein({{l}}, {{r}}) <= {t}", f"{t} apart") for t in thresholds]


COMPARISONS = [
    comparison("given_name", jaro_winkler(0.92, 0.8), frequencies=True),
    comparison("surname", jaro_winkler(0.92, 0.8), frequencies=True),
    comparison("date_of_birth", damerau(1, 2)),
    comparison("soc_sec_id", damerau(1, 2)),
    comparison("street_number", damerau(1)),
    comparison("address_1", jaro_winkler(0.92, 0.8), frequencies=True),
    comparison("suburb", jaro_winkler(0.92, 0.8), frequencies=True),
    comparison("postcode", damerau(1)),
    comparison("state", []),
]

RULES = [
    ["soc_sec_id"],
    ["date_of_birth"],
    ["given_name", "surname"],
    ["surname", "postcode"],
    ["given_name", "postcode"],
    ["surname", "suburb"],
    ["given_name", "suburb"],
    ["address_1", "street_number"],
    ["address_1", "postcode"],
    ["given_name", "street_number"],
    ["surname", "street_number"],
]


PEOPLE = [
    comparison("full_name", jaro_winkler(0.95, 0.88), frequencies=True),
    comparison("birth_date", damerau(1, 2)),
    comparison("sex", []),
    comparison("number", damerau(1, 2)),
    comparison("card", damerau(1)),
    comparison("phone", damerau(1)),
    comparison("address", jaro_winkler(0.95, 0.88)),
    comparison("commune", [], frequencies=True),
    comparison("father_name", jaro_winkler(0.92), frequencies=True),
    comparison("mother_name", jaro_winkler(0.92), frequencies=True),
]

PEOPLE_RULES = [
    ["number"],
    ["card"],
    ["phone", "given"],
    ["birth_date", "given"],
    ["birth_date", "commune"],
    ["full_name", "birth_year", "commune"],
    ["mother_name", "given"],
    ["address", "given"],
]


def model(link_type, comparisons=COMPARISONS, rules=RULES):
    return {
        "link_type": link_type,
        "sql_dialect": "duckdb",
        "unique_id_column_name": "rec_id",
        "probability_two_random_records_match": 0.0002,
        "em_convergence": 0.0001,
        "max_iterations": 25,
        "retain_matching_columns": False,
        "retain_intermediate_calculation_columns": False,
        "blocking_rules_to_generate_predictions": [
            {
                "blocking_rule": " AND ".join(f'l."{c}" = r."{c}"' for c in rule),
                "sql_dialect": "duckdb",
            }
            for rule in rules
        ],
        "comparisons": comparisons,
    }


if __name__ == "__main__":
    here = pathlib.Path(__file__).parent
    models = {
        "febrl4": model("link_only"),
        "febrl3": model("dedupe_only"),
        "people": model("link_only", PEOPLE, PEOPLE_RULES),
    }
    for name, text in models.items():
        (here / f"{name}.json").write_text(json.dumps(text, indent=1) + "\n")
