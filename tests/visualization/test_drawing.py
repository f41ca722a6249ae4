"""Masks drawn with synthetic mouse and key events."""
import numpy as np
import pytest
from matplotlib.backend_bases import KeyEvent, MouseEvent
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from cfcn_plugin.annotation.queue import AnnotationQueue
from cfcn_plugin.visualization.drawing import MaskCanvas

HEIGHT, WIDTH = 40, 60
NAMES = ['a.jpg', 'b.jpg', 'c.jpg']


@pytest.fixture
def images(tmp_path):
    rng = np.random.default_rng(0)
    (tmp_path / 'images').mkdir()
    for name in NAMES:
        pixels = rng.integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / 'images' / name)
    return tmp_path / 'images'


class Screen(FigureCanvasAgg):
    """Draws when asked to, as a window does once it is idle, and not at each key."""

    def draw_idle(self):
        pass


class Person:
    """Draws on the canvas with a mouse and a keyboard."""

    def __init__(self, images, **kwargs):
        self.queue = AnnotationQueue(images, images.parent / 'masks', **kwargs)
        self.quits = 0
        figure = Figure(figsize=(8, 5))
        self.screen = Screen(figure)
        self.canvas = MaskCanvas(figure, self.queue, quit=self._quit)
        self.axes = self.canvas.panel.axes
        self.seen = None

    def _quit(self):
        self.quits += 1

    def mouse(self, kind, x, y):
        if self.seen != self.canvas.name:
            self.screen.draw()  # puts the axes where they are seen
            self.seen = self.canvas.name
        at = self.axes.transData.transform((x, y))
        button = None if kind == 'motion_notify_event' else 1
        event = MouseEvent(kind, self.screen, *at, button=button)
        self.screen.callbacks.process(kind, event)

    def drag(self, *points):
        self.mouse('button_press_event', *points[0])
        for point in points[1:]:
            self.mouse('motion_notify_event', *point)
        self.mouse('button_release_event', *points[-1])

    def click(self, x, y):
        for kind in ('motion', 'button_press', 'button_release'):
            self.mouse(f'{kind}{"_notify" if kind == "motion" else ""}_event', x, y)

    def press(self, *keys):
        for key in keys:
            self.screen.callbacks.process(
                'key_press_event', KeyEvent('key_press_event', self.screen, key))

    @property
    def mask(self):
        return self.canvas.history.mask

    @property
    def message(self):
        return self.canvas.panel.texts['message'].get_text()


def rectangle(top, bottom, left, right):
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[top:bottom, left:right] = 1
    return mask


AROUND = [(10, 5), (30, 5), (30, 25), (10, 25)]  # rows 5 to 24, columns 10 to 29


# ---- drawing -----------------------------------------------------------------


def test_lasso_adds_what_it_encloses(images):
    person = Person(images)
    person.drag(*AROUND)
    np.testing.assert_array_equal(person.mask, rectangle(5, 25, 10, 30))


def test_polygon_is_closed_by_a_click_on_its_first_corner(images):
    person = Person(images)
    person.press('p')
    for corner in AROUND:
        person.click(*corner)
    assert not person.mask.any()
    person.click(*AROUND[0])
    np.testing.assert_array_equal(person.mask, rectangle(5, 25, 10, 30))
    for corner in [(40, 5), (50, 5), (50, 9), (40, 9), (40, 5)]:  # and another one
        person.click(*corner)
    np.testing.assert_array_equal(
        person.mask, rectangle(5, 25, 10, 30) | rectangle(5, 9, 40, 50))


def test_box_adds_its_inside(images):
    person = Person(images)
    person.press('b')
    person.drag((10, 5), (20, 20), (30, 25))
    np.testing.assert_array_equal(person.mask, rectangle(5, 25, 10, 30))


@pytest.mark.parametrize('tool', 'lb')
def test_outline_may_begin_outside_of_the_image(images, tool):
    person = Person(images)
    person.press(tool)
    line = [(-0.9, -0.5), (8, -0.5), (8, 6), (-0.9, 6)]
    person.drag(*(line if tool == 'l' else line[::2]))
    np.testing.assert_array_equal(person.mask, rectangle(0, 6, 0, 8))


def test_erase_takes_away(images):
    person = Person(images)
    person.drag(*AROUND)
    person.press('e', 'b')
    person.drag((0, 0), (15, 39))
    np.testing.assert_array_equal(person.mask, rectangle(5, 25, 15, 30))
    person.press('a')
    person.drag((12, 7), (15, 9))
    assert person.mask[7:9, 12:15].all()


@pytest.mark.parametrize('undo,redo', [('z', 'y'), ('ctrl+z', 'ctrl+y')])
def test_undo_redo_clear(images, undo, redo):
    person = Person(images)
    person.drag(*AROUND)
    person.press(undo)
    assert not person.mask.any()
    person.press(undo)
    assert 'Nothing to undo' in person.message
    person.press(redo)
    assert person.mask.sum() == 400
    person.press('c')
    assert not person.mask.any()
    person.press(undo)
    assert person.mask.sum() == 400


def test_half_a_polygon_is_forgotten_with_another_tool(images):
    person = Person(images)
    person.press('p')
    person.click(10, 5)
    person.click(30, 5)
    person.press('l', 'p')
    for corner in [*AROUND, AROUND[0]]:
        person.click(*corner)
    np.testing.assert_array_equal(person.mask, rectangle(5, 25, 10, 30))


def test_line_that_encloses_nothing_is_no_edit(images):
    person = Person(images)
    person.drag((10, 5), (30, 5))
    assert 'encloses no pixel' in person.message and not person.canvas.unsaved


def test_large_image_is_shown_small_and_masked_at_full_size(images):
    Image.new('RGB', (3000, 2000)).save(images / 'a.jpg')
    person = Person(images)
    assert max(person.canvas.panel.image.get_array().shape) == 1000
    person.press('b')
    person.drag((300, 200), (1300, 700))
    assert person.mask.shape == (2000, 3000)
    rows, columns = np.nonzero(person.mask)
    # a screen pixel is about nine of the image's
    np.testing.assert_allclose([rows.min(), rows.max(), columns.min(), columns.max()],
                               [200, 699, 300, 1299], atol=9)


# ---- from image to image ---------------------------------------------------


@pytest.mark.parametrize('key', ['s', 'enter'])
def test_save_writes_the_mask_and_goes_on(images, key):
    person = Person(images)
    person.drag(*AROUND)
    person.press(key)
    with Image.open(images.parent / 'masks' / 'a.png') as file:
        assert file.mode == 'L'
        np.testing.assert_array_equal(np.array(file), rectangle(5, 25, 10, 30) * 255)
    assert person.canvas.name == 'b.jpg'
    assert person.canvas.panel.texts['title'].get_text() == '2 of 3'
    assert '1 done' in person.canvas.panel.texts['counts'].get_text()


def test_nothing_drawn_is_not_saved(images):
    person = Person(images)
    person.press('s')
    assert 'skip it (k)' in person.message
    assert person.canvas.name == 'a.jpg' and not (images.parent / 'masks').exists()


def test_previous_and_next_keep_what_was_drawn_and_its_history(images):
    person = Person(images)
    person.drag(*AROUND)
    person.press('right')
    assert person.canvas.name == 'b.jpg' and not person.mask.any()
    assert person.canvas.unsaved == ['a.jpg']
    assert '1 not saved' in person.canvas.panel.texts['counts'].get_text()
    person.press('left')
    assert person.mask.sum() == 400
    person.press('z', 'left')
    assert person.canvas.name == 'c.jpg' and not person.canvas.unsaved


def test_next_session_begins_at_the_first_open_image(images):
    person = Person(images)
    person.drag(*AROUND)
    person.press('s', 'k')
    again = Person(images)
    assert again.canvas.name == 'c.jpg'
    assert again.canvas.panel.texts['counts'].get_text() == '1 done  ·  1 skipped'
    again.press('right')
    assert again.canvas.name == 'a.jpg' and again.mask.sum() == 400


def test_mask_of_an_earlier_session_is_replaced_only_when_asked_twice(images):
    person = Person(images)
    person.drag(*AROUND)
    person.press('s')
    again = Person(images)
    again.press('left')
    again.drag((40, 5), (50, 5), (50, 9), (40, 9))
    file = images.parent / 'masks' / 'a.png'
    before = file.read_bytes()
    again.press('s')
    assert 'again to replace' in again.message and file.read_bytes() == before
    again.press('l', 's')  # something else came between
    assert file.read_bytes() == before
    again.press('s')
    assert file.read_bytes() != before


def test_redo_replaces_without_asking(images):
    person = Person(images)
    person.drag(*AROUND)
    person.press('s')
    again = Person(images, redo=True)
    assert again.canvas.name == 'a.jpg'
    again.press('c')
    again.drag((40, 5), (50, 5), (50, 9), (40, 9))
    again.press('s')
    assert again.queue.load_mask('a.jpg', (HEIGHT, WIDTH)).sum() == 40


def test_last_image_says_that_all_is_done(images):
    person = Person(images)
    person.press('k', 'k', 'k')
    assert 'All images are done' in person.message
    assert 'All images are done' in Person(images).message


def test_quit_with_unsaved_drawings_is_asked_twice(images):
    person = Person(images)
    person.drag(*AROUND)
    person.press('q')
    assert person.quits == 0 and 'a.jpg' in person.message
    person.press('q')
    assert person.quits == 1


def test_image_that_cannot_be_read_is_said_and_skipped(images):
    (images / 'a.jpg').write_bytes(b'no image')
    person = Person(images)
    assert 'cannot be read' in person.message
    person.drag((0.2, 0.2), (0.8, 0.2), (0.8, 0.8))
    person.press('z', 'c', 's', 'k')
    assert person.canvas.name == 'b.jpg'


def test_mask_of_another_size_is_not_drawn_over(images):
    masks = images.parent / 'masks'
    masks.mkdir()
    Image.new('L', (3, 3)).save(masks / 'a.png')
    person = Person(images)
    person.press('left')
    assert 'No mask can be drawn' in person.message and '(3, 3)' in person.message


def test_mask_that_cannot_be_written_is_said(images):
    person = Person(images)
    person.drag(*AROUND)
    (images.parent / 'masks').write_text('a file where the folder should be')
    person.press('s')
    assert 'Not saved' in person.message and person.canvas.name == 'a.jpg'


# ---- what is seen ------------------------------------------------------------


def test_each_button_does_what_its_key_does(images):
    person = Person(images)
    button = person.canvas.panel.buttons['skip']
    x, y = button.ax.transAxes.transform((0.5, 0.5))
    for kind in ('button_press_event', 'button_release_event'):
        event = MouseEvent(kind, person.screen, x, y, button=1)
        person.screen.callbacks.process(kind, event)
    assert 'a.jpg' in person.queue.skipped


def test_all_keys_are_listed_in_the_figure(images):
    person = Person(images)
    seen = ' '.join(text.get_text() for axes in person.canvas.panel.figure.axes
                    for text in axes.texts).split()
    assert {'l', 'p', 'b', 'a', 'e', 'z', 'y', 'c', 's', 'k', 'q', '←'} <= set(seen)
