"""How often twins are right: coverage of their intervals on virtual courses that the twin has not seen.

    python bench/twin.py [--protocol majestec-1] [--people 24] [--siblings 3000] [--after 112] [--seed 9001]

Virtual people of a seed that no sibling has go through a protocol; each gets a twin on a day of the last line; what the laboratory
measured later is compared with the 50 and 90 % bands. A value below the assay's limit is inside a band that reaches below that limit.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import polars as pl

from bence.errors import UsageError
from bence.simulate.course import run
from bence.simulate.people import draw_people
from bence.simulate.protocols import read_protocol
from bence.simulate.records import records
from bence.simulate.twin import Twin, later_values, twin

AHEAD = (56, 112, 168, 224)
NEAR = 14  # days about a horizon
BANDS = {"50 %": ("lower", "upper"), "90 %": ("low", "high")}


def inside(found: Twin, later: pl.DataFrame) -> Iterator[tuple[str, int, str, bool]]:
    """For each quantity, horizon in days and band: did the value measured nearest to that day lie inside?"""
    for what in ("m_protein", "involved_flc"):
        for ahead in AHEAD:
            day = found.at + timedelta(ahead)
            apart = (pl.col("on") - day).dt.total_days().abs()
            seen = later.filter(pl.col("what") == what, apart <= NEAR).sort(apart).head(1)
            if seen.is_empty():
                continue
            (row,) = seen.iter_rows(named=True)
            told = found.forecast.filter(pl.col("what") == what, pl.col("on") <= row["on"]).row(-1, named=True)
            for band, (low, high) in BANDS.items():
                above = row["comparator"] == "<" or row["value"] <= told[high]
                yield what, ahead, band, told[low] <= row["value"] and above


def twins(protocol: str, people: int, siblings: int, after: int, seed: int) -> Iterator[tuple[Twin, pl.DataFrame] | str]:
    """A twin of each virtual person `after` days into the line, with what was measured later; or why there is none."""
    read = read_protocol(protocol)
    drawn = draw_people(read.population, people, seed)
    chart = records(run(drawn, read, seed))
    for patient in drawn.table["patient"]:
        given = chart.only(patient).treatments
        began = given.filter(pl.col("line") == given["line"].max())["started_on"].min()
        try:
            found = twin(chart, patient, began + timedelta(after), siblings=siblings, weeks=max(AHEAD) // 7 + 2)
        except UsageError as error:
            yield str(error)
            continue
        yield found, later_values(found, chart)


def main() -> None:
    """Print the coverage by quantity, horizon and band, how many siblings counted, and why some had no twin."""
    said = argparse.ArgumentParser(description=__doc__)
    said.add_argument("--protocol", default="majestec-1")
    for name, usual in (("people", 24), ("siblings", 3000), ("after", 112), ("seed", 9001)):
        said.add_argument(f"--{name}", type=int, default=usual)
    given = said.parse_args()
    hits, all_of, none = Counter(), Counter(), Counter()
    effective, tempered = [], []
    for each in twins(given.protocol, given.people, given.siblings, given.after, given.seed):
        if isinstance(each, str):
            none[each] += 1
            continue
        effective.append(each[0].effective)
        tempered.append(each[0].tempered)
        for what, ahead, band, hit in inside(*each):
            all_of[what, ahead, band] += 1
            hits[what, ahead, band] += hit
    print(f"{given.protocol}: {len(effective)} twins of {given.people}, {given.siblings} siblings each")
    for key in sorted(all_of):
        share = hits[key] / all_of[key]
        print(f"{key[0]:13s} {key[1]:4d} days ahead, {key[2]} band: {hits[key]:3d} of {all_of[key]:3d} inside ({share:.0%})")
    if effective:
        middle = pl.DataFrame({"effective": effective, "tempered": tempered}).median().row(0)
        print(f"median effective number of siblings {middle[0]:.0f}, median power of the likelihood {middle[1]:.2f}")
    for reason, number in none.items():
        print(f"no twin for {number}: {reason}")


if __name__ == "__main__":
    main()
