"""The pace: the median of recent gaps without breaks."""

from cfcn_plugin.annotation.drawing.pace import BREAK, RECENT, Pace


def paced(*gaps, started=True):
    pace, now = Pace(), 100.0
    if started:
        pace.start(now)
    for gap in gaps:
        now += gap
        pace.finish(now)
    return pace.seconds()


def test_pace_is_the_median_gap_from_the_second_image_on():
    assert paced() is None and paced(4) is None
    assert paced(4, 6) == 5 and paced(4, 6, 100) == 6


def test_break_tells_nothing():
    assert paced(4, BREAK) is None and paced(4, BREAK, 6) == 5


def test_only_recent_images_count():
    assert paced(*[2] * RECENT, *[8] * RECENT) == 8


def test_first_image_counts_from_when_it_was_seen():
    assert paced(4, 6, started=False) is None
    pace = Pace()
    pace.start(0.0)
    pace.start(50.0)  # the page was opened again
    pace.finish(60.0)
    pace.finish(60.0)
    assert pace.seconds() == 30
