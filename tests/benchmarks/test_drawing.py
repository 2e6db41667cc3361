"""What CONTRIBUTING.md says of our own drawing and plotly's is what was measured."""

from __future__ import annotations

import json

from benchmarks.drawing import GUIDE, IN_GUIDE, OWN, PLOTLY, report, table
from benchmarks.written import RESULTS


def test_the_guide_has_what_was_measured() -> None:
    results = json.loads((RESULTS / "drawing.json").read_text(encoding="utf-8"))
    found = IN_GUIDE.search(GUIDE.read_text(encoding="utf-8"))
    assert found
    assert found[0] == table(results)
    assert (RESULTS / "drawing.md").read_text(encoding="utf-8") == report(results)


def test_what_was_decided_is_what_the_figures_say() -> None:
    """Our drawing stays while plotly's would not keep the redraw within the target, and ours costs less."""
    results = json.loads((RESULTS / "drawing.json").read_text(encoding="utf-8"))
    own, plotly = (results["ways"][way] for way in (OWN, PLOTLY))
    assert plotly["ratio"] > results["target_ratio"]
    assert own["drawing_ms"] < plotly["drawing_ms"]
    assert own["ratio"] < plotly["ratio"]
