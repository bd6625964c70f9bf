"""Our engine beside Splink on the same models and data in one run: python3 compare.py OUR_PROGRAM FOLDER [RUNS].

Both start from the same untrained model, train without labels (1,000,000 random pairs, the same rules for m), score the pairs
of the same blocking rules, and cluster at p 0.95. Ours is a process from start to end; Splink's time is inside the process,
without the imports. Then Splink scores with the model that ours trained, and every pair's weight is compared.
"""
import csv
import json
import logging
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
TRAIN_RULES = ['l."date_of_birth" = r."date_of_birth"', 'l."given_name" = r."given_name" AND l."surname" = r."surname"']
CERTAIN_RULES = ['l."soc_sec_id" = r."soc_sec_id"']
RECALL = {"febrl4": 0.8, "febrl3": 0.8}
RUNS = {
    "febrl4": (["dataset4a", "dataset4b"], 5000),
    "febrl3": (["dataset3"], 6538),
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


def splink(settings, folder, names, one_source):
    """Trains, scores and clusters; gives the pairs and how long it took."""
    started, cpu_before = time.perf_counter(), cpu()
    it = linker(settings, folder, names)
    it.training.estimate_probability_two_random_records_match(CERTAIN_RULES, recall=0.8)
    it.training.estimate_u_using_random_sampling(max_pairs=RANDOM_PAIRS, seed=1)
    for rule in TRAIN_RULES:
        it.training.estimate_parameters_using_expectation_maximisation(rule, estimate_without_term_frequencies=True)
    trained = time.perf_counter()
    predicted = it.inference.predict()
    pairs = fetch(predicted, one_source)
    scored = time.perf_counter()
    it.clustering.cluster_pairwise_predictions_at_threshold(predicted, threshold_match_probability=0.95)
    ended = time.perf_counter()
    times = {"train": trained - started, "score": scored - trained, "cluster": ended - scored}
    return pairs, ended - started, cpu() - cpu_before, times


def fetch(predicted, one_source):
    """Every pair with its weight, by (source, id) of both, in order."""
    pairs = {}
    for row in predicted.as_record_list():
        left = (one_source or row["source_dataset_l"], row["rec_id_l"])
        right = (one_source or row["source_dataset_r"], row["rec_id_r"])
        pairs[tuple(sorted([left, right]))] = row["match_weight"]
    return pairs


def ours(program, name, folder, names, out):
    files = ["--left", f"{folder}/{names[0]}.csv"]
    if len(names) > 1:
        files += ["--right", f"{folder}/{names[1]}.csv"]
    command = [program, *files, "--model", str(HERE / f"{name}.json"), "--train", "--threads", str(THREADS), "--en"]
    for rule in TRAIN_RULES:
        command += ["--train-rule", rule]
    for rule in CERTAIN_RULES:
        command += ["--certain-rule", rule]
    command += ["--recall", str(RECALL[name]), "--random-pairs", str(RANDOM_PAIRS)]
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


def f1(pairs, least_probability, true_pairs):
    odds = least_probability / (1 - least_probability)
    found = wrong = 0
    for (left, right), weight in pairs.items():
        if 2.0**weight >= odds:
            if left[1].split("-")[1] == right[1].split("-")[1]:
                found += 1
            else:
                wrong += 1
    return 2 * found / (found + wrong + true_pairs)


def main(program, folder, runs):
    for name, (names, true_pairs) in RUNS.items():
        one_source = names[0] if len(names) == 1 else None
        settings = json.loads((HERE / f"{name}.json").read_text())
        print(f"## {name}")
        for _ in range(runs):
            their_pairs, their_time, their_cpu, parts = splink(settings, folder, names, one_source)
            our_pairs, our_time, our_cpu = ours(program, name, folder, names, folder)
            for who, pairs, took, used in [
                ("splink", their_pairs, their_time, their_cpu),
                ("ours", our_pairs, our_time, our_cpu),
            ]:
                print(
                    f"{who:7} {len(pairs)} pairs, F1 at 0.5 {f1(pairs, 0.5, true_pairs):.5f}, at 0.95 {f1(pairs, 0.95, true_pairs):.5f},"
                    f" {took:.3f} s, {used:.2f} CPU s"
                )
            print(f"        splink {parts}; ours is {their_time / our_time:.1f} times as fast")
        trained = json.loads((pathlib.Path(folder) / f"{name}.trained.json").read_text())
        again = fetch(linker(trained, folder, names).inference.predict(), one_source)
        apart = max((abs(again[pair] - our_pairs[pair]) for pair in again.keys() & our_pairs.keys()), default=0.0)
        print(
            f"        our model in Splink: {len(again.keys() & our_pairs.keys())} pairs in both, {len(again.keys() ^ our_pairs.keys())}"
            f" in one only, weights at most {apart:.2e} apart"
        )


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 3)
