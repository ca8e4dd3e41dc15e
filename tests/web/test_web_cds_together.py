"""Patients of hooks that are worked out together get what each would get alone; what is asked again is not worked out again."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest

from bence.demo import demo_chart
from bence.errors import ChartError
from bence.fhir import to_fhir
from bence.read import from_fhir
from bence.web.cds import together
from bence.web.cds.together import Together, worked_out

TODAY = date.today()
PATIENTS = ("D01", "D12", "D29")


def fetched(*patients):
    found = [entry["resource"] for patient in patients for entry in to_fhir(demo_chart().only(patient))["entry"]]
    return {"patient": {"resourceType": "Bundle", "entry": [{"resource": each} for each in found]}}


def person(name):
    return {"patient": {"resourceType": "Patient", "id": name}}


def names(charts, *_):
    """Stands in for the working out: the names of the patients."""
    return [chart.patients["patient"][0] for chart in charts]


def test_together_each_is_known_as_alone_and_as_of_today():
    charts = [from_fhir(fetched(patient)) for patient in PATIENTS]
    for chart, known in zip(charts, worked_out(charts, "china", TODAY), strict=True):
        alone = worked_out([chart], "china", TODAY)[0]
        assert known.facts.row(0, named=True) == alone.facts.row(0, named=True)
        assert {**known.status, "patient": ""} == {**alone.status, "patient": ""}
        assert known.facts["patient"].to_list() == chart.patients["patient"].to_list()
        assert known.facts["at"].to_list() == [TODAY] == [known.status["at"]]


def test_those_who_wait_are_worked_out_at_once_and_one_fault_is_ones_own(monkeypatch):
    """The first is held until the others wait; one of these cannot be worked out."""
    sizes, waiting = [], threading.Event()

    def held(charts, *_):
        sizes.append(len(charts))
        waiting.wait(30)
        if "broken" in names(charts):
            raise ZeroDivisionError
        return names(charts)

    monkeypatch.setattr(together, "worked_out", held)
    asked = Together("china")
    with ThreadPoolExecutor(4) as pool:
        answers = [pool.submit(asked.known, person("first"))]
        while not sizes:
            time.sleep(0.01)
        answers += [pool.submit(asked.known, person(name)) for name in ("second", "broken", "fourth")]
        while len(asked._waiting) < 3:
            time.sleep(0.01)
        waiting.set()
    assert sizes == [1, 3, 1, 1, 1]
    assert [answers[place].result() for place in (0, 1, 3)] == ["first", "second", "fourth"]
    with pytest.raises(ZeroDivisionError):
        answers[2].result()


def test_what_is_asked_again_is_not_worked_out_again_for_a_while(monkeypatch):
    made, now = [], [0.0]
    monkeypatch.setattr(together, "worked_out", lambda charts, *_: made.append(len(charts)) or names(charts))
    monkeypatch.setattr(together.time, "monotonic", lambda: now[0])
    asked = Together("china")
    for seconds, name, times in ((0, "A", 1), (0, "A", 1), (0, "B", 2), (together.SECONDS - 1, "A", 2), (2, "A", 3), (0, "B", 4)):
        now[0] += seconds
        assert asked.known(person(name)) == name
        assert len(made) == times


def test_no_more_are_kept_than_there_is_room_for(monkeypatch):
    monkeypatch.setattr(together, "worked_out", names)
    monkeypatch.setattr(together, "KEPT", 2)
    asked = Together("china")
    for name in "ABC":
        asked.known(person(name))
    assert [known for _, known in asked._kept.values()] == ["B", "C"]


@pytest.mark.parametrize("patients", [(), ("D01", "D12")])
def test_nobody_and_two_are_refused(patients):
    with pytest.raises(ChartError, match=f"{len(patients)} patients"):
        Together("china").known(fetched(*patients))
