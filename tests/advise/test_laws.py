"""Laws of the advice, whatever the pathway says: missing data invents nothing, others change nothing, nothing comes from the future."""

from __future__ import annotations

import re
from datetime import date
from functools import cache

import numpy as np
import polars as pl
import pytest

from bence.advise import REGIONS, advice, advice_of
from bence.advise.checks import drawn
from bence.advise.pathway import pathway
from bence.advise.setting import settle
from bence.advise.vocabulary import vocabulary
from bence.errors import UsageError
from bence.evidence import approvals, record

N = 6_000
KEY = ("patient", "question", "option")
WORDS = {pl.Enum: pl.String, pl.Categorical: pl.String}
STANDS = ("patient", "question", "option", "stance")
DAYS = (date(2021, 1, 15), date(2023, 8, 10), date(2024, 5, 31), date(2025, 7, 1), date(2026, 3, 4))
OWN = "sequencing-rules"  # Bence's own summary of others
APART = 1.0  # how far the ends of a number that is not known exactly lie from it


@cache
def whole(seed: int = 1) -> pl.DataFrame:
    """Patients of whom everything is known."""
    return drawn(N, seed=seed)


def blurred(facts: pl.DataFrame, seed: int, share: float) -> tuple[pl.DataFrame, dict[str, np.ndarray]]:
    """The same patients, of whom less is known: a fact is missing, one of two words, or between two numbers; and whose facts are so."""
    rng = np.random.default_rng(seed)
    columns, less = [facts["patient"]], {}
    for name in facts.columns[1:]:
        bedside = name in vocabulary() and vocabulary()[name].bedside
        less[name] = np.zeros(facts.height, bool) if name == "at" or bedside else rng.random(facts.height) < share
        columns += less_known(facts[name], less[name], rng)
    return pl.DataFrame(columns), less


def less_known(fact: pl.Series, less: np.ndarray, rng: np.random.Generator) -> list[pl.Series]:
    """A fact that is known less exactly where `less`; half of them are missing."""
    gone, own = pl.Series(less), pl.Series(less & (rng.random(len(fact)) < 0.5))
    frame = pl.DataFrame([fact.alias("fact"), gone.alias("gone"), own.alias("own")])
    known = pl.when(~pl.col("gone")).then("fact").alias(fact.name)
    if isinstance(fact.dtype, pl.Enum):
        words = pl.Series(rng.choice(fact.dtype.categories.to_list(), size=len(fact)))
        some = frame.with_columns(pl.col("fact").cast(pl.String), other=words)
        two = pl.when(pl.col("other") != pl.col("fact")).then(pl.concat_str("fact", "other", separator="|")).otherwise("fact")
        return [some.select(pl.when(~pl.col("gone")).then("fact").when("own").then(two).alias(fact.name)).to_series()]
    if fact.dtype.is_float():
        ends = {"_low": pl.col("fact") - APART, "_high": pl.col("fact") + APART}
        sides = [pl.when(~pl.col("gone")).then("fact").when("own").then(end).alias(fact.name + name) for name, end in ends.items()]
        return frame.select(known, *sides).get_columns()
    return [frame.select(known).to_series()]


def stands(facts: pl.DataFrame) -> pl.DataFrame:
    """What is said of every option, one row each: its stances joined by a comma."""
    rows = advice(facts, "us").select(*(pl.col(name).cast(pl.String) for name in STANDS), "unlocked_by")
    return rows.group_by(KEY).agg(pl.col("stance").sort().str.join(","), pl.col("unlocked_by").drop_nulls())


@cache
def both(seed: int, share: float) -> pl.DataFrame:
    """What is said of less known patients (`stance`) and of the same patients known whole (`then`); empty where nothing is."""
    less = stands(blurred(whole(), seed, share)[0]).drop("unlocked_by")
    known = stands(whole()).drop("unlocked_by").rename({"stance": "then"})
    waits = less.filter(pl.col("option").is_null()).select("patient", "question", waits=True)
    rows = less.drop_nulls("option").join(known.drop_nulls("option"), on=list(KEY), how="full", coalesce=True)
    return rows.join(waits, on=["patient", "question"], how="left").with_columns(pl.col("stance", "then").fill_null(""))


SHARES = pytest.mark.parametrize(("seed", "share"), [(11, 0.02), (12, 0.1), (13, 0.3)])


@SHARES
def test_what_is_for_with_facts_missing_is_for_whatever_they_are(seed: int, share: float) -> None:
    rows = both(seed, share).filter(pl.col("stance").str.split(",").list.contains("for"))
    assert rows.height > 50
    wrong = rows.filter(~pl.col("then").str.split(",").list.contains("for"))
    assert wrong.is_empty(), wrong.head(3).rows()


@SHARES
def test_what_is_for_alone_is_never_also_against(seed: int, share: float) -> None:
    rows = both(seed, share).filter(pl.col("stance") == "for")
    wrong = rows.filter(pl.col("then") != "for")
    assert wrong.is_empty(), wrong.head(3).rows()


@SHARES
def test_what_is_blocked_is_blocked_or_no_option_whatever_is_missing(seed: int, share: float) -> None:
    rows = both(seed, share).filter(pl.col("stance") == "blocked")
    assert rows.height > 50
    wrong = rows.filter(~pl.col("then").is_in(["blocked", ""]))
    assert wrong.is_empty(), wrong.head(3).rows()


@SHARES
def test_what_is_against_stays_so_or_is_blocked(seed: int, share: float) -> None:
    rows = both(seed, share).filter(pl.col("stance").str.contains("against"))
    assert rows.height > 50
    wrong = rows.filter(~pl.col("then").str.contains("against|blocked"))
    assert wrong.is_empty(), wrong.head(3).rows()


@SHARES
def test_what_is_for_when_all_is_known_is_for_or_unknown_or_its_question_waits(seed: int, share: float) -> None:
    rows = both(seed, share).filter(pl.col("then").str.contains("for"))
    wrong = rows.filter(~pl.col("stance").str.contains("for|unknown") & pl.col("waits").is_null())
    assert wrong.is_empty(), wrong.head(3).rows()


def test_nothing_is_unknown_where_everything_is_known() -> None:
    assert not advice(whole(), "us")["stance"].cast(pl.String).is_in(["unknown"]).any()


@pytest.mark.parametrize("share", [0.05, 0.3])
def test_an_unknown_names_facts_that_are_missing_and_only_those(share: float) -> None:
    facts, less = blurred(whole(), 14, share)
    rows = advice(facts, "us").with_columns(pl.col("stance").cast(pl.String))
    waiting = rows.filter(pl.col("stance") == "unknown")
    place = {patient: i for i, patient in enumerate(facts["patient"])}
    assert waiting["unlocked_by"].null_count() == 0
    assert rows.filter(pl.col("stance") != "unknown")["unlocked_by"].drop_nulls().is_empty()
    named = [(name, place[patient]) for patient, names in waiting.select("patient", "unlocked_by").rows() for name in names.split("|")]
    assert {name for name, at in named if not less[name][at]} == set()


def test_the_order_of_patients_and_other_patients_change_nothing() -> None:
    facts = blurred(whole(2).head(400), 15, 0.1)[0]
    rows = advice(facts, "us").cast(WORDS)
    mixed = advice(facts.sample(fraction=1, shuffle=True, seed=3), "us").cast(WORDS)
    assert mixed.sort("patient", maintain_order=True).equals(rows)
    for at in range(0, facts.height, 40):
        alone = advice(facts[at], "us").cast(WORDS)
        assert alone.equals(rows.filter(pl.col("patient") == facts["patient"][at]))


@pytest.mark.parametrize("day", DAYS, ids=str)
def test_no_row_speaks_before_its_time(day: date) -> None:
    since = {row.key: atom.bound for rows in pathway().rows.values() for row in rows for atom in row.atoms if atom.fact == "at"}
    later = {key for key, began in since.items() if isinstance(began, date) and began > day}
    rows = advice(whole(4).with_columns(at=pl.lit(day)), "us")
    named = {key for text in rows["rules"].cast(pl.String).drop_nulls().unique() for key in text.split("|")}
    assert named
    assert named & later == set()
    for column in ("contrary", "cautions"):
        said = "; ".join(rows[column].cast(pl.String).drop_nulls().unique())
        assert [key for key in later if f"({key})" in said] == []


def test_no_row_speaks_against_before_the_first_of_its_sources() -> None:
    early = set()
    for row in (row for rows in pathway().rows.values() for row in rows if row.stance in ("against", "blocked")):
        began = [atom.bound.year for atom in row.atoms if atom.fact == "at" and isinstance(atom.bound, date)]
        sources = [key for key in row.evidence if key != OWN]
        years = [year for year in map(year_of, sources) if year]
        if years and len(years) == len(sources) and min(years) > min(began, default=0):
            early.add(row.key)
    assert sorted(early) == []


def year_of(key: str) -> int | None:
    """The year of a source of the evidence base that tells it."""
    try:
        return record(key).get("year")
    except UsageError:  # a source of the assessment
        return None


@pytest.mark.parametrize("region", REGIONS)
@pytest.mark.parametrize("day", DAYS, ids=str)
def test_no_label_before_its_approval(day: date, region: str) -> None:
    facts = settle(whole(5).head(1_500).with_columns(at=pl.lit(day)), region)
    running = approvals().filter((pl.col("region") == region) & (pl.col("on") <= day) & (pl.col("ends").is_null() | (pl.col("ends") > day)))
    products = set(running["drug"])
    for option in pathway().options.values():
        if option.label and option.label.product not in products:
            told = set(facts[f"label_{option.key}"].cast(pl.String).unique())
            assert told <= {"not_approved", "unverified"}, option.key
    offered = advice(facts, region).filter(pl.col("stance").cast(pl.String) == "for")["option"].cast(pl.String).unique()
    early = [key for key in offered if (label := pathway().options[key].label) and label.product not in products]
    unverified = [key for key in early if "unverified" in set(facts[f"label_{key}"].cast(pl.String))]
    assert early == unverified


def test_a_day_later_never_takes_an_approval_back_but_by_its_end() -> None:
    ends = set(approvals().drop_nulls("ends")["drug"])
    facts = whole(6).head(1_500)
    for region in REGIONS:
        told = [settle(facts.with_columns(at=pl.lit(day)), region) for day in DAYS]
        for option in pathway().options.values():
            if option.label and option.label.product not in ends:
                within = np.array([(rows[f"label_{option.key}"].cast(pl.String) == "on_label").to_numpy() for rows in told])
                assert (within[:-1] <= within[1:]).all(), (option.key, region)


def test_the_story_of_a_patient_says_what_the_table_says() -> None:
    facts = blurred(whole(7).head(60), 16, 0.1)[0]
    table = advice(facts, "us")
    for at in range(facts.height):
        told = advice_of(facts[at], "us")
        every = [(asked.key, one.stance, one.words.split("; ")) for asked in told.questions for one in asked.options]
        rows = table.filter(pl.col("patient") == facts["patient"][at]).select("question", "stance", "option").rows()
        wanted = [(question, stance, pathway().options[option].words[0] if option else "") for question, stance, option in rows]
        found = sorted((key, stance, short(words)) for key, stance, several in every for words in several)
        assert found == sorted((key, stance, short(words)) for key, stance, words in wanted)
        assert {(key, stance, words[0]) for key, stance, words in every if len(words) == 1} <= set(wanted)


def short(words: str) -> str:
    """The words of an option without what they explain in brackets at their end, as several are told in one breath."""
    return re.sub(r" ?\([^()]*\)$", "", words)


def test_the_story_names_the_rows_of_the_table() -> None:
    facts = blurred(whole(8).head(60), 17, 0.1)[0]
    table = advice(facts, "us").filter(pl.col("stance").cast(pl.String).is_in(["for", "unknown"])).drop_nulls("option")
    for at in range(facts.height):
        told = advice_of(facts[at], "us")
        open_ = [(asked.key, one) for asked in told.questions for one in asked.options if one.stance in ("for", "unknown")]
        found = {
            (question, one.option.key): ("|".join(ground.row.key for ground in one.grounds), "|".join(name for name, _, _ in one.missing))
            for question, one in open_
            if one.option
        }
        mine = table.filter(pl.col("patient") == facts["patient"][at])
        wanted = {(row["question"], row["option"]): (row["rules"] or "", row["unlocked_by"] or "") for row in mine.rows(named=True)}
        assert found == wanted


def test_english_and_chinese_say_the_same() -> None:
    facts = blurred(whole(9).head(1_000), 18, 0.1)[0]
    english, chinese = (advice(facts, "us", lang).cast(WORDS) for lang in ("en", "zh"))
    words = ["because", "contrary", "cautions"]
    assert english.drop(words).equals(chinese.drop(words))
    assert (english["because"].is_null() == chinese["because"].is_null()).all()
    for text in chinese["because"].drop_nulls().unique():
        assert any("一" <= sign <= "鿿" for sign in text), text
