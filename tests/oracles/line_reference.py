"""A slow, obvious reference for lines of therapy, written from docs/rules/lines.md alone.

`lines_of(treatments, events, policies)` takes the rows of one patient (dictionaries with the columns of the chart) and
gives for each treatment row its line and, where the row opened that line, the rule that did.
"""

from __future__ import annotations

from dataclasses import dataclass, field

# ----------------------------------------------------------------------------------------------------------
# Roles of drugs: section 1 of the page

STEROIDS = {"dexamethasone", "prednisone", "prednisolone", "methylprednisolone"}
TRANSPLANTS = {"autologous_transplant", "allogeneic_transplant"}
CELLS = {
    "ide_cel", "cilta_cel", "eque_cel", "zevor_cel", "anito_cel", "arlo_cel", "bcma_car_t", "gprc5d_car_t",
    "bcma_gprc5d_car_t", "bcma_cd19_car_t", "bcma_cd38_car_t", "car_t",
}  # fmt: skip
OF_RELAPSE = CELLS | {
    "pomalidomide", "iberdomide", "mezigdomide", "daratumumab", "isatuximab", "elotuzumab", "belantamab_mafodotin",
    "teclistamab", "elranatamab", "linvoseltamab", "alnuctamab", "etentamig", "talquetamab", "forimtamig", "lbl_034",
    "cevostamab", "selinexor", "venetoclax", "sonrotoclax", "panobinostat", "vorinostat", "chidamide", "bendamustine",
    "melflufen",
}  # fmt: skip
MAINTENANCE = {"lenalidomide", "bortezomib", "ixazomib", "thalidomide", "interferon"}
CONDITIONING = {
    "melphalan", "cyclophosphamide", "doxorubicin", "liposomal_doxorubicin", "epirubicin", "idarubicin", "busulfan",
    "carmustine", "etoposide", "cisplatin", "cytarabine", "fludarabine", "other_antimyeloma",
}  # fmt: skip
OTHER_DRUGS = {
    "carfilzomib", "vincristine", "vindesine", "clarithromycin", "arsenic_trioxide", "crenigacestat", "nirogacestat",
    "investigational",
}  # fmt: skip
DRUGS = OF_RELAPSE | MAINTENANCE | CONDITIONING | OTHER_DRUGS
PLANNED_PHASES = {"transplant", "consolidation", "maintenance"}
OF_CELLS = {"bridging", "lymphodepletion"}
EARLIEST = -(10**6)
UNKNOWN = 10**7  # a stop that is not recorded

DEFAULTS = {
    "lines_window": 365, "lines_early": 28, "lines_switch": 90, "lines_gap": 240, "lines_resumed": 180, "lines_tandem": 180,
    "lines_steroids": False, "lines_radiotherapy": False,
}  # fmt: skip


@dataclass
class Row:
    """One treatment row with its days as numbers; `cells` is the day of the CAR T cells it belongs to."""

    what: str
    start: int
    stop: int
    planned: str | None
    phase: str | None
    stop_reason: str | None
    cells: int | None = None
    line: int | None = None
    boundary: str | None = None

    @property
    def acts(self) -> bool:
        """Whether the row is looked at as a beginning: drugs and transplants, but not what is given for CAR T cells."""
        return self.what in DRUGS | TRANSPLANTS and self.cells is None and self.phase not in OF_CELLS

    @property
    def is_planned(self) -> bool:
        return self.planned == "yes" or (self.planned is None and self.phase in PLANNED_PHASES)


@dataclass
class Line:
    """A line while it is being read: when it began, and the rows that are given in it."""

    number: int
    began: int
    rows: list[Row] = field(default_factory=list)


def read(row: dict) -> Row:
    start, stop = row["started_on"].toordinal(), row["stopped_on"].toordinal() if row["stopped_on"] else UNKNOWN
    if row["what"] in TRANSPLANTS | CELLS | {"radiotherapy"}:
        stop = start
    planned = {True: "yes", False: "no"}.get(row["planned"], row["planned"])
    return Row(row["what"], start, stop, planned, row["phase"], row["stop_reason"])


# ----------------------------------------------------------------------------------------------------------
# Section 2: what belongs to CAR T cells


def give_rows_to_their_cells(rows: list[Row]) -> None:
    infusions = sorted(row.start for row in rows if row.what in CELLS)
    aphereses = [row.start for row in rows if row.what == "apheresis"]

    def next_cells(day: int, within: int) -> int | None:
        return min((cells for cells in infusions if day <= cells <= day + within), default=None)

    for row in rows:
        if row.what in CELLS | TRANSPLANTS:
            continue
        goes_with_cells = row.what == "apheresis" or row.phase in OF_CELLS
        if row.what in DRUGS | STEROIDS | {"radiotherapy"}:
            goes_with_cells |= any(
                day <= row.start <= day + 150 and not any(day <= cells < row.start for cells in infusions) for day in aphereses
            )
        if goes_with_cells:
            row.cells = next_cells(row.start, 150)
        if row.what in {"fludarabine", "cyclophosphamide", "bendamustine"} and row.cells is None:
            row.cells = next_cells(row.start, 14)


# ----------------------------------------------------------------------------------------------------------
# Section 3: the facts about one day


@dataclass
class Day:
    """What the rules ask about a day on which something begins."""

    day: int
    line: Line
    rows: list[Row]
    policies: dict
    progressions: list[int]

    @property
    def today(self) -> list[Row]:
        return [row for row in self.rows if row.acts and row.start == self.day]

    @property
    def into(self) -> int:
        return self.day - self.line.began

    def last_given(self, drugs: set[str]) -> int:
        """The last day before this one on which one of the drugs was given in the line."""
        days = [min(row.stop, self.day) for row in self.line.rows if row.what in drugs and row.start < self.day]
        return max(days, default=EARLIEST)

    @property
    def drugs(self) -> set[str]:
        return {row.what for row in self.today} & DRUGS

    @property
    def new(self) -> set[str]:
        return {drug for drug in self.drugs if self.last_given({drug}) == EARLIEST}

    @property
    def back(self) -> set[str]:
        return {drug for drug in self.drugs - self.new if self.day - self.last_given({drug}) > self.policies["lines_resumed"]}

    @property
    def pause(self) -> int:
        """Days since anything of the line was last given; below zero while something goes on."""
        counted = DRUGS | TRANSPLANTS | (STEROIDS if self.policies["lines_steroids"] else set())
        counted |= {"radiotherapy"} if self.policies["lines_radiotherapy"] else set()
        return self.day - max((row.stop for row in self.line.rows if row.what in counted), default=EARLIEST)

    @property
    def transplant(self) -> int | None:
        """The transplant of the line: the last one before this day."""
        days = [row.start for row in self.line.rows if is_a_transplant(row)]
        return max((day for day in days if self.line.began <= day < self.day), default=None)

    @property
    def after_transplant(self) -> bool:
        return self.transplant is not None

    @property
    def soon_after_transplant(self) -> bool:
        return self.transplant is not None and self.day - self.transplant <= 90

    @property
    def coming_transplant(self) -> int | None:
        days = [row.start for row in self.rows if row.what in TRANSPLANTS and self.day <= row.start <= self.day + 60]
        return min(days, default=None)

    @property
    def coming_is_unplanned(self) -> bool:
        coming = [row for row in self.rows if row.what in TRANSPLANTS and self.day <= row.start <= self.day + 60]
        return any(row.planned == "no" for row in coming)

    @property
    def regimen(self) -> set[str]:
        return {row.what for row in self.rows if row.acts and self.day <= row.start <= self.day + 28} & DRUGS

    @property
    def with_steroid(self) -> bool:
        steroids = [row for row in self.rows if row.what in STEROIDS and row.cells is None and row.phase not in OF_CELLS]
        return any(self.day - 7 <= row.start <= self.day + 28 for row in steroids)

    @property
    def kept_in_part(self) -> bool:
        return self.day - self.last_given(self.regimen) <= 28

    @property
    def maintenance(self) -> bool:
        return len(self.regimen) == 1 and self.regimen <= MAINTENANCE and not self.with_steroid

    @property
    def progressed(self) -> bool:
        return any(self.line.began < day <= self.day for day in self.progressions)

    @property
    def stopped_for_a_reason(self) -> bool:
        return any(
            row.what in DRUGS and row.stop_reason in {"toxicity", "choice", "other"} and self.day - 60 <= row.stop <= self.day + 7
            for row in self.line.rows
        )

    @property
    def bortezomib_ended(self) -> bool:
        bortezomib = [row.stop for row in self.line.rows if row.what == "bortezomib"]
        others = [row.stop for row in self.line.rows if row.what in DRUGS - {"bortezomib"}]
        return bool(bortezomib) and max(bortezomib) <= self.day and any(stop > self.day for stop in others)


def is_a_transplant(row: Row) -> bool:
    return row.what in TRANSPLANTS or (row.what == "melphalan" and row.stop - row.start <= 3)


# ----------------------------------------------------------------------------------------------------------
# Section 3: the rules, in the order of the page


def opens(day: Day) -> str | None:
    """The rule by which this day opens a line, or None."""
    p, first, new = day.policies, day.line.number == 1, day.new
    if day.progressed and (new or day.back or day.pause > 28):
        return "new_drug_after_progression"
    if day.into > 7 and any(row.what in new and row.planned == "no" for row in day.today):
        return "unplanned_change"
    planned = [row.is_planned for row in day.today if row.what in new | TRANSPLANTS]
    if planned and all(planned) and day.pause < p["lines_gap"]:
        return None
    if day.coming_transplant is not None and day.drugs <= CONDITIONING:
        back = day.day - day.transplant if day.transplant is not None else -1
        if back > p["lines_tandem"] or (back > 60 and day.coming_is_unplanned):
            return "second_transplant"
        if day.pause < p["lines_gap"]:
            return None
    soon, after = day.soon_after_transplant, day.after_transplant
    if new and day.into > p["lines_early"] and day.stopped_for_a_reason and not day.maintenance and not soon:
        return "replaced_after_stop"
    if day.pause >= p["lines_gap"] and not (day.maintenance and after) and not soon:
        return "restart_after_pause"
    if new & OF_RELAPSE and (day.into > p["lines_early"] if first else day.into > 60 and not day.kept_in_part):
        return "drug_of_relapse"
    if first and "carfilzomib" in new and not soon and (day.into > 120 or (day.into > p["lines_early"] and day.bortezomib_ended)):
        return "inhibitor_replaced"
    maintains = day.maintenance and (after or day.pause < 60)
    if first and new and day.into > p["lines_window"] and not soon and not maintains:
        return "new_drug"
    if first and day.back and day.into > p["lines_window"] and len(day.regimen) >= 2 and day.with_steroid and not soon:
        return "drug_resumed"
    if not first and new and day.into > p["lines_switch"] and not day.kept_in_part and not (day.maintenance and after):
        return "new_drug"
    return None


# ----------------------------------------------------------------------------------------------------------
# From the first day to the last


def lines_of(treatments: list[dict], events: list[dict], policies: dict) -> list[tuple[int | None, str | None]]:
    """The line of every treatment row of one patient, and the rule that opened it where this row did."""
    p = {**DEFAULTS, **policies}
    rows = [read(row) if row["started_on"] else None for row in treatments]
    dated = [row for row in rows if row]
    give_rows_to_their_cells(dated)
    progressions = [row.stop for row in dated if row.stop_reason == "progression" and row.stop < UNKNOWN]
    told = [event for event in events if event["what"] in {"progression", "relapse_clinical"} and event["text"] != "none"]
    progressions += [event["on"].toordinal() for event in told]
    lines = read_days(dated, progressions, p)
    for row in dated:
        place(row, lines)
    return [(row.line, row.boundary) if row else (None, None) for row in rows]


def read_days(rows: list[Row], progressions: list[int], p: dict) -> list[Line]:
    lines: list[Line] = []
    for day in sorted({row.start for row in rows if row.acts or opens_by_policy(row, p)}):
        today = [row for row in rows if row.acts and row.start == day]
        if not lines:
            if not today:
                continue
            rule = "first_treatment"
        elif today:
            rule = opens(Day(day, lines[-1], rows, p, progressions))
        else:
            rule = None
        if rule is None and lines and any(row.start == day and opens_by_policy(row, p) for row in rows):
            rule = by_policy(Day(day, lines[-1], rows, p, progressions))
        if rule:
            lines.append(Line(len(lines) + 1, day))
            for row in [row for row in rows if row.start == day and (row.acts or opens_by_policy(row, p))]:
                row.boundary = rule
        line = lines[-1]
        line.rows = [row for row in rows if given_in(row, line, day)]
    return lines


def opens_by_policy(row: Row, p: dict) -> bool:
    steroid = row.what in STEROIDS and p["lines_steroids"]
    return (steroid or (row.what == "radiotherapy" and p["lines_radiotherapy"])) and row.cells is None and row.phase not in OF_CELLS


def by_policy(day: Day) -> str | None:
    """A steroid or radiotherapy that is allowed to open a line."""
    if day.policies["lines_radiotherapy"] and any(row.what == "radiotherapy" and row.start == day.day for row in day.rows):
        return "radiotherapy"
    relapsed = day.progressed and day.pause > 28
    return "steroid" if relapsed or day.pause >= day.policies["lines_gap"] else None


def given_in(row: Row, line: Line, day: int) -> bool:
    """Whether a row has been given in the line by this day: it began in it, or is known, by its stop, to go on in it."""
    if row.cells is not None or row.phase in OF_CELLS:
        return False
    pulse = 7 if row.what in STEROIDS else 0
    return row.start <= day and (row.start >= line.began - pulse or line.began < row.stop < UNKNOWN)


def place(row: Row, lines: list[Line]) -> None:
    """A row is in the last line that has begun; a steroid in the one whose drugs begin within a week."""
    day = row.start if row.cells is None else row.cells
    if row.what in STEROIDS and row.cells is None and row.phase not in OF_CELLS:
        day += 7
    row.line = max([1, *[line.number for line in lines if line.began <= day]])
