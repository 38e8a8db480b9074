"""`triage alerts backtest`: the contract of its files, its errors, and that it says what the detector says."""

import csv
import gzip
import io
import sys

import numpy as np
import pytest
from cli import run as triage

from triage.alerting.backtest.output import output_lines, summary
from triage.alerting.backtest.run import BacktestRule, backtest
from triage.alerting.backtest.source import moment_of, seconds_of
from triage.alerting.backtest.table import read_table
from triage.alerting.detection import SpikeDetector, SpikeSettings
from triage.alerting.rules.model import StaticThreshold
from triage.errors import ConfigError, SourceError

START = np.datetime64("2026-01-01T00:00")


def times(count, minutes=60):
    return [str(START + np.timedelta64(minutes * n, "m")).replace("T", " ") for n in range(count)]


def series_with_spike(windows=120, spike=range(100, 103), seed=1, mean=10):
    counts = np.random.default_rng(seed).poisson(mean, windows)
    counts[list(spike)] += 80
    return counts


def file_of(rows, header="window_start,key,negative,total"):
    return io.BytesIO("\n".join([header, *rows, ""]).encode())


def judged(table, judgement=None):
    results = backtest(table, judgement or BacktestRule(SpikeSettings()))
    return results, list(csv.DictReader(io.StringIO("".join(output_lines(table, results)))))


def test_rows_come_back_one_for_one_with_their_results():
    counts = series_with_spike()
    rows = [f'{at},"shop, one",{count:03d},{count + 20}' for at, count in zip(times(120), counts, strict=True)]
    _, out = judged(read_table(file_of(rows), "f"))
    assert [row["window_start"] for row in out] == times(120)
    assert [row["negative"] for row in out] == [f"{count:03d}" for count in counts]
    assert {row["key"] for row in out} == {"shop, one"}
    assert list(out[0]) == ["window_start", "key", "negative", "total", "expected", "score", "firing", "episode"]
    assert [n for n, row in enumerate(out) if row["firing"] == "1"][:3] == [100, 101, 102]
    assert all(float(row["score"]) == 0 for row in out[:24])
    episodes = {row["episode"] for row in out[100:103]}
    assert len(episodes) == 1
    assert episodes != {""}
    assert all(row["episode"] == "" for row in out[:100])


@pytest.mark.parametrize("header", ["window_start,key,negative", "window_start,key,negative,total"])
def test_without_totals_only_the_count_is_scored(header):
    rows = [f"{at},k,{count}" for at, count in zip(times(120), series_with_spike(), strict=True)]
    if header.endswith("total"):
        rows = [row + "," for row in rows]
    table = read_table(file_of(rows, header), "f")
    results, _ = judged(table)
    assert table.total is None
    assert results.firing[100:103].all()


def test_scores_are_those_of_the_detector_step_by_step_without_looking_ahead():
    counts = series_with_spike()
    rows = [f"{at},k,{count}," for at, count in zip(times(120), counts, strict=True)]
    whole, _ = judged(read_table(file_of(rows), "f"))
    part, _ = judged(read_table(file_of(rows[:101]), "f"))
    assert (whole.score[:101] == part.score).all()
    detector = SpikeDetector(SpikeSettings(), 3600)
    start_ms = int(START.astype("datetime64[ms]").astype(int))
    scores = [
        detector.step(start_ms + n * 3_600_000, ["k"], np.array([float(count)]), None).score[0]
        for n, count in enumerate(counts)
    ]
    assert whole.score.tolist() == scores


def test_results_of_a_key_depend_neither_on_other_keys_nor_on_the_order_of_rows():
    a, b = series_with_spike(), series_with_spike(seed=2, spike=range(50, 52))
    at = times(120)
    by_time = [row for n in range(120) for row in (f"{at[n]},a,{a[n]},", f"{at[n]},b,{b[n]},")]
    by_key = [f"{at[n]},a,{a[n]}," for n in range(120)] + [f"{at[n]},b,{b[n]}," for n in range(120)]
    alone = judged(read_table(file_of(by_key[:120]), "f"))[0]
    first, second = (judged(read_table(file_of(rows), "f"))[0] for rows in (by_time, by_key))
    assert (first.score[::2] == alone.score).all()
    assert (second.score[:120] == alone.score).all()
    assert (second.score[120:] == first.score[1::2]).all()


def test_gaps_are_zeros_and_print_no_row():
    counts = np.random.default_rng(3).poisson(10, 120)
    counts[60:70] = 0
    rows = [f"{at},k,{count},{count}" for at, count in zip(times(120), counts, strict=True)]
    full, _ = judged(read_table(file_of(rows), "f"))
    gappy, out = judged(read_table(file_of(rows[:60] + rows[70:]), "f"))
    assert len(out) == 110
    assert gappy.score.tolist() == [*full.score[:60], *full.score[70:]]


def test_an_episode_resolves_after_quiet_windows_and_the_next_has_another_id():
    counts = series_with_spike(200, spike=[100, 101, 150])
    rows = [f"{at},k,{count}" for at, count in zip(times(200), counts, strict=True)]
    table = read_table(file_of(rows, "window_start,key,negative"), "f")
    results, out = judged(table)
    assert len(results.episodes) == 2
    assert [(span.first - results.episodes[0].first) for span in results.episodes] == [0, 50]
    assert len({row["episode"] for row in out if row["episode"]}) == 2
    assert not any(span.open for span in results.episodes)
    assert "2 episodes" in summary(table, results)


def test_a_static_rule_needs_both_share_and_count():
    rows = [f"{at},k,{5 if n != 30 else 40},50" for n, at in enumerate(times(40, 5))]
    judgement = BacktestRule(None, StaticThreshold(share_at_least=0.6, count_at_least=30), window_s=300)
    results, out = judged(read_table(file_of(rows), "f"), judgement)
    assert np.flatnonzero(results.firing).tolist() == [30]
    assert out[30]["episode"]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (["2026-01-01,k,1,2", "soon,k,1,2"], "line 3: window_start 'soon' is not an ISO 8601 time"),
        (["2026-01-01,k,many,2", "2026-01-02,k,-1,2"], "line 3: negative '-1' is not a count"),
        (["2026-01-01,k,3,2", "2026-01-02,k,1,2"], "line 2: total 2 is less than negative 3"),
        (["2026-01-01,k,1,2", "2026-01-01,k,1,2"], "line 3: the window of key 'k' is there twice"),
        (["2026-01-02,k,1,2", "2026-01-01,k,1,2"], "line 3: the window of key 'k' is earlier"),
        (["2026-01-01,k,1,2", "2026-01-02,k,1"], "line 3: 3 cells, the header has 4"),
        (["2026-01-01,k,1,2"], "give --step"),
        ([], "has no rows"),
        (
            ["2026-01-01 00:00,k,1,2", "2026-01-01 00:05,k,1,2", "2026-01-01 00:10,k,1,2", "2026-01-01 00:12,k,1,2"],
            "line 5: 120 s after the key's row before it, not a multiple of 300 s",
        ),
    ],
)
def test_bad_rows_are_named_with_their_lines(rows, said):
    with pytest.raises(SourceError, match="f") as caught:
        read_table(file_of(rows), "f")
    assert said in str(caught.value)


def test_a_header_without_its_columns_is_refused():
    with pytest.raises(SourceError, match="no column key"):
        read_table(file_of(["1,2"], "window_start,negative"), "f")
    with pytest.raises(SourceError, match="column score is there already"):
        read_table(file_of(["2026-01-01,k,1,2"], "window_start,key,negative,score"), "f")


def test_lengths_and_moments():
    assert [seconds_of(text, "--step") for text in ("300", "5m", "1h", "7d", "2w")] == [
        300,
        300,
        3600,
        604_800,
        1_209_600,
    ]
    assert moment_of("1d", 86_400_000, "--from") == 0
    assert moment_of("1970-01-02", 0, "--from") == 86_400_000
    for wrong in ("0", "soon", "5x"):
        with pytest.raises(ConfigError, match="--step"):
            seconds_of(wrong, "--step")
    with pytest.raises(ConfigError, match="--from"):
        moment_of("soon", 0, "--from")


@pytest.fixture
def source(tmp_path):
    rows = [f"{at},k,{count},{count + 20}" for at, count in zip(times(120), series_with_spike(), strict=True)]
    path = tmp_path / "in.csv.gz"
    path.write_bytes(gzip.compress(file_of(rows).getvalue()))
    return path


def test_command_reads_gzip_and_writes_a_file(capfd, source, tmp_path):
    output = tmp_path / "out.csv"
    done = triage(capfd, "alerts", "backtest", source, "--output", output, "--z-ratio", "0")
    assert done.code == 0, done.err
    assert "1 episodes" in done.err
    assert done.out == ""
    assert len(output.read_text().splitlines()) == 121


def test_command_prints_rows_to_standard_output(capfd, source):
    done = triage(capfd, "alerts", "backtest", source, "--step", "1h")
    assert done.code == 0, done.err
    assert len(done.out.splitlines()) == 121


def test_chart_shows_the_keys(capfd, source, tmp_path):
    pytest.importorskip("matplotlib")
    chart = tmp_path / "chart.png"
    done = triage(capfd, "alerts", "backtest", source, "--output", tmp_path / "out.csv", "--plot", chart)
    assert done.code == 0, done.err
    assert chart.read_bytes().startswith(b"\x89PNG")


def test_chart_without_its_extra_names_it(capfd, source, tmp_path, monkeypatch):
    for name in ("matplotlib", "matplotlib.backends.backend_agg"):
        monkeypatch.setitem(sys.modules, name, None)
    chart = tmp_path / "chart.png"
    done = triage(capfd, "alerts", "backtest", source, "--output", tmp_path / "out.csv", "--plot", chart)
    assert done.code == 2
    assert "plots" in done.err


def test_command_says_what_is_wrong_with_its_flags(capfd):
    for arguments, said in (
        ([], "either a FILE"),
        (["nowhere.csv"], "no such file"),
        (["-", "--rule", "nobody"], "no such rule"),
        (["-", "--zone", "Mars/Olympus"], "IANA"),
        (["--from", "2026-02-01", "--to", "2026-01-01"], "--from must be before --to"),
    ):
        done = triage(capfd, "alerts", "backtest", *arguments)
        assert done.code == 2, arguments
        assert said in done.err


def csv_file(tmp_path, rows):
    path = tmp_path / "counts.csv"
    path.write_text("\n".join(["window_start,key,negative", *rows, ""]))
    return str(path)


def test_a_budget_replaces_the_default_and_the_summary_says_what_it_allows(tmp_path, capfd):
    rows = [f"{at},k,{count}" for at, count in zip(times(336), series_with_spike(336), strict=True)]
    path = csv_file(tmp_path, rows)
    fired = {}
    for budget in ("0.0001 a week", "200 a week"):
        outcome = triage(capfd, "alerts", "backtest", path, "--budget", budget)
        assert f"budget {budget}: {float(budget.split()[0]) * 2:.2f} false alerts in this time" in outcome.err
        fired[budget] = sum(row["firing"] == "1" for row in csv.DictReader(io.StringIO(outcome.out)))
    assert 0 < fired["0.0001 a week"] < fired["200 a week"]
    outcome = triage(capfd, "alerts", "backtest", path, "--z-count", "4")
    assert "no budget: keys fire above the fixed score 4" in outcome.err


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--budget", "rarely"), "as 1 a week, 2 a month"),
        (("--budget", "1 a week", "--z-count", "4"), "give either --budget or --z-count"),
    ],
)
def test_a_budget_that_says_nothing_is_refused(tmp_path, capfd, flags, message):
    rows = [f"{at},k,1" for at in times(30)]
    outcome = triage(capfd, "alerts", "backtest", csv_file(tmp_path, rows), *flags)
    assert outcome.code != 0
    assert message in outcome.err


def test_keys_that_could_not_have_fired_are_named_with_the_reason():
    rows = [f"{at},busy,{count}" for at, count in zip(times(60), series_with_spike(60, spike=[]), strict=True)]
    rows += [f"{at},rare,{int(n == 3)}" for n, at in enumerate(times(60))]
    rows += [f"{at},new,5" for at in times(60)[-5:]]
    table = read_table(file_of(sorted(rows), "window_start,key,negative"), "f")
    rule = BacktestRule(SpikeSettings())
    results = backtest(table, rule)
    assert results.silent == {"still learning at the end": ["new"], "fewer than 3 negatives in all": ["rare"]}
    assert "1 keys could not have fired: still learning at the end (new)" in summary(table, results, rule)
    with_static = BacktestRule(SpikeSettings(), StaticThreshold(share_at_least=0.5, count_at_least=5), 3600)
    assert backtest(table, with_static).silent == {}


def test_a_rule_whose_keys_all_learn_spends_nothing():
    table = read_table(file_of([f"{at},k,5" for at in times(20)], "window_start,key,negative"), "f")
    rule = BacktestRule(SpikeSettings())
    assert "nothing could fire, all keys learned until the end" in summary(table, backtest(table, rule), rule)
