"""The page in a real browser, as a person draws: what is seen, and what is saved."""

import numpy as np
from drawing_photos import CIRCLE, disc, iou, saved

ROUND = np.linspace(0, 2 * np.pi, 60)


def around(radius=CIRCLE[2]):
    """Points of the image along the outline of the disc."""
    x, y, _ = CIRCLE
    points = x + radius * np.cos(ROUND), y + radius * np.sin(ROUND)
    return np.stack(points, 1).tolist()


def test_brush_is_seen_while_it_draws_and_saved_as_it_was_drawn(person, serve, images):
    person.open(serve())
    person.keys('b')
    before = person.seen()
    person.drag([[60, 150], [120, 150]], release=False)
    during = person.seen()
    person.drag([[120, 150], [240, 150]], release=False)
    later = person.seen()
    assert (abs(during - before).sum(-1) > 60).sum() > 500
    assert (abs(later - during).sum(-1) > 60).sum() > 500
    person.release()
    person.keys('s')
    person.ready(1)
    mask = saved(images.parent / 'masks' / 'a.png')
    assert mask.shape == (200, 300) and set(np.unique(mask)) == {0, 255}
    radius = person.js('return app.brush') * np.hypot(200, 300)
    y, x = np.ogrid[:200, :300]
    along = np.clip(x + 0.5, 60, 240)
    drawn = np.hypot(x + 0.5 - along, y + 0.5 - 150) <= radius
    assert iou(mask, drawn) > 0.9  # a line of 8 pixels, by whole pixels of the screen
    assert person.js('return app.status.states') == 'doo'


def test_lasso_is_seen_and_its_inside_is_the_mask(person, serve, images):
    person.open(serve())
    person.keys('l')
    before = person.seen()
    points = around()
    person.drag(points[:30], release=False)
    assert (abs(person.seen() - before).sum(-1) > 60).sum() > 300
    person.release()
    person.js('app.mask.undo()')
    person.drag(points)
    filled = person.seen()
    assert (abs(filled - before).sum(-1) > 40).sum() > 10_000
    person.keys('s')
    person.ready(1)
    assert iou(saved(images.parent / 'masks' / 'a.png'), disc()) > 0.98


def test_box_becomes_the_outline_of_its_object(person, serve, images):
    person.open(serve())
    before = person.seen()
    person.drag([[85, 25], [150, 90], [215, 155]], release=False)
    assert (abs(person.seen() - before).sum(-1) > 60).sum() > 500  # the box
    person.release()
    person.until('app.tools.outline.found')
    assert (abs(person.seen() - before).sum(-1) > 40).sum() > 10_000
    assert not (images.parent / 'masks' / 'a.png').exists()
    person.keys('ENTER')
    person.until('!app.mask.isEmpty')
    person.keys('ENTER')
    person.ready(1)
    assert iou(saved(images.parent / 'masks' / 'a.png'), disc()) > 0.98
