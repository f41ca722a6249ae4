"""Each tool of the page by mouse, wheel and keys, on small and on large photographs."""

import numpy as np
import pytest
from drawing_photos import CIRCLE, disc, iou, photograph, saved
from PIL import Image

from cfcn_plugin.annotation.queue import AnnotationQueue
from cfcn_plugin.masks.io.shapes import draw_stroke, fill_polygon

pytestmark = pytest.mark.slow
SQUARE = [[60, 40], [240, 40], [240, 160], [60, 160]]


def labels(person):
    """The mask of the page, uint8 (H, W)."""
    height, width = person.js('return [app.mask.height, app.mask.width]')
    runs = np.array(person.js('return Array.from(app.mask.runs)')).reshape(-1, 2)
    return np.repeat(runs[:, 0], runs[:, 1]).reshape(height, width)


def polygon(points, shape=(200, 300)):
    return fill_polygon(points, shape, nonzero=True)


def outline(scale=1):
    x, y, radius = np.array(CIRCLE) * scale
    angles = np.linspace(0, 2 * np.pi, 80)
    return np.stack(
        [x + radius * np.cos(angles), y + radius * np.sin(angles)], 1
    ).tolist()


def changed(one, other, least=60):
    return (abs(one - other).sum(-1) > least).sum()


@pytest.mark.parametrize('seed', range(4))
def test_shapes_cover_the_pixels_that_they_cover_in_python(person, serve, seed):
    person.open(serve())
    rng = np.random.default_rng(seed)
    points = rng.uniform(-20, 60, (3 + 3 * seed, 2))
    radius = float(rng.uniform(0, 9))
    drawn = person.js(
        """
        const [points, radius, done] = arguments;
        return import('/page/raster.js').then(({polygonSpans, segmentSpans}) => [
          span => polygonSpans(points, 50, 40, span),
          span => points.slice(1).forEach(
            (p, i) => segmentSpans(points[i], p, radius, 50, 40, span))].map(shape => {
          const mask = new Uint8Array(2000);
          shape((row, x0, x1) => mask.fill(1, row * 50 + x0, row * 50 + x1));
          return Array.from(mask);
        }));""",
        points.tolist(),
        radius,
    )
    filled, stroke = np.array(drawn).reshape(2, 40, 50)
    np.testing.assert_array_equal(filled, polygon(points, (40, 50)))
    np.testing.assert_array_equal(stroke, draw_stroke(points, radius, (40, 50)))


def test_polygon_has_corners_to_drag_to_add_and_to_take_back(person, serve):
    person.open(serve())
    person.keys('p')
    for point in [*SQUARE, [20, 20]]:
        person.click(point)
    person.keys('BACKSPACE')  # the last corner
    person.click(SQUARE[0])  # closes
    assert person.js('return app.tool.isClosed')
    before = person.seen()
    person.drag([SQUARE[2], [270, 170], [280, 180]], release=False)
    assert changed(person.seen(), before) > 200
    person.release()
    person.drag([[150, 40], [150, 20]])  # the middle of an edge becomes a corner
    person.keys('ENTER')
    wanted = polygon([[60, 40], [150, 20], [240, 40], [280, 180], [60, 160]])
    assert iou(labels(person), wanted) > 0.98
    person.keys('z')  # the mask is empty, and the corners are there again
    assert not labels(person).any() and len(person.js('return app.tool.points')) == 5
    person.drag([[150, 20], [150, 40]])
    person.keys('ENTER')
    assert iou(labels(person), polygon([*SQUARE[:2], [280, 180], SQUARE[3]])) > 0.98


def test_box_has_corners_to_drag(person, serve, images):
    person.open(serve())
    person.keys('r')
    person.drag([[60, 40], [200, 150]])
    person.drag([[200, 150], [240, 160]])
    person.keys('s')
    person.ready(1)
    assert iou(saved(images.parent / 'masks/a.png'), polygon(SQUARE)) > 0.98


def test_right_button_and_e_erase_and_undo_brings_back(person, serve):
    person.open(serve())
    person.keys('l')
    person.drag([*SQUARE, SQUARE[0]])
    full = labels(person)
    person.drag([[60, 40], [150, 40], [150, 160], [60, 160]], button=2)
    assert abs(int(labels(person).sum()) * 2 - int(full.sum())) < 400
    person.keys('z')
    np.testing.assert_array_equal(labels(person), full)
    person.keys('e', 'b')
    before = person.seen()
    person.drag([[80, 100], [200, 100]], release=False)
    assert changed(person.seen(), before, 30) > 500
    person.release()
    assert labels(person).sum() < full.sum()
    person.keys('z', control=True)
    np.testing.assert_array_equal(labels(person), full)
    person.keys('y')
    assert labels(person).sum() < full.sum()
    person.keys('x')
    assert not labels(person).any()
    person.keys('z', 'z', 'z')
    assert not labels(person).any()


def test_strokes_correct_an_outline_before_it_is_taken(person, serve):
    person.open(serve())
    person.drag([[85, 25], [215, 155]])
    person.until('app.tools.outline.found')
    found = person.seen()
    person.keys('e')
    person.drag([[110, 60], [110, 120]])
    person.until('app.tool.strokes.length === 1 && !app.tool.isAsking')
    assert changed(person.seen(), found, 30) > 500
    person.keys('z')
    person.until('!app.tools.outline.strokes.length && !app.tools.outline.isAsking')
    person.keys('ENTER')
    assert iou(labels(person), disc()) > 0.98
    person.keys('z', 'ESCAPE')
    assert not labels(person).any()


def test_stroke_becomes_the_outline_of_its_object(person, serve):
    person.open(serve())
    person.keys('i')
    before = person.seen()
    person.drag([[120, 90], [150, 90], [185, 95]], release=False)
    assert changed(person.seen(), before) > 300
    person.release()
    person.until('app.tools.outline.found')
    person.keys('ENTER')
    assert iou(labels(person), disc()) > 0.95


def test_zoomed_in_by_the_wheel_and_panned_what_is_drawn_is_where_it_is_seen(
    person, serve, images
):
    from selenium.webdriver import ActionChains
    from selenium.webdriver.common.actions.wheel_input import ScrollOrigin

    person.open(serve())
    canvas = person.driver.find_element('id', 'canvas')
    before = person.js('return app.view.scale')
    ActionChains(person.driver).scroll_from_origin(
        ScrollOrigin.from_element(canvas, 100, 50), 0, -500
    ).perform()
    scale = person.js('return app.view.scale')
    assert scale / before == pytest.approx(np.exp(0.75), rel=0.01)
    x, y = person.js('return [app.view.x, app.view.y]')
    person.drag([[150, 90], [140, 85]], button=1)
    moved = person.js('return [app.view.x, app.view.y]')
    assert moved == pytest.approx([x - 10 * scale, y - 5 * scale], abs=1.5)
    person.keys('l')
    square = [[130, 80], [180, 80], [180, 120], [130, 120]]
    person.drag(square)
    assert iou(labels(person), polygon(square)) > 0.98
    person.keys('0')
    assert person.js('return app.view.scale') == before


def test_photograph_of_twelve_megapixels_is_drawn_on_and_outlined(
    person, serve, tmp_path
):
    folder = tmp_path / 'large'
    folder.mkdir()
    Image.fromarray(photograph(3000, 4000)).save(folder / 'a.jpg', quality=90)
    person.open(serve(AnnotationQueue(folder, tmp_path / 'masks')))
    person.until('app.view.levels.length === 3')
    # a frame draws the smallest copy that has a pixel for each pixel of the screen
    assert 0.125 < person.js('return app.view.scale') <= 0.25
    widths = person.js(
        'return [0.1, 0.25, 0.3, 0.5, 0.6, 1, 4].map('
        'scale => app.view.level(scale).width)'
    )
    assert widths == [1000, 1000, 2000, 2000, 4000, 4000, 4000]
    person.keys('b')
    before = person.seen()
    person.drag([[800, 2200], [1600, 2200], [2400, 2300]], release=False)
    assert changed(person.seen(), before) > 500
    person.release()
    person.keys('0', 'x', 'o')
    # a box from outside of the disc
    person.drag([[1150, 350], [2850, 2050]])
    person.until('app.tools.outline.found')
    person.keys('ENTER', 's')
    person.until("document.querySelector('dialog').open")
    mask = saved(tmp_path / 'masks/a.png')
    assert mask.shape == (3000, 4000) and iou(mask, disc(3000, 4000)) > 0.97


def test_all_is_done_by_the_keyboard_alone(person, serve, images):
    person.open(serve())
    person.keys('?')
    assert 'Pen down, pen up' in person.text
    person.keys('ESCAPE')
    person.keys('o')
    person.keys('ARROW_LEFT', *['ARROW_LEFT'] * 8, shift=True)
    person.keys(*['ARROW_UP'] * 10, shift=True)
    person.keys('.')
    before = person.seen()
    person.keys(*['ARROW_RIGHT'] * 18, shift=True)
    person.keys(*['ARROW_DOWN'] * 18, shift=True)
    assert changed(person.seen(), before) > 300
    person.keys('.')
    person.until('app.tools.outline.found')
    person.keys('ENTER')
    person.keys('ENTER')
    person.ready(1)
    assert iou(saved(images.parent / 'masks/a.png'), disc()) > 0.97
    person.keys('k')
    person.ready(2)
    person.keys('c')
    person.until('!app.mask.isEmpty')
    person.keys('s')
    person.until("document.querySelector('dialog').open")
    assert '2 of 3 images have a mask; skipped: 1, open: 0' in person.text
    assert 'dict(the config)' in person.text
    person.keys('q')
    person.until("document.body.innerText.includes('The server has stopped')")
