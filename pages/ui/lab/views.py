"""How far the experiment on screen is, and what it shows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import streamlit as st

from core.experiments.confidence import Confidence, confidences
from core.experiments.design import Design
from core.experiments.experiment import Experiment
from core.experiments.findings import MEASURES, Findings, SettingPair, findings_of, measure_of
from core.experiments.items import ExperimentItem
from core.figures.lab.intervals import IntervalBar, curve_figure, differences_figure, means_figure, reliability_figure
from core.runtime.lru import LRU
from core.statistics.estimates import Estimate
from core.statistics.reliability import Reliability
from pages.ui.components.card import Card, Values
from pages.ui.components.charts import chart
from pages.ui.components.text import message, plain
from pages.ui.frame import parts
from pages.ui.jobs.waiting import Nothing
from pages.ui.lab import draft, runs, settings
from pages.ui.lab.draft import SHOWN, P

MEASURE = P + "measure"
EVERY = 1.0  # seconds between two looks
ROW, LEAST = 40, 150  # pixels of a setting's row, and of the smallest chart
HELP_VERDICTS = (
    "What the experiment shows, in sentences for a paper. A difference is shown where its 95 % interval leaves out 0 "
    "and the p-value of a paired permutation test, corrected by Holm over all comparisons here, is at most .05; else "
    "the sentence says that it is not shown, which is no proof that there is none. With fewer than five demonstration "
    "sets or twenty questions no verdict is given."
)
HELP_MEANS = (
    "The mean of every setting, and a 95 % interval that covers all that was drawn: other questions, other "
    "demonstration sets, other orders of the kind. Two intervals that overlap do not mean that there is no difference: "
    "differences are paired, on the right."
)
HELP_DIFFERENCES = (
    "Each setting minus the first value of what varies, question by question and set by set, and its 95 % interval. "
    "Coloured where it is shown. Hover for the p-value, the effect in standard deviations, and the smallest effect "
    "that so many items would show with 80 % power."
)
HELP_CONFIDENCE = (
    "Answers by how sure the model was of them, beside how often they were right: on the dashed line it is as often "
    "right as it says. Calibration error: the mean distance from that line (ECE, ten bins), 95 % interval over "
    "questions; where an error is small its interval lies above it. Changes by order: share of questions whose "
    "answer is not the same in all orders of a set. Against the first: share whose answer is another one than "
    "in the first setting."
)
HELP_VARIANCE = (
    "Where the differences between items of one setting come from: which question, which demonstration set, which "
    "order of it, and what only their combinations explain (“×”). Shares of the variance, estimated by the method of "
    "moments, with 95 % intervals."
)
_answers: LRU[tuple[str, int, int, str], Findings] = LRU(16)
_confidences: LRU[tuple[str, int, int], tuple[Confidence, ...]] = LRU(8)
_items: LRU[tuple[str, int, int], list[ExperimentItem]] = LRU(4)


@dataclass(frozen=True)
class ShownExperiment:
    """The experiment on screen.

    Attributes:
        experiment, design: which.
        done, failed: items in the ledger.
    """

    experiment: Experiment
    design: Design
    done: int
    failed: int

    def items(self) -> list[ExperimentItem]:
        """All of them that are there, by cell and question."""
        key = (self.experiment.key, self.done, self.failed)
        found = _items.get(key)
        if found is None:
            found = runs.ledger().items(self.experiment.key)
            _items.put(key, found)
        return found

    def confidences(self) -> tuple[Confidence, ...]:
        """How sure each setting is, and how often its answers change."""
        key = (self.experiment.key, self.done, self.failed)
        found = _confidences.get(key)
        if found is None:
            found = confidences(self.design, self.items())
            _confidences.put(key, found)
        return found

    def answers(self, measure: str) -> Findings:
        """What they show."""
        key = (self.experiment.key, self.done, self.failed, measure)
        found = _answers.get(key)
        if found is None:
            found = findings_of(self.design, self.items(), measure)
            _answers.put(key, found)
        return found


def shown() -> ShownExperiment:
    """The experiment on screen.

    Raises:
        Nothing: there is none, or it was deleted.
    """
    key = st.session_state.get(SHOWN, "")
    if not key:
        raise Nothing("Choose a question above and press Run, or open an experiment below.")
    run, name = runs.runs().of(key), runs.ledger().name_of(key, runs.owner())
    experiment = run.experiment if run is not None else runs.ledger().experiment(key, runs.owner())
    if experiment is None or name is None:
        raise Nothing("This experiment was deleted: run it again, or open another one below.")
    experiment = experiment.model_copy(update={"name": name})  # another visitor may call the same one otherwise
    done, failed = runs.ledger().count(key)
    return ShownExperiment(experiment, draft.design(experiment), done, failed)


def with_items() -> ShownExperiment:
    """The experiment on screen, of which something is there.

    Raises:
        Nothing: nothing is.
    """
    found = shown()
    if found.done == found.failed:
        raise Nothing("Nothing of this experiment is computed yet.")
    return found


def chosen_measure() -> str:
    """Name of the measure that the views show."""
    return str(st.session_state.get(MEASURE) or MEASURES[0].name)


def _progress_reads() -> Values:
    found = shown()
    run = runs.runs().of(found.experiment.key)
    under_way = run is not None and not run.ended
    error = run.error if run is not None else ""
    return found.experiment.key, found.experiment.name, under_way, error, 0 if under_way else found.done


def _progress(key: str, name: str, under_way: bool, error: str, _done: int) -> None:
    """Always the same elements, empty ones where there is less to say: a browser keeps what nothing takes the place of,
    where it does not hear of a run's end."""
    found = shown()
    total = found.design.items
    st.markdown(f"**{plain(name or found.experiment.sentence(), 90)}** :small[{message(found.experiment.sentence())}]")
    if under_way:
        _bar(key)
    elif found.done < total:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.progress(found.done / total, f"{found.done:,} of {total:,} items are kept.", width="stretch")
            st.button("Go on", key=P + "resume", on_click=settings.begin, args=(found.experiment,))
    else:
        st.empty()
    if error and not under_way:
        st.warning(message(error), icon=":material/info:")
    else:
        st.empty()
    if found.failed and not under_way:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.warning(_failed(found), icon=":material/error:")
            st.button("Try these again", key=P + "again", on_click=settings.begin, args=(found.experiment,))
    else:
        st.empty()


def _failed(found: ShownExperiment) -> str:
    said = found.answers(chosen_measure()).failed
    most = max(said, key=lambda sentence: said[sentence])
    return f"{found.failed:,} of {found.done:,} items failed and count in no number: {message(most)}"


@st.fragment(run_every=EVERY)
def _bar(key: str) -> None:
    """The bar of an experiment under way; the other views follow what it finds."""
    run = runs.runs().of(key)
    if run is None or run.ended:
        st.empty()
        parts.done()
        return
    now, before = run.advance, runs.runs().before(key)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if before:
            st.progress(0.0, f"Waits for {before} other experiment{'s' if before > 1 else ''} on this server.")
        elif now is None or not now.computed:
            st.progress(0.0 if now is None else now.done / now.total, "Starting its processes and loading the model …")
        else:
            left = f", {_time(now.left)} left" if now.left is not None else ""
            st.progress(now.done / now.total, f"{now.done:,} of {now.total:,} items{left}")
        said = "Cancelling…" if run.cancelling else "Cancel"
        st.button(said, key=P + "cancel_bar", disabled=run.cancelling, on_click=settings.cancel, args=(key,))
    parts.done()


def _time(seconds: float) -> str:
    whole = math.ceil(seconds)
    return f"{whole} s" if whole < 60 else f"{whole // 60} min {whole % 60} s"


def _verdict_reads() -> Values:
    found = with_items()
    return found.experiment.key, found.done, found.failed, chosen_measure()


def _verdicts(*_: Any) -> None:
    found = with_items()
    answers = found.answers(chosen_measure())
    lines = [_line(pair) for pair in answers.pairs]
    if answers.curve is not None:
        lines.insert(0, _curve_line(answers))
    if not found.experiment.vary:
        lines.append(_variance_line(answers))
    if not answers.complete:
        lines.append(f":small[After {found.done:,} of {found.design.items:,} items; it can still change.]")
    st.markdown("\n\n".join(lines))  # one element, which the next takes the place of


def _line(pair: SettingPair) -> str:
    text = message(pair.said.text)
    if pair.said.refused:
        return f":material/block: {text}"
    return f":material/check_circle: **{text}**" if pair.said.shown else f":material/help: {text}"


def _curve_line(answers: Findings) -> str:
    assert answers.curve is not None
    found = answers.curve.saturation
    if found.rising:
        return f":material/show_chart: {message(answers.measure.title)} still gets better at {max(answers.curve.ks)}."
    unit = " points" if answers.measure.name == "accuracy" else ""
    margin = found.margin * (100 if unit else 1)
    return (
        f":material/show_chart: **From k = {found.k} on, more demonstrations help by no more than {margin:.1f}{unit} "
        f"(95 % interval of this k: {found.low} to {found.high}).**"
    )


def _variance_line(answers: Findings) -> str:
    split = answers.splits[0]
    if split is None or not split.parts or any(math.isnan(part.share) for part in split.parts):
        return ":material/help: All items came out alike, so there is no variance to split."
    order = next((part for part in split.parts if part.name == "order"), None)
    if order is None:
        return ":material/help: One order of each set was drawn: draw several to see what order does."
    return (
        f":material/swap_vert: **Order within a set makes {order.share:.0%} of the variance of "
        f"{answers.measure.title.lower()} between items (95 %: {order.low:.0%} to {order.high:.0%}).**"
    )


def _measure_menu(_: Values | None) -> None:
    st.segmented_control(
        "Measure",
        [one.name for one in MEASURES],
        format_func=lambda name: measure_of(name).title,
        default=MEASURES[0].name,
        key=MEASURE,
        label_visibility="collapsed",
        help=" ".join(f"{one.title}: {one.help}" for one in MEASURES),
        persist_state="session",
    )


def _note(of: Estimate) -> str:
    covers = f"covers {of.covers}" if of.drawn else "no interval: nothing was drawn more than once"
    return f"{of.items:,} items; {covers}"


def _means(*_: Any) -> None:
    found = with_items()
    answers = found.answers(chosen_measure())
    accuracy = answers.measure.name == "accuracy"
    if answers.curve is not None:
        _curve(found, answers)
        return
    bars = [
        IntervalBar(setting.name, math.nan, math.nan, math.nan, "nothing computed yet")
        if mean is None
        else IntervalBar(setting.name, mean.mean, mean.low, mean.high, _note(mean))
        for setting, mean in zip(answers.settings, answers.means, strict=True)
    ]
    height = max(LEAST, ROW * len(bars) + 60)
    chart(
        means_figure(bars, answers.measure.title, height, accuracy),
        P + "means",
        f"{answers.measure.title} of every setting with its 95 % interval",
    )


def _curve(found: ShownExperiment, answers: Findings) -> None:
    assert answers.curve is not None
    by_k = dict(zip(found.experiment.vary[0].values, answers.means, strict=True))
    means = [(k, mean) for k in answers.curve.ks if (mean := by_k.get(k)) is not None]
    bars = [
        IntervalBar(f"{k}", mean.mean, mean.low, mean.high, f"k = {k}: {mean.mean:.3f}, {_note(mean)}")
        for k, mean in means
    ]
    power = answers.curve.power
    fitted = list(power.fitted) if power is not None else []
    rising = answers.curve.saturation.rising
    chart(
        curve_figure(
            [k for k, _ in means],
            bars,
            fitted,
            None if rising else answers.curve.saturation.k,
            answers.measure.title,
            300,
        ),
        P + "curve",
        f"{answers.measure.title} against the number of demonstrations, with intervals",
    )
    laws = [law for law in (answers.curve.power, answers.curve.bayes) if law is not None]
    for law in laws:
        said = "; ".join(f"{name} {v:.3g} ({low:.3g} to {high:.3g})" for name, (v, low, high) in law.parameters.items())
        loose = "" if law.determined else " These numbers are not pinned down by the curve."
        st.caption(f"{law.name}: {message(said)}; off by {law.error:.3f}.{loose}")


def _differences(*_: Any) -> None:
    found = with_items()
    answers = found.answers(chosen_measure())
    if not answers.pairs:
        st.caption("Nothing varies, or nothing that two settings share is computed yet.")
        return
    accuracy = answers.measure.name == "accuracy"
    names = [setting.name for setting in answers.settings]
    bars = [_difference(pair, names, answers.measure.better) for pair in answers.pairs]
    chart(
        differences_figure(
            bars, f"difference in {answers.measure.title.lower()}", max(LEAST, ROW * len(bars) + 60), accuracy
        ),
        P + "differences",
        "Paired differences between settings with 95 % intervals",
    )


def _difference(pair: SettingPair, names: list[str], better: int) -> IntervalBar:
    one = pair.comparison
    p = f"p = {pair.corrected:.3g} after Holm" if not math.isnan(pair.corrected) else "no test"
    size = "" if math.isnan(one.effect.standardised) else f"; {one.effect.standardised:+.2f} standard deviations"
    least = "" if math.isnan(one.smallest) else f"; smallest effect with 80 % power {one.smallest:.3f}"
    sign = better * (1 if one.difference.mean > 0 else -1) if pair.said.shown else 0
    return IntervalBar(
        f"{names[pair.b]} − {names[pair.a]}",
        one.difference.mean,
        one.difference.low,
        one.difference.high,
        f"{p}{size}{least}; {one.differing:.0%} of {one.pairs:,} pairs differ",
        sign,
    )


def _variance(*_: Any) -> None:
    found = with_items()
    answers = found.answers(chosen_measure())
    rows = [
        {
            "Setting": setting.name,
            "From": part.name,
            "Levels": part.levels,
            "Share": None if math.isnan(part.share) else 100 * part.share,
            "95 %": "–" if math.isnan(part.low) else f"{part.low:.0%} – {part.high:.0%}",
        }
        for setting, split in zip(answers.settings, answers.splits, strict=True)
        if split is not None
        for part in split.parts
    ]
    if all(row["Share"] is None for row in rows):
        st.caption("All items came out alike, so there is no variance to split.")
        return
    st.dataframe(
        rows,
        column_config={
            "Setting": st.column_config.TextColumn(width=100),
            "From": st.column_config.TextColumn(width=170),
            "Levels": st.column_config.NumberColumn(width=54),
            "Share": st.column_config.ProgressColumn(format="%.0f %%", min_value=0, max_value=100, width=110),
            "95 %": st.column_config.TextColumn(width=86),
        },
        hide_index=True,
        height=300,
        row_height=28,
        key=P + "variance",
    )


def _confidence_reads() -> Values:
    found = with_items()
    return found.experiment.key, found.done, found.failed


def _confidence(*_: Any) -> None:
    found = with_items()
    said = found.confidences()
    names = [found.design.settings[one.setting].name for one in said]
    chart(
        reliability_figure(names, [one.reliability.said for one in said], [one.reliability.true for one in said], 230),
        P + "reliability",
        "How often answers of a certainty are right, by setting",
    )
    st.dataframe(
        {
            "Setting": names,
            "Calibration error": [f"{_per(one.reliability.error)} ({_ends(one.reliability)})" for one in said],
            "Changes by order": [_share(one.orders) for one in said],
            "Against the first": [_share(one.changed) for one in said],
        },
        column_config={"Setting": st.column_config.TextColumn(width=92)},
        hide_index=True,
        row_height=28,
        key=P + "flips",
        alt="Calibration error and flip rates by setting",
    )


def _per(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.1%}"


def _ends(of: Estimate | Reliability) -> str:
    return f"{_per(of.low)} to {_per(of.high)}"


def _share(of: Estimate | None) -> str:
    return "–" if of is None else f"{_per(of.mean)} ({_ends(of)})"


PROGRESS = Card(P + "progress", "", "", _progress_reads, _progress, height=60)
VERDICTS = Card(P + "verdicts", "Verdict", HELP_VERDICTS, _verdict_reads, _verdicts, controls=_measure_menu, height=120)
MEANS = Card(P + "means_card", "Settings", HELP_MEANS, _verdict_reads, _means, height=260)
DIFFERENCES = Card(P + "differences_card", "Differences", HELP_DIFFERENCES, _verdict_reads, _differences, height=260)
VARIANCE = Card(
    P + "variance_card", "Where the variance comes from", HELP_VARIANCE, _verdict_reads, _variance, height=320
)
CONFIDENCE = Card(
    P + "confidence_card", "Certainty and changes", HELP_CONFIDENCE, _confidence_reads, _confidence, height=320
)
