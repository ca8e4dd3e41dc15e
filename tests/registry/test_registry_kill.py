"""An import that is killed in the middle leaves nothing."""

import signal
import subprocess
import sys
import textwrap
from pathlib import Path

from homes import ADMIN, LEAD, small, whole

from bence.registry import Store

SCRIPT = """
import sys, time
sys.path.append({tests!r})
from homes import LEAD, small
from bence.registry import Store
from bence.registry.changing import Change

begin = Change.begin
def begin_and_wait(change, table, frame):
    begin(change, table, frame)
    if table == "treatments":
        print("in the middle", flush=True)
        time.sleep(60)
Change.begin = begin_and_wait
Store({where!r}).import_chart(LEAD, small("P2"), "to be killed")
"""


def test_a_killed_import_leaves_nothing(where):
    store = Store(where)
    store.import_chart(LEAD, small("P1"), "first")
    script = textwrap.dedent(SCRIPT).format(tests=str(Path(__file__).parent), where=str(where))
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "in the middle\n"
        running.send_signal(signal.SIGKILL)
    assert whole(store.chart(LEAD)) == whole(small("P1"))
    assert store.verify(ADMIN).whole
    again = store.import_chart(LEAD, small("P2"), "once more")
    assert (again.counts["new"], again.change) == (5, 2)
    store.close()
