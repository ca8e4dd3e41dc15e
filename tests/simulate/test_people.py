"""Virtual people: their target tables, how quantities go together, and that a person is the same in every cohort."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from scipy.stats import spearmanr

from bence.catalogue import codes
from bence.errors import BenceError, ChartError, UsageError
from bence.simulate.earlier import earlier_lines, earlier_treatments
from bence.simulate.marginals import Marginal, marginal
from bence.simulate.model import TAGS
from bence.simulate.people import People, draw_people
from bence.simulate.populations import b2m_scale, populations, read_population

N = 10_000
ALL = populations()
SD = 4.5  # standard errors of a draw of N that a share may be off: about one false alarm in 100,000 rows
RRMM = ("rrmm_triple_class_exposed", "rrmm_1_3_lines")


@pytest.fixture(scope="module")
def drawn() -> dict[str, People]:
    return {key: draw_people(key, N, 11) for key in ALL}


def near(found: float, wanted: float, of: int = N) -> bool:
    return abs(found - wanted) <= SD * np.sqrt(max(wanted * (1 - wanted), 1e-9) / of) + 1e-12


def rows_told(key: str, table: pl.DataFrame, what: str) -> pl.Series:
    """The people whom a row of the target table speaks of."""
    heavy, light = table["heavy_chain"] != "none", table["isotype"] == "light_chain"
    return {"m_protein": heavy, "involved_flc": heavy, "involved_flc_light_chain": light}.get(what, pl.Series([True] * table.height))


def test_the_populations_asked_for_are_there():
    assert {"ndmm", "ndmm_transplant_eligible", "rrmm_triple_class_exposed", "rrmm_1_3_lines", "smm_high_risk"} <= set(ALL)
    assert len({read_population(key).code for key in ALL}) == len(ALL), "the identifiers of two populations begin alike"
    assert all(read_population(key).name.keys() == {"en", "zh"} for key in ALL)


@pytest.mark.parametrize("key", ALL)
def test_a_drawn_cohort_matches_its_target_table(key: str, drawn: dict[str, People]):
    table = drawn[key].table
    off = []
    for what, target in read_population(key).targets.items():
        column = {"involved_flc_light_chain": "involved_flc", "kappa": "light_chain"}.get(what, what)
        if what == "translocation":
            names = {name: table[name].mean() for name in ("t_11_14", "t_4_14", "t_14_16")}
            off += [name for name, share in names.items() if not near(share, target.shares[name])]
            continue
        if what == "involved_flc" and key == "smm_high_risk":
            continue  # its high end is cut so that the ratio stays below 100
        values = table.filter(rows_told(key, table, what))[column if column != "female" else "sex"]
        n = values.len()
        if target.kind == "flag":
            said = {"female": "female", "kappa": "kappa"}.get(what, True)
            values = values.filter(values != "none") if what == "kappa" else values
            off += [] if near((values == said).mean(), target.share, values.len()) else [what]
        elif target.kind == "category":
            off += [
                f"{what} {name}" for name, share in target.shares.items() if not near((values.cast(pl.String) == name).mean(), share, n)
            ]
        else:
            off += [] if near((values < target.median).mean(), 0.5, n) else [what]
            if target.above:
                off += [] if near((values > target.above[0]).mean(), target.above[1], n) else [f"{what} above {target.above[0]}"]
            low = values.min() >= (target.low if target.low is not None else -np.inf) - 1e-9
            high = values.max() <= (target.high if target.high is not None else np.inf) + 1e-9
            off += [] if low and high else [f"{what} out of range"]
    assert not off


@pytest.mark.parametrize(("key", "share", "with_1q"), [
    ("ndmm_transplant_eligible", 0.214, False), ("rrmm_triple_class_exposed", 0.290, False), ("rrmm_1_3_lines", 105 / 176, True),
])  # fmt: skip
def test_the_parts_of_high_risk_add_up_to_the_published_share(key: str, share: float, with_1q: bool, drawn: dict[str, People]):
    table = drawn[key].table
    high = table["high_risk"] | (table["gain_1q"] > 2) if with_1q else table["high_risk"]
    assert high.mean() == pytest.approx(share, abs=0.02)


def test_stage_follows_from_albumin_and_b2m(drawn: dict[str, People]):
    for row in drawn["ndmm"].table.head(500).iter_rows(named=True):
        stage = "III" if row["b2m"] >= 5.5 else "I" if row["b2m"] < 3.5 and row["albumin"] >= 35 else "II"
        assert row["iss"] == stage


@pytest.mark.parametrize(
    ("a", "b", "rho"), [("b2m", "creatinine", 0.55), ("hemoglobin", "marrow_plasma_cells", -0.40), ("ldh", "age", 0.0)]
)
def test_quantities_go_together_as_the_table_says(a: str, b: str, rho: float, drawn: dict[str, People]):
    table = drawn["ndmm"].table
    found = spearmanr(table[a], table[b]).statistic
    assert found == pytest.approx(6 / np.pi * np.arcsin(rho / 2), abs=0.045)  # the rank correlation of a normal pair


@pytest.mark.parametrize("key", ALL)
def test_a_person_is_the_same_in_every_cohort(key: str):
    few, many = draw_people(key, 7, 5, first=23), draw_people(key, 60, 5)
    assert_frame_equal(few.table, many.table[23:30])
    assert np.array_equal(few.parameters, many.parameters[:, 23:30])
    other = draw_people(key, 7, 6, first=23)
    assert not np.array_equal(few.table["age"], other.table["age"])


@pytest.mark.parametrize("key", ALL)
def test_parameters_start_the_model_at_what_is_known_of_the_person(key: str, drawn: dict[str, People]):
    people = drawn[key]
    index, table = people.model.parameter_index, people.table
    start = people.model.start(people.parameters)
    assert np.isfinite(start).all()
    assert np.isfinite(people.parameters).all()
    assert start[people.model.state_index["m_protein"]] == pytest.approx(table["m_protein"].to_numpy(), rel=1e-9, abs=1e-12)
    shares = [people.parameters[index[name]] for name in ("share_bcma_low", "share_gprc5d_loss", "share_double_loss", "share_resistant")]
    assert np.min(shares) > 0
    assert np.sum(shares, axis=0).max() < 1
    for name in ("igg", "iga", "extramedullary", "t_resistant"):
        assert set(np.unique(people.parameters[index[name]])) <= {0.0, 1.0}
    assert people.parameters[index["weight"]] == pytest.approx(table["weight"].to_numpy())
    assert np.exp(people.parameters[index["ln_n0"]]).max() < people.model.parameters[index["carrying_capacity"]].value


def test_covariates_move_parameters_as_the_table_of_covariates_says(drawn: dict[str, People]):
    people = drawn["ndmm"]
    clearance = np.log(people.parameters[people.model.parameter_index["bcma_cl1"]])
    table, weight = people.table, np.log(people.table["weight"].to_numpy() / 74)
    known = np.column_stack(
        [
            np.ones(N),
            weight,
            (table["iss"] == "II").to_numpy(),
            (table["iss"] == "III").to_numpy(),
            (table["heavy_chain"] != "igg").to_numpy(),
        ]
    )
    fitted = np.linalg.lstsq(known.astype(float), clearance, rcond=None)[0]
    assert np.exp(fitted[2:]) == pytest.approx([1.31, 1.67, 0.689], rel=0.05)
    assert fitted[1] == pytest.approx(0.704, abs=0.12)


def test_earlier_lines_hold_what_the_population_is_defined_by(drawn: dict[str, People]):
    known = codes()
    for key in RRMM:
        people = drawn[key]
        classes = [{known[drug].drug_class for drug in drugs} for drugs in people.table["prior_drugs"].to_list()]
        assert all({"PI", "IMiD"} <= had for had in classes)
        if key == "rrmm_triple_class_exposed":
            assert all("CD38_antibody" in had for had in classes)
        rows = earlier_treatments(people.table, people.population.earlier, people.seed)
        assert rows["what"].is_in(list(known)).all()
        assert (rows["start"] <= rows["stop"]).all()
        assert rows["stop"].max() < -20
        lines = rows.group_by("number").agg(pl.col("line").n_unique()).sort("number")
        assert lines["line"].to_list() == people.table["prior_lines"].to_list()
        last = rows.filter(pl.col("line") == pl.col("line").max().over("number"), pl.col("phase") != "transplant")
        failed = last.group_by("number").agg((pl.col("stop_reason") == "progression").any()).sort("number")["stop_reason"]
        assert (failed == people.table["refractory_to_last"]).all()
    assert earlier_treatments(drawn["ndmm"].table, "today", 11).is_empty()
    assert drawn["ndmm"].table["prior_drugs"].list.len().max() == 0


@pytest.mark.parametrize("key", ["rrmm_before_antibodies", "rrmm_late_before_antibodies"])
def test_nobody_had_an_antibody_before_there_were_any(key: str, drawn: dict[str, People]):
    people, known = drawn[key], codes()
    had = people.table.select("prior_lines", drug=pl.col("prior_drugs")).explode("drug")
    classes = had.with_columns(drug_class=pl.col("drug").replace_strict({drug: known[drug].drug_class for drug in had["drug"].unique()}))
    assert "CD38_antibody" not in classes["drug_class"].to_list()
    late = classes.filter(pl.col("prior_lines") >= 3).group_by("prior_lines").agg("drug_class")
    assert all({"PI", "IMiD"} <= set(each) for each in late["drug_class"].to_list())


def test_lines_before_the_last_end_as_often_in_each_way_as_the_table_says(drawn: dict[str, People]):
    """Before antibodies most were courses of fixed length; today treatment goes on until progression."""
    for key, shares in (("rrmm_before_antibodies", {"toxicity": 0.15, "completed": 0.70, "progression": 0.15}),
                        ("rrmm_1_3_lines", {"toxicity": 0.15, "progression": 0.85})):  # fmt: skip
        people = drawn[key]
        lines = earlier_lines(people.table, people.population.earlier, people.seed)
        ended = lines.filter(pl.col("line") < pl.col("line").max().over("number"))["stop_reason"]
        assert set(ended) == set(shares)
        assert all(near((ended == way).mean(), share, ended.len()) for way, share in shares.items())


def test_drugs_kill_slow_cells_less(drawn: dict[str, People]):
    """Twice the growth, 2 ** kill_growth times the kill; so smouldering disease is the slowest to go."""
    model = drawn["ndmm"].model
    growth, pace = (model.parameter_index[name] for name in ("growth", "pace"))
    for people in drawn.values():
        slope = np.polyfit(np.log(people.parameters[growth]), np.log(people.parameters[pace]), 1)[0]
        assert slope == pytest.approx(model.number("kill_growth"))
    assert np.median(drawn["smm_high_risk"].parameters[pace]) < 0.6 * np.median(drawn["ndmm"].parameters[pace])


def test_no_light_chain_ratio_of_smouldering_myeloma_defines_active_disease(drawn: dict[str, People]):
    table = drawn["smm_high_risk"].table
    assert (table["involved_flc"] / table["uninvolved_flc"]).max() < 100
    assert table["marrow_plasma_cells"].max() < 0.6
    assert table["lytic_lesions"].max() == 0


def test_light_chain_and_non_secretory_people_have_no_m_protein(drawn: dict[str, People]):
    table = drawn["ndmm"].table.filter(pl.col("heavy_chain") == "none")
    assert table["m_protein"].max() == 0
    assert set(table["isotype"]) == {"light_chain", "non_secretory"}
    silent = table.filter(pl.col("isotype") == "non_secretory")
    assert (silent["involved_flc"] / silent["uninvolved_flc"]).max() < 1.65
    assert set(silent["light_chain"]) == {"none"}


def test_every_row_of_a_target_table_says_how_it_is_known():
    for key in ALL:
        assert all(row.tag in TAGS and row.source for row in read_population(key).targets.values())


# ---- What is wrong is said

WRONG = {
    "a tag or a source": {"what": "age", "median": 60, "sd": 8, "tag": "A"},
    "not said in one way": {"what": "age", "median": 60, "tag": "A", "source": "x"},
    "unknown field 'mean'": {"what": "age", "mean": 60, "sd": 8, "tag": "A", "source": "x"},
    "are 0.9 together": {"what": "iss", "shares": {"I": 0.5, "II": 0.4}, "tag": "A", "source": "x"},
}


@pytest.mark.parametrize("said", WRONG)
def test_a_wrong_row_is_refused(said: str):
    with pytest.raises(ChartError, match=said):
        marginal(WRONG[said], "some.toml")


def test_an_unknown_population_is_answered_with_the_nearest():
    with pytest.raises(UsageError, match="did you mean 'ndmm'"):
        draw_people("ndm", 3, 1)


def test_stages_that_no_b2m_gives_are_refused():
    albumin = Marginal("albumin", "A", "x", median=30, spread=2)
    with pytest.raises(BenceError, match="no b2m gives ISS"):
        b2m_scale((0.9, 0.05, 0.05), albumin)


def test_a_median_survives_the_cut():
    ranks = (np.arange(20_000) + 0.5) / 20_000
    values = Marginal("age", "A", "x", median=66, spread=13, low=60, high=92).of(ranks)
    assert np.median(values) == pytest.approx(66, abs=0.01)
    assert values.min() >= 60
    assert (np.diff(values) >= 0).all()
