"""Our engine beside Splink on the same models and data in one run: python3 compare.py OUR_PROGRAM FOLDER [RUNS [NAME ...]].

Both start from the same untrained model, train without labels (1,000,000 random pairs, the same rules for m), score the pairs
of the same blocking rules, and cluster at p 0.95. Ours is a process from start to end; Splink's time is inside the process,
without the imports. Then Splink scores with the model that ours trained, and every pair's weight is compared.
"""
import collections
import csv
import dataclasses
import json
import logging
import math
import pathlib
import resource
import subprocess
import sys
import time
import warnings

warnings.filterwarnings("ignore")
import duckdb  # noqa: E402
from splink import DuckDBAPI, Linker  # noqa: E402

logging.getLogger("splink").setLevel(logging.ERROR)

HERE = pathlib.Path(__file__).parent
THREADS = 2
RANDOM_PAIRS = 1_000_000


@dataclasses.dataclass
class Run:
    """What is linked, and what is learned from which pairs."""

    files: list[str]
    train: list[list[str]]
    certain: list[str]
    recall: float

    def rule(self, columns):
        return " AND ".join(f'l."{column}" = r."{column}"' for column in columns)


FEBRL = [["date_of_birth"], ["given_name", "surname"]]
RUNS = {
    "febrl4": Run(["dataset4a", "dataset4b"], FEBRL, ["soc_sec_id"], 0.8),
    "febrl3": Run(["dataset3"], FEBRL, ["soc_sec_id"], 0.8),
    "people": Run(["agency_a", "agency_b"], [["birth_date", "given"], ["full_name", "birth_year", "commune"]], ["number"], 0.7),
}


def cpu():
    own = resource.getrusage(resource.RUSAGE_SELF)
    return own.ru_utime + own.ru_stime


def children_cpu():
    child = resource.getrusage(resource.RUSAGE_CHILDREN)
    return child.ru_utime + child.ru_stime


def read(folder, name):
    connection = duckdb.connect()
    return connection.sql(f"select * from read_csv('{folder}/{name}.csv', all_varchar=true)").to_arrow_table()


def linker(settings, folder, names):
    connection = duckdb.connect()
    connection.execute(f"set threads to {THREADS}")
    api = DuckDBAPI(connection=connection)
    tables = [api.register(read(folder, name), dataset_display_name=name) for name in names]
    return Linker(tables if len(tables) > 1 else tables[0], settings, log_level=None)


def splink(settings, folder, run):
    """Trains, scores and clusters; gives the pairs and how long it took."""
    started, cpu_before = time.perf_counter(), cpu()
    it = linker(settings, folder, run.files)
    it.training.estimate_probability_two_random_records_match([run.rule(run.certain)], recall=run.recall)
    it.training.estimate_u_using_random_sampling(max_pairs=RANDOM_PAIRS, seed=1)
    for rule in run.train:
        it.training.estimate_parameters_using_expectation_maximisation(run.rule(rule), estimate_without_term_frequencies=True)
    trained = time.perf_counter()
    predicted = it.inference.predict()
    predicted.as_duckdbpyrelation().count("*").fetchall()
    scored = time.perf_counter()
    it.clustering.cluster_pairwise_predictions_at_threshold(predicted, threshold_match_probability=0.95)
    ended = time.perf_counter()
    times = {"train": trained - started, "score": scored - trained, "cluster": ended - scored}
    used = cpu() - cpu_before
    return fetch(predicted, run), ended - started, used, times


def fetch(predicted, run):
    """Every pair with its weight, by (source, id) of both, in order."""
    pairs = {}
    one_source = run.files[0] if len(run.files) == 1 else None
    for row in predicted.as_record_list():
        left = (one_source or row["source_dataset_l"], row["rec_id_l"])
        right = (one_source or row["source_dataset_r"], row["rec_id_r"])
        pairs[tuple(sorted([left, right]))] = row["match_weight"]
    return pairs


def ours(program, name, folder, run, out):
    files = ["--left", f"{folder}/{run.files[0]}.csv"]
    if len(run.files) > 1:
        files += ["--right", f"{folder}/{run.files[1]}.csv"]
    command = [program, *files, "--model", str(HERE / f"{name}.json"), "--train", "--threads", str(THREADS), "--en"]
    for rule in run.train:
        command += ["--train-rule", run.rule(rule)]
    command += ["--certain-rule", run.rule(run.certain), "--recall", str(run.recall), "--random-pairs", str(RANDOM_PAIRS)]
    command += ["--threshold", "0.000000000001", "--out", f"{out}/{name}.pairs.csv", "--clusters", f"{out}/{name}.clusters.csv", "--cluster-from", "0.95"]
    command += ["--save-model", f"{out}/{name}.trained.json"]
    started, cpu_before = time.perf_counter(), children_cpu()
    subprocess.run(command, check=True, capture_output=True)
    took, used = time.perf_counter() - started, children_cpu() - cpu_before
    pairs = {}
    with open(f"{out}/{name}.pairs.csv", newline="") as file:
        for row in csv.DictReader(file):
            key = tuple(sorted([(row["source_l"], row["id_l"]), (row["source_r"], row["id_r"])]))
            pairs[key] = float(row["weight"])
    return pairs, took, used


def truth_of(folder, run):
    """The person of each record, and how many pairs there are to find."""
    person, sizes = {}, collections.Counter()
    for source in run.files:
        with open(f"{folder}/{source}.csv", newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                person[(source, row["rec_id"])] = row["person"]
                sizes[(None, row["person"])] += 1
                sizes[(source, row["person"])] += 1
    pairs = sum((1 if source is None else -1) * n * (n - 1) // 2 for (source, _), n in sizes.items())
    within = sum(n * (n - 1) // 2 for (source, _), n in sizes.items() if source is not None)
    return person, pairs if len(run.files) > 1 else pairs + within


def f1(pairs, least_probability, truth):
    person, true_pairs = truth
    odds = least_probability / (1 - least_probability)
    found = wrong = 0
    for (left, right), weight in pairs.items():
        if weight >= math.log2(odds):
            if person[left] == person[right]:
                found += 1
            else:
                wrong += 1
    return 2 * found / (found + wrong + true_pairs)


def main(program, folder, names, runs):
    for name in names:
        run = RUNS[name]
        truth = truth_of(folder, run)
        settings = json.loads((HERE / f"{name}.json").read_text())
        print(f"## {name}: {truth[1]} pairs to find", flush=True)
        for _ in range(runs):
            their_pairs, their_time, their_cpu, parts = splink(settings, folder, run)
            our_pairs, our_time, our_cpu = ours(program, name, folder, run, folder)
            for who, pairs, took, used in [
                ("splink", their_pairs, their_time, their_cpu),
                ("ours", our_pairs, our_time, our_cpu),
            ]:
                print(
                    f"{who:7} {len(pairs)} pairs, F1 at 0.5 {f1(pairs, 0.5, truth):.5f}, at 0.95 {f1(pairs, 0.95, truth):.5f},"
                    f" {took:.3f} s, {used:.2f} CPU s"
                )
            print(
                f"        splink {parts}; ours in {their_time / our_time:.1f} times less time,"
                f" {their_cpu / our_cpu:.1f} times less CPU",
                flush=True,
            )
        trained = json.loads((pathlib.Path(folder) / f"{name}.trained.json").read_text())
        again = fetch(linker(trained, folder, run.files).inference.predict(), run)
        both = again.keys() & our_pairs.keys()
        apart = max((abs(again[pair] - our_pairs[pair]) for pair in both), default=0.0)
        print(
            f"        our model in Splink: {len(both)} pairs in both, {len(again.keys() ^ our_pairs.keys())}"
            f" in one only, weights at most {apart:.2e} apart"
        )


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[4:] or ["febrl4", "febrl3"], int(sys.argv[3]) if len(sys.argv) > 3 else 3)
