"""The law of missing data over every rule, and the rulebook itself."""

import importlib
import pkgutil
import random

import pytest
from by_hand import agreeing, cells, completions, domain, partial_record, relevant, whole
from toys import TARGETS, book

import bence.assess
from bence.derive import derive
from bence.interval import NOT_NEGATIVE, Interval, above, below
from bence.known import possible
from bence.rulebook import BOOK, Rulebook
from bence.solve import solve
from bence.tree import forks

for module in pkgutil.iter_modules(bence.assess.__path__):
    importlib.import_module(f"bence.assess.{module.name}")

EVERY = [pytest.param(book, name, id=f"toy-{name}") for name in TARGETS]
EVERY += [pytest.param(BOOK, name, id=name) for name in BOOK.rules]


def check(book, target, found, record, most):
    """The law both ways where every completion is tried, one way where they are sampled."""
    wholes, all_of_them = completions(found, record, most)
    by_hand = {whole(book, target, each) for each in wholes}
    answers = possible(book.rules[target], **record)
    assert by_hand <= answers, f"{answers} leaves out an answer: {record}"
    if all_of_them:
        assert answers == by_hand, f"an answer was withheld or invented: {record}"
        unknown = [leaf for leaf in book.inputs(target) if not isinstance(record.get(leaf), (int, float))]
        matter = relevant(book, target, wholes)
        settled_by = {need for leaf in matter for need in book.made_of(leaf, unknown.__contains__)}
        assert answers.settled_by.keys() == settled_by, f"what would settle it: {record}"


@pytest.mark.parametrize(("book", "target"), EVERY)
def test_an_answer_is_given_exactly_when_no_missing_value_could_change_it(book, target):
    found = cells(book, target)
    check(book, target, found, {}, most=20_000)
    draw = random.Random(1)
    for _ in range(25):
        check(book, target, found, partial_record(found, draw, most=200), most=200)


@pytest.mark.parametrize(("book", "target"), EVERY)
def test_a_complete_record_has_the_answer_of_the_plain_function(book, target):
    found = cells(book, target)
    draw = random.Random(2)
    for _ in range(20):
        record = {leaf: draw.choice(values) for leaf, values in found.items()}
        assert possible(book.rules[target], **record) == {whole(book, target, record)}


@pytest.mark.parametrize(("book", "target"), EVERY)
def test_no_threshold_of_a_rule_is_overlooked_by_hand(book, target):
    """Otherwise the law above would be tested on too few values."""
    found = cells(book, target)
    cohort = solve([target], {}, 1, book=book)
    for part in book.order([target]):
        for fork in forks(cohort[part].walk.trees[0][1]):
            assert fork.name not in found or fork.test.at in found[fork.name]


@pytest.mark.parametrize(("book", "target"), EVERY)
def test_every_category_asked_for_exists(book, target):
    for part in book.order([target]):
        for fork in forks(solve([target], {}, 1, book=book)[part].walk.trees[0][1]):
            categories = domain(book, fork.name)
            if fork.name not in book.rules and isinstance(categories, tuple):
                assert fork.test.at in categories


# ---- Recorded answers -------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", ["r_iss", "kidney", "adverse", "r2_iss"])
def test_a_recorded_answer_leaves_out_what_disagrees_with_it(target):
    """Where both can be true together; `kidney` and `adverse` share inputs with the rules recorded."""
    found = cells(book, target)
    draw = random.Random(3)
    needed = [name for name in book.order([target]) if name not in ("r2_points", "ldh_high", "high_risk_fish")]
    tried = 0
    while tried < 60:
        record = partial_record(found, draw, most=300)
        wholes, _ = completions(found, record, 300)
        names = draw.sample(needed, draw.randint(1, len(needed)))
        recorded = {name: whole(book, name, draw.choice(wholes)) for name in names}
        by_hand = agreeing(book, target, wholes, recorded)
        if by_hand:
            tried += 1
            answers = possible(book.rules[target], **record, **recorded)
            assert answers == by_hand, (record, recorded)
            assert not answers.conflict


def test_a_recorded_answer_that_cannot_be_is_overruled():
    assert possible(book.rules["iss"], b2m=6, iss="I") == {"III"}
    assert possible(book.rules["iss"], b2m=6, iss="I").conflicts == {"iss"}
    r_iss = possible(book.rules["r_iss"], b2m=6, iss="I", t_4_14="positive")
    assert r_iss == {"III"}
    assert r_iss.conflicts == {"iss"}


def test_a_recorded_answer_fills_what_cannot_be_derived():
    assert possible(book.rules["iss"], iss="II") == {"II"}
    assert possible(book.rules["iss"], iss="II").settled_by == {}
    assert possible(book.rules["r_iss"], iss="III", ldh_high="yes") == {"III"}


def test_a_recorded_stage_tells_of_the_values_it_is_made_of():
    """ISS I means a low beta-2 microglobulin, which `kidney` looks at on its own."""
    assert possible(book.rules["kidney"], iss="III", b2m=below(12), creatinine=200) == {"late", "early"}
    assert possible(book.rules["kidney"], iss="II", b2m=below(3.5)) == {"perhaps"}
    assert possible(book.rules["kidney"], iss="II", b2m=3.6) == {"perhaps"}


def test_records_that_exclude_each_other_are_all_overruled():
    answers = possible(book.rules["kidney"], iss="III", kidney="perhaps")
    assert answers == {"no", "early", "late"}
    assert answers.conflicts == {"kidney"}


# ---- Quantities -------------------------------------------------------------------------------------------


def test_a_quantity_is_known_as_far_as_its_inputs_are():
    high = book.rules["ldh_high"]
    assert possible(high, ldh=250, ldh_upper_limit=240) == {True}
    assert possible(high, ldh=above(250), ldh_upper_limit=240) == {True}
    assert possible(high, ldh=below(240), ldh_upper_limit=240) == {False}
    assert possible(high, ldh=Interval(240, 300), ldh_upper_limit=240) == {False, True}
    assert possible(high, ldh=0, ldh_upper_limit=above(0)) == {False}
    assert possible(high, ldh=250) == {False, True}
    assert possible(high, ldh=250).settled_by == {"ldh_upper_limit": None}
    assert possible(high, ldh_relative=2.0) == {True}
    assert possible(high, ldh_relative=above(0.5)).settled_by == {"ldh": None, "ldh_upper_limit": None}


def test_a_quantity_may_be_made_of_quantities():
    other = Rulebook({"ldh": NOT_NEGATIVE, "ldh_upper_limit": NOT_NEGATIVE}.get)
    relative = other.quantity("times the limit", low=0)(book.quantities["ldh_relative"].function)
    other.quantity("times the limit above 1")(over)
    far_over = other.rule("toy")(far_over_limit)
    assert relative.needs == ("ldh", "ldh_upper_limit")
    assert other.leaves("far_over_limit") == ("over",)
    assert possible(far_over, ldh=600, ldh_upper_limit=200) == {True}
    assert possible(far_over, ldh=600).settled_by == {"ldh_upper_limit": None}
    assert possible(far_over, ldh_relative=2.6, ldh=500) == {True}
    assert possible(far_over, ldh_relative=above(2)).settled_by == {"ldh": None, "ldh_upper_limit": None}


def over(ldh_relative):
    return ldh_relative - 1


def far_over_limit(over):
    return over > 1.5


def test_a_recorded_quantity_stands_back_behind_its_inputs():
    high = book.rules["ldh_high"]
    assert possible(high, ldh=250, ldh_upper_limit=240, ldh_relative=0.5) == {True}
    assert possible(high, ldh=250, ldh_relative=0.5) == {False}


def test_a_word_for_a_number_is_its_interval():
    assert possible(book.rules["adverse"], del_17p="positive", t_4_14="positive", t_14_16="positive") >= {"double"}
    with pytest.raises(ValueError, match="del_17p: maybe is not possible; expected a number"):
        possible(book.rules["high_risk_fish"], del_17p="maybe")


# ---- The rulebook -----------------------------------------------------------------------------------------


def test_a_rule_knows_what_it_needs():
    r_iss = book.rules["r_iss"]
    assert r_iss.needs == ("iss", "high_risk_fish", "ldh_high")
    assert book.leaves("r_iss") == ("b2m", "albumin", "del_17p", "t_4_14", "t_14_16", "ldh_relative")
    assert book.rules["iss"].thresholds == {"high": 5.5, "low": 3.5, "albumin_low": 35}
    assert (book.rules["iss"].label, book.rules["iss"].zh) == ("International Staging System", "国际分期系统")
    assert book.rules["iss"].source == "greipp-2005"


def test_the_needed_comes_first():
    order = book.order(["r2_iss", "r_iss"])
    assert order.index("iss") < order.index("r2_points") < order.index("r2_iss")


def test_a_rule_is_solved_apart_if_nothing_else_looks_at_its_inputs():
    assert book.shape("r_iss").apart == ("iss", "high_risk_fish", "ldh_high")
    assert book.shape("kidney").inside == ("iss",)
    assert book.shape("adverse").inside == ("high_risk_fish", "r_iss")
    assert book.shape("adverse").apart == ("iss", "ldh_high")


def test_a_rule_is_a_plain_function_on_complete_data():
    iss = book.rules["iss"]
    assert iss(5.5, 40.0) == iss(b2m=5.5, albumin=40.0) == "III"
    assert iss(b2m=5.4999999999, albumin=40.0) == "III"
    assert iss(b2m=5.6, albumin=40.0, high=6.0) == iss.vary(high=6.0)(5.6, 40.0) == "II"


def test_a_threshold_is_varied():
    assert possible(book.rules["iss"].vary(high=7), b2m=6) == {"II"}
    assert derive(book.rules["r_iss"], {"b2m": 6}, {"iss": {"high": 7}}).answers == {"II"}
    with pytest.raises(TypeError, match="iss has no threshold 'hihg'; it has high, low, albumin_low"):
        book.rules["iss"].vary(hihg=7)


def test_a_name_that_is_not_needed_is_refused():
    with pytest.raises(TypeError, match="iss does not need 'b2n'; it needs b2m, albumin"):
        possible(book.rules["iss"], b2n=3)


def test_a_name_is_entered_once():
    other = Rulebook()
    other.rule("toy")(whatever)
    with pytest.raises(ValueError, match="whatever is in the rulebook already"):
        other.rule("toy")(whatever)
    with pytest.raises(ValueError, match="whatever is in the rulebook already"):
        other.quantity("mg")(whatever)


def whatever(x):
    return x > 1


def test_rules_that_need_each_other_are_refused():
    other = Rulebook()

    @other.rule("toy")
    def hen(egg):
        return egg == "hatched"

    @other.rule("toy")
    def egg(hen):
        return "hatched" if hen else "cold"

    with pytest.raises(ValueError, match="circle: hen → egg → hen"):
        possible(hen)
