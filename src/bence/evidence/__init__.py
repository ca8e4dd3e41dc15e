"""What is known of drugs, trials, guidelines, targets and mechanisms: facts in files, each with the place where it was read.

    records("drugs")        every record of a kind, by key
    record("teclistamab")   one record
    cited("emn-2025")       a record on one line
    approvals()             what is licensed for whom, where and since when
    faults()                everything that is wrong with the base

Facts, not opinions. The tag of a fact says how it is known: V read on the page named, S as a source text states it, M from memory,
O a choice, C computed. A statement of a source that turned out wrong stands in the register of disputed statements.
"""

from .approvals import approvals, approvals_unknown
from .faults import faults
from .records import KINDS, cited, keys, kind_of, record, records, weakest

__all__ = ["KINDS", "approvals", "approvals_unknown", "cited", "faults", "keys", "kind_of", "record", "records", "weakest"]
